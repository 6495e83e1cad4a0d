"""The facts of an order, looked up, not walked: the earliest instant of each type (CONTRACT 4). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

CREATED, UPDATED, CANCELLED = "order_created", "order_updated", "order_cancelled"
HELD, RELEASED, REFUNDED, RETRACTED = "order_held", "order_released", "order_refunded", "event_retracted"
PAID, ALLOCATED, PACKED = "payment_confirmed", "inventory_allocated", "order_packed"
FULFILLED, DELIVERED, RETURNED = "order_fulfilled", "order_delivered", "order_returned"

HISTORY_AGE = timedelta(hours=72)
HISTORY_SETTLE_SECONDS = 60


class Fact(NamedTuple):
    """An event as the fold sees it. `detail`: the keys that `orders.detail.detail_of` makes, or None."""

    source: str
    event_id: str
    event_type: str
    effective_at: datetime
    received_at: datetime
    detail: Mapping[str, Any] | None = None


class Course(NamedTuple):
    """What the facts come to. `moments`: event type → instant, that of fulfilment and delivery over all parcels."""

    facts: Sequence[Fact]  # those that no retraction took back
    moments: Mapping[str, datetime]
    began_at: datetime | None
    cancelled_at: datetime | None
    contradiction: str
    detailed: Sequence[Fact]  # the facts with a detail


def course_of(facts: Sequence[Fact]) -> Course:
    moments, detailed = first_moments(facts)
    if RETRACTED in moments:
        facts = standing(facts)
        moments, detailed = first_moments(facts)
    began_at = moments.get(CREATED) or min(moments.values(), default=None)
    arrived_at = moments.get(DELIVERED)
    if detailed:
        consider_parcels(moments, facts, detailed)
    cancelled_at = moments.get(CANCELLED)
    if REFUNDED in moments:
        cancelled_at = with_refunds(cancelled_at, moments, arrived_at, detailed)
    contradiction = ""
    if cancelled_at is not None and arrived_at is not None and (moments.get(DELIVERED) or arrived_at) > cancelled_at:
        contradiction = "Delivered after it was cancelled."
    return Course(facts, moments, began_at, cancelled_at, contradiction, detailed)


def first_moments(facts: Iterable[Fact]) -> tuple[dict[str, datetime], list[Fact]]:
    """The earliest instant of each type, and the facts with a detail."""
    moments: dict[str, datetime] = {}
    detailed = []
    for fact in facts:
        _, _, kind, at, _, detail = fact
        known = moments.get(kind)
        if known is None or at < known:
            moments[kind] = at
        if detail:
            detailed.append(fact)
    return moments, detailed


def standing(facts: Iterable[Fact]) -> list[Fact]:
    """The facts that no valid retraction names. The latest is heard first; one retracted is void.

    A source retracts its own events; E²A, for a person, those of any source (`of`, which no sender's payload can set).
    """
    facts = list(facts)
    retractions = sorted(
        (fact for fact in facts if fact.event_type == RETRACTED and fact.detail), key=rank, reverse=True
    )
    gone: set[tuple[str, Any]] = set()
    for fact in retractions:
        if (fact.source, fact.event_id) not in gone and fact.detail:
            gone.add((fact.detail.get("of", fact.source), fact.detail.get("retracts")))
    return [fact for fact in facts if (fact.source, fact.event_id) not in gone]


def rank(fact: Fact) -> tuple[datetime, str, str]:
    """Breaks every tie, never by arrival."""
    return fact.effective_at, fact.source, fact.event_id


def consider_parcels(moments: dict[str, datetime], facts: Iterable[Fact], detailed: Iterable[Fact]) -> None:
    """An order of several parcels is fulfilled and delivered with the last, unless a fact speaks of the whole order."""
    if not any(fact.event_type in (FULFILLED, DELIVERED) and shipment_of(fact) for fact in detailed):
        return
    names = parcel_names(detailed)
    firsts: dict[str, dict[str, datetime]] = {FULFILLED: {}, DELIVERED: {}}
    for fact in facts:
        if fact.event_type in firsts:
            of_type, shipment = firsts[fact.event_type], shipment_of(fact)
            parcel = names.get(shipment, shipment)
            of_type[parcel] = min(fact.effective_at, of_type.get(parcel, fact.effective_at))
    fulfilled, delivered = firsts[FULFILLED], firsts[DELIVERED]
    if fulfilled:
        moments[FULFILLED] = fulfilled.get("") or max(fulfilled.values())
    if delivered and "" in delivered:
        moments[DELIVERED] = delivered[""]
    elif delivered and delivered.keys() >= fulfilled.keys() - {""}:
        moments[DELIVERED] = max(delivered.values())
    else:
        moments.pop(DELIVERED, None)


def parcel_names(detailed: Iterable[Fact]) -> dict[str, str]:
    """Shipment or tracking number → one name of the parcel.

    A shop and its warehouse name a parcel each in their own way; by the tracking number that both tell it is one.
    """
    groups: list[set[str]] = []
    for fact in detailed:
        if fact.event_type == FULFILLED and (numbers := fact.detail and fact.detail.get("numbers")):
            names = {shipment_of(fact), *numbers}
            same = [group for group in groups if group & names]
            groups = [group for group in groups if not group & names] + [names.union(*same)]
    return {name: min(group) for group in groups for name in group}


def shipment_of(fact: Fact) -> str:
    return (fact.detail and fact.detail.get("shipment")) or ""


def with_refunds(
    cancelled_at: datetime | None,
    moments: Mapping[str, datetime],
    arrived_at: datetime | None,
    detailed: Iterable[Fact],
) -> datetime | None:
    """A full refund before the shipping acts as a cancelling. `arrived_at`: of the first parcel."""
    fulfilled_at = moments.get(FULFILLED)
    if fulfilled_at is None and arrived_at is not None:
        return cancelled_at
    refunds = [
        fact.effective_at
        for fact in detailed
        if fact.event_type == REFUNDED
        and fact.detail
        and fact.detail.get("full")
        and (fulfilled_at is None or fact.effective_at < fulfilled_at)
    ]
    return min([*refunds, cancelled_at] if cancelled_at is not None else refunds, default=None)


def settled_at(facts: Iterable[Fact], settle: Mapping[str, int] | None) -> datetime | None:
    """When the last source may be believed to have told all; None when nothing needs to be waited for.

    `settle`: source → seconds after a receipt; None: every source has settled. History settles 60 seconds.
    """
    if settle is None:
        return None
    latest: datetime | None = None
    for source, _, _, at, received, _ in facts:
        seconds = settle.get(source, 0) if settle else 0
        if seconds < HISTORY_SETTLE_SECONDS and received - at > HISTORY_AGE:
            seconds = HISTORY_SETTLE_SECONDS
        if seconds:
            until = received + timedelta(seconds=seconds)
            if latest is None or until > latest:
                latest = until
    return latest
