"""The clauses of the contract on stages and problems, read word for word and counted minute by minute. Slow on purpose.

It shares no code with `orders`, so that the two can be held against each other. Times are whole minutes, no two events at
the same one, and each hold is begun and ended at most once: what the clauses say of ties has tests of its own.
"""

import random
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

NEVER = 10**9
LONGEST = 20 * 24 * 60


class Said(NamedTuple):
    """An event: what, at which minute, and its detail. A retraction names the place of its event in the list, `of`."""

    kind: str
    minute: int
    detail: dict[str, Any]


class Stage(NamedTuple):
    state: str
    started: int | None = None
    ended: int | None = None
    due: int | None = None
    breached: bool = False


class Read(NamedTuple):
    """`problems`: those that are active."""

    stages: dict[str, Stage]
    problems: set[str]
    status: str
    cancelled: bool


STAGES: dict[str, tuple[str, Sequence[str], Sequence[str], int | None]] = {  # starts, ends, shown past by, minutes
    "payment_processing": ("order_created", ["payment_confirmed"], [], 30),
    "inventory_check": (
        "payment_confirmed",
        ["inventory_allocated"],
        ["order_packed", "order_fulfilled", "order_delivered"],
        15,
    ),
    "shipping_preparation": ("inventory_allocated", ["order_packed"], ["order_fulfilled", "order_delivered"], 4 * 60),
    "order_fulfillment": ("order_created", ["order_fulfilled"], ["order_delivered"], 24 * 60),
    "delivery": ("order_created", ["order_delivered", "order_returned"], [], None),
}
PROBLEMS = {
    "payment_failed": ("PAYMENT_FAILED", ["payment_confirmed"]),
    "inventory_shortage": (
        "INVENTORY_SHORTAGE",
        ["inventory_allocated", "order_packed", "order_fulfilled", "order_delivered"],
    ),
    "shipment_delayed": ("SHIPPING_DELAY", ["shipment_in_transit", "order_delivered"]),
    "delivery_failed": ("DELIVERY_FAILED", ["order_delivered", "order_returned"]),
    "address_invalid": ("ADDRESS_INVALID", ["address_corrected", "order_delivered"]),
}
FURTHEST = {
    "order_created": "CREATED",
    "payment_confirmed": "PAID",
    "inventory_allocated": "ALLOCATED",
    "order_packed": "PACKED",
    "order_fulfilled": "FULFILLED",
    "order_delivered": "DELIVERED",
    "order_returned": "RETURNED",
}
OTHERS = [
    *("shipment_in_transit", "address_corrected", "order_updated", "order_cancelled", "order_refunded"),
    *("order_held", "order_released", "event_retracted"),
]
KINDS = ["order_created", "order_created", *FURTHEST, *PROBLEMS, *OTHERS]


def random_course(dice: random.Random) -> list[Said]:
    span = dice.choice([60, 400, 3_000, 6_000])
    said: list[Said] = []
    for minute in dice.sample(range(span), dice.randrange(1, 11)):
        kind = dice.choice(KINDS)
        detail = random_detail(dice, kind, span, [place for place, one in enumerate(said) if one.kind != kind])
        held = (kind, detail.get("hold_id"))
        if "hold_id" not in detail or held not in [(one.kind, one.detail.get("hold_id")) for one in said]:
            said.append(Said(kind, minute, detail))
    return said


def random_detail(dice: random.Random, kind: str, span: int, places: Sequence[int]) -> dict[str, Any]:
    match kind:
        case "order_created" | "order_updated" if dice.random() < 0.5:
            return {"promise": dice.choice([None, dice.randrange(1, 2 * span)])}
        case "order_held" | "order_released":
            return {"hold_id": f"h{dice.randrange(3)}"}
        case "order_refunded":
            return {"full": dice.random() < 0.6}
        case "event_retracted":
            return {"of": dice.choice(places)} if places else {}
        case _:
            return {}


def read(course: Sequence[Said], now: int) -> Read:
    gone = {one.detail.get("of") for one in course if one.kind == "event_retracted"}
    facts = [one for place, one in enumerate(course) if place not in gone]
    cancelled = cancelled_at(facts)
    holds = [(one.minute, release_of(facts, one)) for one in facts if one.kind == "order_held"]
    active = {reason for kind, (reason, cures) in PROBLEMS.items() if last(facts, [kind]) > last(facts, cures)}
    reached = [status for kind, status in FURTHEST.items() if first(facts, [kind]) is not None]
    status = reached[-1] if reached else ""
    if cancelled is not None and first(facts, ["order_delivered"]) is None:
        status = "CANCELLED"
    stages = {name: stage_of(facts, name, cancelled, holds, now) for name in STAGES}
    return Read(stages, active, status, cancelled is not None)


def first(facts: Iterable[Said], kinds: Sequence[str]) -> int | None:
    return min((one.minute for one in facts if one.kind in kinds), default=None)


def last(facts: Iterable[Said], kinds: Sequence[str]) -> int:
    return max((one.minute for one in facts if one.kind in kinds), default=-1)


def cancelled_at(facts: Sequence[Said]) -> int | None:
    """A full refund before the shipping counts; who got the goods had them shipped, nobody knows when."""
    shipped, arrived = first(facts, ["order_fulfilled"]), first(facts, ["order_delivered"])
    before = shipped if shipped is not None else -1 if arrived is not None else NEVER
    refunded = [one for one in facts if one.kind == "order_refunded" and one.detail["full"] and one.minute < before]
    return first(
        [one for one in facts if one.kind == "order_cancelled"] + refunded, ["order_cancelled", "order_refunded"]
    )


def release_of(facts: Sequence[Said], hold: Said) -> int:
    same = [one for one in facts if one.detail.get("hold_id") == hold.detail["hold_id"] and one.minute > hold.minute]
    released = first(same, ["order_released"])
    return NEVER if released is None else released


def stage_of(
    facts: Sequence[Said], name: str, cancelled: int | None, holds: Sequence[tuple[int, int]], now: int
) -> Stage:
    starts, ends, shows, minutes = STAGES[name]
    start, own, shown = first(facts, [starts]), first(facts, ends), first(facts, shows)
    if start is None or (cancelled is not None and start > cancelled):
        past = own is not None or shown is not None
        return Stage("CANCELLED" if cancelled is not None else "SKIPPED" if past else "PENDING")
    if own is None and shown is not None and shown < start:
        return Stage("SKIPPED")
    end = own if own is not None else shown
    end = None if end is None else max(end, start)
    state = "RUNNING" if end is None else "COMPLETED"
    if cancelled is not None and (end is None or end > cancelled):
        state, end = "CANCELLED", cancelled
    due = promise_of(facts, end) if minutes is None else counted(start, minutes, holds)
    return Stage(state, start, end, due, due is not None and due < (now if end is None else end))


def counted(start: int, minutes: int, holds: Sequence[tuple[int, int]]) -> int | None:
    """The minute at which so many have passed outside every hold; None while that cannot be said."""
    for minute in range(start, start + LONGEST):
        if not minutes:
            return minute
        minutes -= not any(begun <= minute < ended for begun, ended in holds)
    return None


def promise_of(facts: Sequence[Said], end: int | None) -> int | None:
    given = [one for one in facts if one.kind in ("order_created", "order_updated") and "promise" in one.detail]
    promise: int | None = None
    for place, one in enumerate(sorted(given, key=lambda one: one.minute)):
        passed = promise is not None and one.minute > promise
        over = place > 0 and end is not None and one.minute >= end
        if not passed and not over:
            promise = one.detail["promise"]
    return promise
