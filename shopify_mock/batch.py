"""A batch of orders: which carry a problem, and where in time each life lies. Pure: same seed and base, same batch."""

from dataclasses import dataclass
from random import Random
from typing import Any

from shopify_mock.goods import make_goods, order_id_of
from shopify_mock.life import HOUR, MINUTE, PROBLEMS, Life, healthy, just_in_time, troubled

IMMINENT = 12  # deadlines that pass within two minutes of the base time
SOONEST, LATEST = 20, 110


@dataclass(frozen=True, slots=True)
class Happening:
    """`at`: whole seconds since the epoch, as Shopify's times are."""

    at: int
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """`problem`, `since`, `until` and `deadline` are the truth, which nothing that is sent ever names."""

    id: int
    number: int
    goods: dict[str, Any]
    happenings: tuple[Happening, ...]
    problem: str | None
    since: int | None
    until: int | None
    deadline: int | None


def make_batch(
    *, seed: int, base: int, count: int, first_number: int, problem_share: float, struck: int = 0
) -> list[PlannedOrder]:
    """`count` orders, numbered from `first_number` in the order in which they were created.

    `struck` of them, besides the share of problems, are held up within two hours by the same carrier on its way to Germany.
    """
    rng = Random(f"{seed}/{count}/{problem_share}")
    placed = [(created, rng.random(), life) for life, created in _placed(rng, base, count, problem_share, struck)]
    placed.sort(key=lambda item: item[:2])
    return [_planned(rng, first_number + index, life, created) for index, (created, _, life) in enumerate(placed)]


def _placed(rng: Random, base: int, count: int, problem_share: float, struck: int) -> list[tuple[Life, int]]:
    """Lives, each with the time of its creation."""
    troubles = round(count * problem_share)
    imminent = min(troubles, max(IMMINENT, troubles // 50))
    near = min(max(0, IMMINENT - imminent), count - troubles)
    problems = [PROBLEMS[index % len(PROBLEMS)] for index in range(troubles)]
    lives: list[tuple[Life, int]] = []
    for index, problem in enumerate(problems):
        life = troubled(rng, problem, silent=index < imminent)
        lives.append((life, _created_of_troubled(rng, life, base, imminent=index < imminent)))
    struck = min(struck, count - troubles - near)
    for index in range(count - troubles - struck):
        life = just_in_time(rng) if index < near else healthy(rng)
        lives.append((life, _created_of_healthy(rng, life, base)))
    for _ in range(struck):
        life = troubled(rng, "shipping_delay", silent=False)
        life.struck = True
        lives.append((life, base - life.since - rng.randint(3 * MINUTE, 2 * HOUR)))
    return lives


def _created_of_troubled(rng: Random, life: Life, base: int, *, imminent: bool) -> int:
    if imminent and life.deadline is not None:
        return base + rng.randint(SOONEST, LATEST) - life.deadline
    longest = 28 if life.problem == "delayed_fulfillment" else 8  # hours: some miss the day, not only the preparation
    return base - life.since - rng.randint(3 * MINUTE, longest * HOUR)


def _created_of_healthy(rng: Random, life: Life, base: int) -> int:
    """Most have ended lately; the rest are on their way, just begun, or about to be ordered."""
    if life.deadline is not None:
        return base + rng.randint(50, LATEST) - life.deadline
    chance = rng.random()
    if chance < 0.55:
        return base - life.length - rng.randint(MINUTE, 10 * HOUR)
    if chance < 0.85:
        return base - rng.randint(0, life.length)
    if chance < 0.95:
        return base - rng.randint(0, 30 * MINUTE)
    return base + rng.randint(5, 5 * MINUTE)


def _planned(rng: Random, number: int, life: Life, created: int) -> PlannedOrder:
    goods = make_goods(rng, number, parcels=life.parcels, promise=life.promise, struck=life.struck)
    steps = sorted(life.steps, key=lambda step: step.after)
    troubled_life = life.problem is not None
    return PlannedOrder(
        id=order_id_of(number),
        number=number,
        goods=goods,
        happenings=tuple(Happening(created + step.after, step.kind, step.data) for step in steps),
        problem=life.problem,
        since=created + life.since if troubled_life else None,
        until=created + life.until if life.until is not None else None,
        deadline=created + life.deadline if life.deadline is not None else None,
    )
