"""The webhooks of a batch: when each goes out, and what the chaos settings do to them. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

from shopify_mock.batch import Happening, PlannedOrder
from shopify_mock.config import Settings
from shopify_mock.webhooks import event_id_of, topics_of, webhook_id_of


@dataclass(frozen=True, slots=True)
class Delivery:
    """`copy` is 1 for the second sending of a doubled webhook: same event id, another webhook id."""

    order_id: int
    sequence: int
    topic: str
    event_id: str
    webhook_id: str
    triggered_at: int
    due_at: float
    state: str = "planned"
    copy: int = 0


class Placed(NamedTuple):
    """A happening at its place in its order's life."""

    sequence: int
    happening: Happening
    event_id: str


def plan_deliveries(
    orders: Sequence[PlannedOrder], *, seed: int, now: float, delay: float, settings: Settings
) -> list[Delivery]:
    """Past happenings are due now, in their order; later ones `delay` seconds after they happen."""
    rng = Random(f"chaos/{seed}")
    plain = sorted(
        (delivery for order in orders for delivery in _of_order(order, now, delay)),
        key=lambda found: (found.triggered_at, found.order_id, found.sequence),
    )
    doubled = (copy for found in plain for copy in _doubled(rng, found, settings))
    return _shuffled(rng, [_troubled(rng, found, settings) for found in doubled], now, settings)


def plan_more(
    order_id: int,
    parcels: int,
    placed: Iterable[Placed],
    *,
    rng: Random,
    now: float,
    delay: float,
    settings: Settings,
) -> list[Delivery]:
    """The webhooks of what is added to a life that goes on: late, lost and doubled like any other."""
    plain = [found for item in placed for found in _of_happening(order_id, parcels, item, now, delay)]
    return [_troubled(rng, copy, settings) for found in plain for copy in _doubled(rng, found, settings)]


def _of_order(order: PlannedOrder, now: float, delay: float) -> Iterator[Delivery]:
    for sequence, happening in enumerate(order.happenings):
        placed = Placed(sequence, happening, event_id_of(order.id, sequence))
        yield from _of_happening(order.id, order.goods["parcels"], placed, now, delay)


def _of_happening(order_id: int, parcels: int, placed: Placed, now: float, delay: float) -> Iterator[Delivery]:
    sequence, happening, event_id = placed
    for topic in topics_of(happening, parcels):
        webhook_id = webhook_id_of(event_id, topic, 0)
        due = max(now, happening.at + delay)
        yield Delivery(order_id, sequence, topic, event_id, webhook_id, happening.at, due)


def _doubled(rng: Random, found: Delivery, settings: Settings) -> list[Delivery]:
    if rng.random() >= settings.double:
        return [found]
    return [found, replace(found, webhook_id=webhook_id_of(found.event_id, found.topic, 1), copy=1)]


def _troubled(rng: Random, found: Delivery, settings: Settings) -> Delivery:
    if rng.random() < settings.drop:
        return replace(found, state="dropped")
    if rng.random() < settings.delay:
        return replace(found, due_at=found.due_at + rng.uniform(0.2, 1) * settings.delay_seconds)
    return found


def _shuffled(rng: Random, found: list[Delivery], now: float, settings: Settings) -> list[Delivery]:
    """A share of what is due now changes places; what happens later never goes out before it happened."""
    places = [i for i, item in enumerate(found) if item.due_at <= now and rng.random() < settings.reorder]
    moved = list(places)
    rng.shuffle(moved)
    result = list(found)
    for place, source in zip(places, moved, strict=True):
        result[place] = found[source]
    return [
        replace(item, due_at=item.due_at + rng.uniform(0, 20))
        if item.due_at > now and rng.random() < settings.reorder
        else item
        for item in result
    ]
