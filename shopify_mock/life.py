"""The lives of orders: what happens to one, and when, counted in seconds from its creation. Pure.

A happening's `kind`: created, paid, payment_pending, payment_failed, routed, held, released, address_changed, shipped,
moved, cancelled, refunded. `data` holds what the kind needs; ids are given later.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

MINUTE, HOUR = 60, 3600
PAYMENT_TARGET, STOCK_TARGET, PREPARATION_TARGET, FULFILLMENT_TARGET = 30 * MINUTE, 15 * MINUTE, 4 * HOUR, 24 * HOUR
PROBLEMS = ("delayed_fulfillment", "inventory_shortage", "shipping_delay", "payment_issue", "address_validation")
CURED_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Step:
    after: int
    kind: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Life:
    """`deadline`: the first deadline that passes without what it waits for. All in seconds after creation."""

    promise: int
    parcels: int
    steps: list[Step] = field(default_factory=list)
    problem: str | None = None
    since: int = 0
    until: int | None = None
    deadline: int | None = None
    struck: bool = False  # by the trouble that many share: one carrier on its way to one country

    def add(self, after: int, kind: str, **data: Any) -> int:
        self.steps.append(Step(after, kind, data))
        return after

    @property
    def length(self) -> int:
        return max(step.after for step in self.steps)


def _begin(rng: Random) -> Life:
    life = Life(promise=rng.randint(44, 56) * HOUR, parcels=2 if rng.random() < 0.08 else 1)
    life.add(0, "created")
    return life


def _pay(life: Life, rng: Random, at: int | None = None) -> int:
    if at is None and rng.random() < 0.75:
        return life.add(rng.randint(2, 40), "paid", slow=False)
    if at is None:
        life.add(1, "payment_pending")
        at = rng.randint(2 * MINUTE, 22 * MINUTE)
    return life.add(at, "paid", slow=True)


def _route(life: Life, rng: Random, paid: int) -> int:
    return life.add(paid + rng.randint(15, 9 * MINUTE), "routed")


def ship(life: Life, rng: Random, ready: int, *, late: int = 0) -> int:
    """Every parcel handed over and its label printed; gives the time of the last."""
    at = ready + (late or rng.randint(25 * MINUTE, int(3.2 * HOUR)))
    for parcel in range(life.parcels):
        life.add(at, "shipped", parcel=parcel)
        life.add(at, "moved", parcel=parcel, status="label_printed")
        if parcel + 1 < life.parcels:
            at += rng.randint(10 * MINUTE, 2 * HOUR)
    return at


def carry(life: Life, rng: Random, shipped: int, *, until: str = "delivered") -> int:
    """The carrier's scans, parcel by parcel, as far as `until`; gives the time of the last."""
    gaps = (
        ("in_transit", 1 * HOUR, 4 * HOUR),
        ("out_for_delivery", 8 * HOUR, 18 * HOUR),
        ("delivered", HOUR, 5 * HOUR),
    )
    last = shipped
    for parcel in range(life.parcels):
        at = shipped
        for status, least, most in gaps:
            at += rng.randint(least, most)
            life.add(at, "moved", parcel=parcel, status=status)
            if status == until:
                break
        last = max(last, at)
    return last


def healthy(rng: Random) -> Life:
    life = _begin(rng)
    paid = _pay(life, rng)
    if rng.random() < 0.03:
        gone = life.add(paid + rng.randint(10, 40), "cancelled", reason="customer")
        life.add(gone + 1, "refunded")
        return life
    carry(life, rng, ship(life, rng, _route(life, rng, paid)))
    return life


def just_in_time(rng: Random) -> Life:
    """Healthy, but its payment comes half a minute before it would be late."""
    life = _begin(rng)
    life.add(1, "payment_pending")
    paid = _pay(life, rng, PAYMENT_TARGET - rng.randint(25, 35))
    carry(life, rng, ship(life, rng, _route(life, rng, paid)))
    life.deadline = PAYMENT_TARGET
    return life


def troubled(rng: Random, problem: str, *, silent: bool = False) -> Life:
    """A life with this problem; a silent one shows by a deadline that passes and by nothing else, and is not cured."""
    life = _begin(rng)
    life.problem = problem
    cured = not silent and rng.random() < CURED_SHARE
    MAKERS[problem](life, rng, silent, cured)
    return life


