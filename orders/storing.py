"""Storing events: once each, sorted, with their orders; what was there before is told from what is new (DESIGN: the way of an event).

The caller holds the transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from orders.deadletters import Letter
from orders.events import Incoming
from orders.facts import FULFILLED
from orders.judge import Connection, as_json
from orders.statements import Statements

NEW, DUPLICATE, CONFLICT = "processed", "duplicate", "conflict"
TAKEN = "This identity is already taken by an event with other content; the first one stands. Send a new event_id."
Identity = tuple[str, str]


@dataclass(slots=True)
class Receipt:
    """What became of one event: `processed`, `duplicate`, or `conflict` (kept as a dead letter)."""

    event_id: str
    order_id: str
    status: str
    exceptions: list[int] = field(default_factory=list)  # opened or reopened by it; of a batch, by the batch


def unique_events(events: Sequence[Incoming]) -> dict[Identity, Incoming]:
    """The first of each identity, sorted by it: concurrent batches then wait for each other instead of deadlocking."""
    first: dict[Identity, Incoming] = {}
    for event in events:
        first.setdefault(event.identity, event)
    return dict(sorted(first.items()))


def find_orders(connection: Connection, texts: Statements, events: Sequence[Incoming]) -> None:
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


def order_keys(batch: Iterable[Incoming]) -> str:
    keys = sorted({(event.merchant, event.order_id) for event in batch if event.order_id})
    return as_json([{"m": merchant, "o": order} for merchant, order in keys])


def events_json(batch: Sequence[Incoming]) -> str:
    """The rows of INSERT_EVENTS, the payloads' own text among them."""
    return as_json(
        [
            {
                "source": event.source,
                "event_id": event.event_id,
                "event_type": event.event_type,
                "merchant": event.merchant,
                "order_ref": event.order_id,
                "tracking": event.tracking_number,
                "occurred_at": event.occurred_at,
                "detail": detail_with_numbers(event),
                "hash": event.content_hash.hex(),
                "correlation_id": event.correlation_id,
                "payload": msgspec.Raw(event.payload),
            }
            for event in batch
        ]
    )


def detail_with_numbers(event: Incoming) -> dict[str, Any] | None:
    """A fulfilment keeps its parcels' tracking numbers: by them the fold knows a parcel that another source calls otherwise."""
    if not event.parcels or event.event_type != FULFILLED:
        return event.detail
    numbers = sorted({number for shipment, _, number in event.parcels if shipment})
    return {**(event.detail or {}), "numbers": numbers} if numbers else event.detail


def receipts_of(
    connection: Connection,
    texts: Statements,
    events: Sequence[Incoming],
    batch: Mapping[Identity, Incoming],
    fresh: Mapping[Identity, int],
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


def conflict_letters(events: Sequence[Incoming], receipts: Sequence[Receipt]) -> list[Letter]:
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


def write_parcels(
    connection: Connection,
    texts: Statements,
    batch: Mapping[Identity, Incoming],
    fresh: Mapping[Identity, int],
) -> None:
    rows = [
        {
            "m": batch[identity].merchant,
            "o": batch[identity].order_id,
            "shipment": shipment,
            "carrier": carrier,
            "number": number,
        }
        for identity in fresh
        for shipment, carrier, number in batch[identity].parcels
    ]
    if rows:
        connection.execute(texts.write_parcels, {"parcels": as_json(rows)})
