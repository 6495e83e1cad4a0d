"""10,000 random due times and warning points agree with counting minute by minute."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

import pytest

from orders.deadlines import deadline_of
from orders.holds import Pause, union
from tenants.targets import Cutoff, Length, Warn
from tests.orders.minutes import Minutes, utc
from tests.tenants.calendar_cast import FORMS, calendar

BEGINS = {  # each of these spans of 110 days has a change of daylight saving, a skipped day, holidays, or a year's end
    "utc": "2026-11-01",
    "lisbon": "2026-02-20",
    "sao_paulo": "2017-09-20",
    "new_york": "2026-10-01",
    "kathmandu": "2026-09-01",
    "lord_howe": "2026-03-20",
    "night": "2026-09-25",
    "gap": "2026-02-25",
    "apia": "2011-11-10",
    "own": "2026-11-20",
}
DAYS = 110
CASES = 1_000


@cache
def minutes(place: str) -> Minutes:
    return Minutes(FORMS[place], utc(BEGINS[place]), DAYS)


def random_pauses(dice: random.Random, start: int) -> list[tuple[int, int | None]]:
    pauses: list[tuple[int, int | None]] = []
    for _ in range(dice.choice([0, 0, 1, 2, 3, 5])):
        begin = max(start + dice.randrange(-3000, 9000), 0)
        length = dice.choice([0, 1, 30, 600, 3000])
        pauses.append((begin, None if dice.random() < 0.05 else begin + dice.randrange(length + 1)))
    return pauses


def as_pauses(known: Minutes, pauses: Sequence[tuple[int, int | None]]) -> list[Pause]:
    def at(index: int) -> datetime:
        return known.since + timedelta(minutes=index)

    told = sorted((at(begin), at(end) if end is not None else None) for begin, end in pauses if end != begin)
    return union(Pause(*each) for each in sorted(told, key=lambda pair: pair[0]))


@pytest.mark.parametrize("place", sorted(BEGINS))
def test_due_times_are_what_counting_minutes_gives(place: str) -> None:
    dice, known, hours = random.Random(f"minutes of {place}"), minutes(place), calendar(place)
    compared = 0
    while compared < CASES:
        start = dice.randrange(2880, known.count * 2 // 3)
        began = known.since + timedelta(minutes=start)
        pauses = random_pauses(dice, start)
        if dice.random() < 0.3:
            cutoff, days = dice.choice([30, 8 * 60 + 15, 12 * 60, 14 * 60]), dice.choice([0, 0, 1, 3])
            closing = known.closing(start, cutoff, days)
            if closing is None or closing <= start:
                continue
            budget = known.opened(start, closing)
            target: Cutoff | Length = Cutoff((cutoff * 60,) * 7, days, "any", Warn(share=0.5))
        else:
            budget = dice.choice([1, 7, 90, 480, 1500, 3000])
            target = Length(budget * 60, "any", Warn(share=0.5))
        found = deadline_of(target, hours, began, None, pauses=as_pauses(known, pauses), detailed=())
        expected = known.due(start, budget, pauses)
        if expected is None and all(end is not None for _, end in pauses):
            continue  # beyond the months laid out
        compared += 1
        assert (found.due_at and known.index(found.due_at)) == expected, (began, target, pauses)
        assert found.target_seconds == budget * 60
        if budget % 2 == 0:
            risk = known.due(start, budget // 2, pauses)
            assert (found.at_risk_at and known.index(found.at_risk_at)) == risk, (began, target, pauses)
