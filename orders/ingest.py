"""The door. Every event comes in here: single, batch, a provider's webhook, backfill and replay (DESIGN: the way of an event).

One transaction, a fixed number of round trips whatever the number of events:
1. new orders, row locks in one order, events sorted by identity, then the facts, stages and policies of the orders concerned;
2. (only if something came twice) the hashes of what was there before;
3. what differs, and COMMIT; before it two more of the exceptions' book, if a verdict changed.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
from psycopg.rows import namedtuple_row

from e2a.observability.metrics import INGEST_SECONDS, INGEST_SUCCESS, SLA_BREACHES
from e2a.postgresql.raw import raw_connection
from e2a.pulse import pulse
from orders.deadletters import Letter, store_letters
from orders.events import Incoming
from orders.judge import Connection, Known, Writes, as_json, judge, known_from, write
from orders.statements import Statements, statements_of

MAX_EVENTS = 5_000
TRIES = 5
RETRYABLE = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
NEW, DUPLICATE, CONFLICT = "processed", "duplicate", "conflict"
TAKEN = "This identity is already taken by an event with other content; the first one stands. Send a new event_id."


@dataclass(slots=True)
class Receipt:
    """What became of one event: `processed`, `duplicate`, or `conflict` (kept as a dead letter)."""

    event_id: str
    order_id: str
    status: str
    exceptions: list[int] = field(default_factory=list)  # opened or reopened by it; of a batch, by the batch


def ingest(
    schema: str, events: Sequence[Incoming], *, now: datetime, history: bool = False, letters: Sequence[Letter] = ()
) -> list[Receipt]:
    """Stores and judges 1 to 5,000 events of one tenant; `letters` are kept in the same transaction. One receipt each, in order.

    Raises: psycopg.OperationalError when the database cannot be reached; nothing is half stored then.
    """
    began = time.perf_counter()
    texts = statements_of(schema)
    for attempt in range(1, TRIES + 1):
        try:
            receipts, writes = take(raw_connection(), texts, events, now=now, history=history, letters=letters)
            break
        except RETRYABLE:
            if attempt == TRIES:
                raise
            time.sleep(0.01 * attempt)
    report(schema, events, receipts, writes, seconds=time.perf_counter() - began)
    return receipts


def take(
    connection: Connection,
    texts: Statements,
    events: Sequence[Incoming],
    *,
    now: datetime,
    history: bool = False,
    letters: Sequence[Letter] = (),
    keep_conflicts: bool = True,
) -> tuple[list[Receipt], Writes]:
    """One try. Inside a caller's transaction it is a part of it, and the caller reports once that is committed.

    `keep_conflicts`: whether a conflict becomes a dead letter; a replay has one of it already.
    """
    with connection.pipeline(), connection.transaction():
        _find_orders(connection, texts, events)
        batch = unique_events(events)
        known, fresh = _store(connection, texts, list(batch.values()), now, history)
        receipts = _receipts(connection, texts, events, batch, fresh)
        writes = Writes()
        if known.orders:
            cause = {order: f"event {source}/{event}" for order, source, event in _causes(known, batch, fresh)}
            touched = [order for order in known.orders if order.id in cause or order.id not in known.facts]
            writes = judge(known._replace(orders=touched), now=now, cause=cause, received=True, settled=False)
        _write_parcels(connection, texts, batch, fresh)
        kept = _conflicts(events, receipts) if keep_conflicts else []
        store_letters(connection, texts, [*letters, *kept], now=now)
        opened = write(connection, texts, writes, now=now)
    for receipt in receipts:
        if receipt.status == NEW:
            receipt.exceptions = opened
    return receipts, writes


def unique_events(events: Sequence[Incoming]) -> dict[tuple[str, str], Incoming]:
    """The first of each identity, sorted by it: concurrent batches then wait for each other instead of deadlocking."""
    first: dict[tuple[str, str], Incoming] = {}
    for event in events:
        first.setdefault(event.identity, event)
    return dict(sorted(first.items()))


def _find_orders(connection: Connection, texts: Statements, events: Sequence[Incoming]) -> None:
    """A carrier's event names a tracking number: its order is the one whose fulfilment named it, if that is known yet."""
    waiting = [event for event in events if not event.order_id and event.tracking_number]
    if not waiting:
        return
    numbers = sorted({event.tracking_number for event in waiting})
    rows = connection.execute(texts.find_parcels, {"numbers": numbers}).fetchall()
    found = {number: parcel for number, *parcel in rows}
    for event in waiting:
        if event.tracking_number in found:
            event.merchant, event.order_id, shipment = found[event.tracking_number]
            if shipment:  # the fold counts an order's parcels by their shipment, as the fulfilment named it
                event.detail = {**(event.detail or {}), "shipment": shipment}


