"""How an order's life goes on after somebody acted on it: what happens at once, and what lies ahead. Pure.

`pace` is how many seconds the shop's people, its warehouse and its customers take for what they do next.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from shopify_mock.batch import Happening
from shopify_mock.life import Life, carry, ship
from shopify_mock.view import View

CANCELLING_SECONDS = 2
OUT_OF_STOCK, WRONG_ADDRESS = "INVENTORY_OUT_OF_STOCK", "INCORRECT_ADDRESS"
RESTOCKED_SHARE = 0.6  # of the orders released for want of stock: it has come in, the others are held again
ANSWERING_SHARE = 0.85  # of the customers who are written to


@dataclass(frozen=True, slots=True)
class Course:
    """`ahead` None: as it was planned. `until`: when the order's problem ends by it, if it does."""

    now: tuple[Happening, ...]
    ahead: tuple[Happening, ...] | None = None
    until: int | None = None


def told(kind: str, at: int, **data: Any) -> Course:
    """Something is written down, and all else stays as planned."""
    return Course((Happening(at, kind, data),))


def held(at: int, data: Mapping[str, Any]) -> Course:
    """Nobody ships what is held."""
    return Course((Happening(at, "held", dict(data)),), ())


def released(
    found: View, past: Sequence[Happening], holds: Sequence[str], *, at: int, rng: Random, pace: float
) -> Course:
    """The order goes on, unless another hold is left, or what it was held for is still so: then it is held again."""
    open_holds = found.fulfillment_orders[0]["fulfillment_holds"]
    if {hold["id"] for hold in open_holds} - set(holds):
        return Course((Happening(at, "released_part", {"holds": list(holds)}),))
    first = Happening(at, "released", {"holds": list(holds)})
    reasons = {hold["reason"] for hold in open_holds}
    trouble = still_wrong(reasons, past, rng)
    if trouble:
        return Course((first,), (Happening(at + round(pace), "held", {"reason": trouble}),))
    return Course((first,), shipping(found.goods, at, rng, pace), at)


def still_wrong(reasons: Iterable[str], past: Sequence[Happening], rng: Random) -> str:
    """The reason for which it will be held again; empty if it can be shipped."""
    if WRONG_ADDRESS in reasons and "address_changed" not in since_hold(past, WRONG_ADDRESS):
        return WRONG_ADDRESS
    elsewhere = "relocated" in since_hold(past, OUT_OF_STOCK)
    if OUT_OF_STOCK in reasons and not elsewhere and rng.random() >= RESTOCKED_SHARE:
        return OUT_OF_STOCK
    return ""


def since_hold(past: Sequence[Happening], reason: str) -> set[str]:
    """The kinds of what happened since the order was last held for this reason."""
    kinds: set[str] = set()
    for step in past:
        kinds = set() if step.kind == "held" and step.data["reason"] == reason else kinds | {step.kind}
    return kinds


def shipping(goods: Mapping[str, Any], at: int, rng: Random, pace: float, *, after: float = 0) -> tuple[Happening, ...]:
    """Packed, handed over and carried; `after` seconds from `at`."""
    life = Life(promise=int(goods["promise"]), parcels=int(goods["parcels"]))
    carry(life, rng, ship(life, rng, 0, late=max(1, round(after + pace * rng.uniform(0.5, 1.5)))))
    steps = sorted(life.steps, key=lambda step: step.after)
    return tuple(Happening(at + step.after, step.kind, step.data) for step in steps)


def cancelled(found: View, *, at: int, reason: str, refund: bool, note: str) -> Course:
    """In a moment, and for good."""
    gone = at + CANCELLING_SECONDS
    ahead = [Happening(gone, "cancelled", {"reason": reason.lower()})]
    if refund and found.order["financial_status"] in ("paid", "partially_refunded"):
        ahead.append(Happening(gone + 1, "refunded", {"note": note}))
    return Course((), tuple(ahead), gone)


def answer_to_mail(
    found: View, past: Sequence[Happening], ahead: Sequence[Happening], *, at: int, rng: Random, pace: float
) -> Course | None:
    """What a customer does who is written to about an order: pays what is open, mends the address; else nothing."""
    kinds = {step.kind for step in ahead}
    if found.order["cancelled_at"] or "cancelled" in kinds or rng.random() >= ANSWERING_SHARE:
        return None
    then = at + max(1, round(pace * rng.uniform(0.5, 1.5)))
    if found.order["financial_status"] == "pending" and "paid" not in kinds:
        first = (Happening(then, "paid", {"slow": True}), Happening(then + 20, "routed", {}))
        return Course((), first + shipping(found.goods, then + 20, rng, pace), then)
    reasons = {hold["reason"] for routed in found.fulfillment_orders for hold in routed["fulfillment_holds"]}
    if reasons == {WRONG_ADDRESS} and "released" not in kinds:
        first = (Happening(then, "address_changed", {}), Happening(then + 5, "released", {}))
        return Course((), first + shipping(found.goods, then + 5, rng, pace), then + 5)
    return None