def _payment_issue(life: Life, rng: Random, silent: bool, cured: bool) -> None:
    life.deadline = PAYMENT_TARGET
    if silent or rng.random() < 0.5:
        life.add(1, "payment_pending")
        life.since = PAYMENT_TARGET
    else:
        life.since = life.add(rng.randint(3, 40), "payment_failed")
    if cured:
        life.until = _pay(life, rng, rng.randint(45 * MINUTE, 3 * HOUR))
        carry(life, rng, ship(life, rng, _route(life, rng, life.until)))
    elif not silent and rng.random() < 0.2:
        life.until = life.add(rng.randint(6 * HOUR, 12 * HOUR), "cancelled", reason="declined")


def _inventory_shortage(life: Life, rng: Random, silent: bool, cured: bool) -> None:
    paid = _pay(life, rng)
    if silent or rng.random() < 0.35:
        life.since = life.deadline = paid + STOCK_TARGET
        if cured:
            life.until = life.add(life.since + rng.randint(HOUR, 4 * HOUR), "routed")
            carry(life, rng, ship(life, rng, life.until))
        return
    routed = _route(life, rng, paid)
    life.since = life.add(routed + rng.randint(10 * MINUTE, 90 * MINUTE), "held", reason="INVENTORY_OUT_OF_STOCK")
    if cured:
        life.until = life.add(life.since + rng.randint(HOUR, 5 * HOUR), "released")
        carry(life, rng, ship(life, rng, life.until, late=rng.randint(10 * MINUTE, 2 * HOUR)))


def _address_validation(life: Life, rng: Random, silent: bool, cured: bool) -> None:
    routed = _route(life, rng, _pay(life, rng))
    life.since = life.add(routed + rng.randint(5 * MINUTE, HOUR), "held", reason="INCORRECT_ADDRESS")
    life.deadline = life.promise
    if cured:
        life.deadline = None
        fixed = life.add(life.since + rng.randint(HOUR, 6 * HOUR), "address_changed")
        life.until = life.add(fixed + 20, "released")
        carry(life, rng, ship(life, rng, life.until, late=rng.randint(10 * MINUTE, 2 * HOUR)))


def _delayed_fulfillment(life: Life, rng: Random, silent: bool, cured: bool) -> None:
    routed = _route(life, rng, _pay(life, rng))
    life.since = routed + PREPARATION_TARGET
    life.deadline = rng.choice((life.since, FULFILLMENT_TARGET))
    if cured:
        life.until = ship(life, rng, 0, late=rng.randint(25 * HOUR, 30 * HOUR))
        carry(life, rng, life.until)


def _shipping_delay(life: Life, rng: Random, silent: bool, cured: bool) -> None:
    way = 2 if silent else rng.randrange(3)
    shipped = ship(life, rng, _route(life, rng, _pay(life, rng)))
    if way == 1:
        out = carry(life, rng, shipped, until="out_for_delivery")
        tried = life.add(out + rng.randint(HOUR, 4 * HOUR), "moved", parcel=0, status="attempted_delivery")
        life.since = life.add(tried + rng.randint(HOUR, 3 * HOUR), "moved", parcel=0, status="failure")
    else:
        moving = carry(life, rng, shipped, until="in_transit")
        life.since = life.deadline = life.promise
        if way == 0:
            life.since = life.add(moving + rng.randint(3 * HOUR, 12 * HOUR), "moved", parcel=0, status="delayed")
    if cured:
        back = max(life.since, shipped) + rng.randint(3 * HOUR, 9 * HOUR)
        for parcel in range(life.parcels):
            life.add(back, "moved", parcel=parcel, status="out_for_delivery")
            life.until = life.add(back + 2 * HOUR, "moved", parcel=parcel, status="delivered")


MAKERS = {
    "payment_issue": _payment_issue,
    "inventory_shortage": _inventory_shortage,
    "address_validation": _address_validation,
    "delayed_fulfillment": _delayed_fulfillment,
    "shipping_delay": _shipping_delay,
}