def _store(
    connection: Connection, texts: Statements, batch: Sequence[Incoming], now: datetime, history: bool
) -> tuple[Known, dict[tuple[str, str], int]]:
    """Step 1. Each statement sees what was committed before it began, so the facts are read after the locks are held."""
    keys = sorted({(event.merchant, event.order_id) for event in batch if event.order_id})
    at = {"keys": as_json([{"m": m, "o": o} for m, o in keys]), "now": now, "schema": texts.schema}
    if keys:
        connection.execute(texts.upsert_orders, at)
    orders = connection.cursor(row_factory=namedtuple_row).execute(texts.lock_by_keys, at)
    stored = connection.execute(texts.insert_events, {"events": events_json(batch), "now": now, "history": history})
    facts = connection.execute(texts.facts_by_keys, at)
    stages = connection.execute(texts.stages_by_keys, at)
    policies = connection.execute(texts.policies, at)
    locked = orders.fetchall()
    fresh = {(source, event): key for key, source, event in stored.fetchall()}
    versions = policies.fetchall()[0]
    return known_from(locked, facts.fetchall(), stages.fetchall(), versions), fresh


def events_json(batch: Sequence[Incoming]) -> str:
    """The rows of INSERT_EVENTS, the payloads' own text among them."""
    parts = []
    for event in batch:
        head = as_json(
            {
                "source": event.source,
                "event_id": event.event_id,
                "event_type": event.event_type,
                "merchant": event.merchant,
                "order_ref": event.order_id,
                "tracking": event.tracking_number,
                "occurred_at": event.occurred_at,
                "detail": event.detail,
                "hash": event.content_hash.hex(),
                "correlation_id": event.correlation_id,
            }
        )
        parts.append(f'{head[:-1]},"payload":{event.payload.decode()}}}')
    return f"[{','.join(parts)}]"


def _receipts(
    connection: Connection,
    texts: Statements,
    events: Sequence[Incoming],
    batch: Mapping[tuple[str, str], Incoming],
    fresh: Mapping[tuple[str, str], int],
) -> list[Receipt]:
    """Step 2. What was not stored is a duplicate if its content is the same, else a conflict: the first one stands."""
    old = [identity for identity in batch if identity not in fresh]
    stored = {identity: batch[identity].content_hash for identity in fresh}
    if old:
        sent = as_json([{"s": source, "e": event} for source, event in old])
        for source, event_id, content, _order in connection.execute(texts.hashes, {"identities": sent}).fetchall():
            stored[source, event_id] = bytes(content)
    receipts = []
    for event in events:
        status = CONFLICT if stored.get(event.identity) != event.content_hash else DUPLICATE
        if event is batch[event.identity] and event.identity in fresh:
            status = NEW
        receipts.append(Receipt(event.event_id, event.order_id, status))
    return receipts


def _causes(
    known: Known, batch: Mapping[tuple[str, str], Incoming], fresh: Mapping[tuple[str, str], int]
) -> list[tuple[int, str, str]]:
    ids = {(order.merchant, order.order_id): order.id for order in known.orders}
    newest = sorted((key, batch[identity]) for identity, key in fresh.items() if batch[identity].order_id)
    return [(ids[event.merchant, event.order_id], event.source, event.event_id) for _, event in newest]


def _conflicts(events: Sequence[Incoming], receipts: Sequence[Receipt]) -> list[Letter]:
    return [
        Letter(
            source=event.source,
            reason="conflict",
            body=event.raw,
            errors={"event_id": [TAKEN]},
            event_id=event.event_id,
            order_ref=event.order_id,
            topic=event.origin.topic,
            headers=event.origin.headers,
            correlation_id=event.correlation_id,
            entrance=event.origin.entrance,
            merchant=event.merchant,
        )
        for event, receipt in zip(events, receipts, strict=True)
        if receipt.status == CONFLICT
    ]


def _write_parcels(
    connection: Connection,
    texts: Statements,
    batch: Mapping[tuple[str, str], Incoming],
    fresh: Mapping[tuple[str, str], int],
) -> None:
    rows = [
        {"m": batch[identity].merchant, "o": batch[identity].order_id, "shipment": shipment, "carrier": carrier, "number": number}
        for identity in fresh
        for shipment, carrier, number in batch[identity].parcels
    ]
    if rows:
        connection.execute(texts.write_parcels, {"parcels": as_json(rows)})


def report(
    schema: str, events: Sequence[Incoming], receipts: Sequence[Receipt], writes: Writes, *, seconds: float
) -> None:
    """Step 5, after the commit, in memory only."""
    stored = 0
    for event, receipt in zip(events, receipts, strict=True):
        if receipt.status == NEW:
            stored += 1
            INGEST_SUCCESS.labels(schema, event.event_type, event.source).inc()
    for change in writes.changes:
        if change.before is None and change.now is not None:
            SLA_BREACHES.labels(schema, change.reason, change.now.severity).inc()
    INGEST_SECONDS.labels(schema).observe(seconds)
    if stored:
        pulse.touch(schema)
