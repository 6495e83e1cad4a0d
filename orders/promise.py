"""The promised times that an order carries, stated and changed by its events (CONTRACT 4). Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from orders.carried import statements
from orders.facts import Fact
from tenants.targets import PromiseKey

DETAIL_KEYS: dict[PromiseKey, str] = {
    "promised_delivery_at": "promise",
    "fulfil_by": "fulfil_by",
    "delivery_window": "window_until",
}
PROMISE_KEYS = frozenset(DETAIL_KEYS.values())


class Promised(NamedTuple):
    """The order's columns of these names: the promises that count."""

    promised_at: datetime | None = None
    fulfil_by: datetime | None = None
    window_from: datetime | None = None
    window_until: datetime | None = None


NOT_PROMISED = Promised()


def promised_of(detailed: Sequence[Fact], *, fulfilled_at: datetime | None, arrived_at: datetime | None) -> Promised:
    """`fulfilled_at`, `arrived_at`: when the stages ended that the promises are for, if they did."""
    if not any(fact.detail and not fact.detail.keys().isdisjoint(PROMISE_KEYS) for fact in detailed):
        return NOT_PROMISED
    windows = statements(detailed, "window_from")
    return Promised(
        promise_of(detailed, arrived_at),
        promise_of(detailed, fulfilled_at, "fulfil_by"),
        stated(windows[-1], "window_from") if windows else None,
        promise_of(detailed, arrived_at, "delivery_window"),
    )


def promise_of(
    detailed: Iterable[Fact], ended_at: datetime | None, key: PromiseKey = "promised_delivery_at"
) -> datetime | None:
    """The promise that counts. `ended_at`: when the stage that it is for ended, if it did.

    The first statement sets it. A later one counts if it was made before the end and before the promise then standing
    had passed; one of None withdraws it.
    """
    name = DETAIL_KEYS[key]
    made = statements(detailed, name)
    if not made:
        return None
    promise = stated(made[0], name)
    for fact in made[1:]:
        at = fact.effective_at
        if (ended_at is None or at < ended_at) and (promise is None or at <= promise):
            promise = stated(fact, name)
    return promise


def stated(fact: Fact, name: str) -> datetime | None:
    value = fact.detail and fact.detail[name]
    return datetime.fromisoformat(value) if value else None
