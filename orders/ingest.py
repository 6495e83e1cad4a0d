"""The door. Every event comes in here: single, batch, a provider's webhook, backfill and replay (DESIGN: the way of an event).

One transaction, a fixed number of round trips whatever the number of events:
1. new orders, row locks in one order, events sorted by identity, then the facts, stages and policies of the orders concerned;
2. (only if something came twice) the hashes of what was there before;
3. what differs, and COMMIT; before it two more of the exceptions' book, if a verdict changed.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import psycopg
from psycopg.rows import namedtuple_row

from e2a.observability.metrics import EVENT_TYPES, INGEST_SECONDS, INGEST_SUCCESS, SLA_BREACHES, SOURCES
from e2a.postgresql.raw import piped_transaction, raw_connection
from e2a.pulse import pulse
from orders.deadletters import Letter, store_letters
from orders.events import Incoming
from orders.judge import Connection, Known, Writes, judge, known_from, write
from orders.statements import Statements, statements_of
from orders.storing import (
    CONFLICT,
    DUPLICATE,
    NEW,
    TAKEN,
    Identity,
    Receipt,
    conflict_letters,
    events_json,
    find_orders,
    order_keys,
    receipts_of,
    unique_events,
    write_parcels,
)

__all__ = [
    "CONFLICT",
    "DUPLICATE",
    "MAX_EVENTS",
    "NEW",
    "RETRYABLE",
    "TAKEN",
    "TRIES",
    "UNWRITABLE",
    "Receipt",
    "ingest",
    "report",
    "store_unjudged",
    "take",
]

T = TypeVar("T")
logger = logging.getLogger(__name__)
MAX_EVENTS = 5_000
TRIES = 5
RETRYABLE = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
UNWRITABLE = (psycopg.DataError, psycopg.IntegrityError)


def ingest(
    schema: str, events: Sequence[Incoming], *, now: datetime, history: bool = False, letters: Sequence[Letter] = ()
) -> list[Receipt]:
    """Stores and judges 1 to 5,000 events of one tenant; `letters` are kept in the same transaction. One receipt each, in order.

    A verdict that the database refuses costs no event: they are stored unjudged, and the radar tries again, order by order.

    Raises: psycopg.OperationalError when the database cannot be reached; nothing is half stored then.
    """
    began = time.perf_counter()
    texts = statements_of(schema)
    try:
        receipts, writes = _retried(
            lambda: take(raw_connection(), texts, events, now=now, history=history, letters=letters)
        )
    except UNWRITABLE:
        logger.exception("a verdict in %s cannot be written; the events are stored unjudged", schema)
        return store_unjudged(schema, events, now=now, history=history, letters=letters)
    report(schema, events, receipts, writes, seconds=time.perf_counter() - began)
    return receipts


def store_unjudged(
    schema: str, events: Sequence[Incoming], *, now: datetime, history: bool, letters: Sequence[Letter] = ()
) -> list[Receipt]:
    """The first step alone: a backfill judges each order once, when all is stored; cut off, the radar does."""
    began = time.perf_counter()
    texts = statements_of(schema)
    receipts = _retried(lambda: _store_unjudged(raw_connection(), texts, events, now, history, letters))
    report(schema, events, receipts, Writes(), seconds=time.perf_counter() - began)
    return receipts


def _retried(work: Callable[[], T]) -> T:
    """Sorted locks leave no deadlock known to us; one all the same must reach nobody."""
    for attempt in range(1, TRIES):
        try:
            return work()
        except RETRYABLE:
            time.sleep(0.01 * attempt)
    return work()


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
    with piped_transaction(connection):
        find_orders(connection, texts, events)
        batch = unique_events(events)
        known, fresh = _store(connection, texts, list(batch.values()), now, history)
        receipts = receipts_of(connection, texts, events, batch, fresh)
        writes = Writes()
        if known.orders:
            cause = {order: f"event {source}/{event}" for order, source, event in _causes(known, batch, fresh)}
            touched = [order for order in known.orders if order.id in cause or order.id not in known.facts]
            writes = judge(known._replace(orders=touched), now=now, cause=cause, received=True, settled=False)
        write_parcels(connection, texts, batch, fresh)
        kept = conflict_letters(events, receipts) if keep_conflicts else []
        store_letters(connection, texts, [*letters, *kept], now=now)
        opened = write(connection, texts, writes, now=now)
    for receipt in receipts:
        if receipt.status == NEW:
            receipt.exceptions = opened
    return receipts, writes


def _store(
    connection: Connection, texts: Statements, batch: Sequence[Incoming], now: datetime, history: bool
) -> tuple[Known, dict[Identity, int]]:
    """Step 1. Each statement sees what was committed before it began, so the facts are read after the locks are held."""
    at = {"keys": order_keys(batch), "now": now, "schema": texts.schema}
    connection.execute(texts.upsert_orders, at)
    orders = connection.cursor(row_factory=namedtuple_row).execute(texts.lock_by_keys, at)
    stored = connection.execute(texts.insert_events, {"events": events_json(batch), "now": now, "history": history})
    facts = connection.execute(texts.facts_by_keys, at)
    stages = connection.execute(texts.stages_by_keys, at)
    policies = connection.execute(texts.policies, at)
    locked = orders.fetchall()
    fresh = {(source, event): key for key, source, event in stored.fetchall()}
    versions = policies.fetchall()[0]
    return known_from(connection, locked, facts.fetchall(), stages.fetchall(), versions), fresh


def _store_unjudged(
    connection: Connection,
    texts: Statements,
    events: Sequence[Incoming],
    now: datetime,
    history: bool,
    letters: Sequence[Letter],
) -> list[Receipt]:
    with piped_transaction(connection):
        find_orders(connection, texts, events)
        batch = unique_events(events)
        at = {"keys": order_keys(batch.values()), "now": now}
        connection.execute(texts.upsert_orders, at)
        connection.execute(texts.hold_by_keys, at)
        sent = {"events": events_json(list(batch.values())), "now": now, "history": history}
        stored = connection.execute(texts.insert_events, sent).fetchall()
        fresh = {(source, event): key for key, source, event in stored}
        receipts = receipts_of(connection, texts, events, batch, fresh)
        connection.execute(texts.mark_unjudged, {"events": list(fresh.values()), "now": now})
        write_parcels(connection, texts, batch, fresh)
        store_letters(connection, texts, [*letters, *conflict_letters(events, receipts)], now=now)
    return receipts


def _causes(
    known: Known, batch: Mapping[Identity, Incoming], fresh: Mapping[Identity, int]
) -> list[tuple[int, str, str]]:
    ids = {(order.merchant, order.order_id): order.id for order in known.orders}
    newest = sorted((key, batch[identity]) for identity, key in fresh.items() if batch[identity].order_id)
    return [(ids[event.merchant, event.order_id], event.source, event.event_id) for _, event in newest]


def report(
    schema: str, events: Sequence[Incoming], receipts: Sequence[Receipt], writes: Writes, *, seconds: float
) -> None:
    """Step 5, after the commit, in memory only."""
    stored = Counter(
        (event.event_type, event.source)
        for event, receipt in zip(events, receipts, strict=True)
        if receipt.status == NEW
    )
    for (kind, source), count in stored.items():
        INGEST_SUCCESS.labels(schema, EVENT_TYPES.of(schema, kind), SOURCES.of(schema, source)).inc(count)
    opened = Counter(
        (change.reason, change.now.severity)
        for change in writes.changes
        if change.is_breach_or_problem and change.now is not None
    )
    for (reason, severity), count in opened.items():
        SLA_BREACHES.labels(schema, reason, severity).inc(count)
    INGEST_SECONDS.labels(schema).observe(seconds)
    if stored:
        pulse.touch(schema)
