"""Holds: clocks stand still from `order_held` to the `order_released` of the same hold (CONTRACT 4)."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.holds import due_at, pauses_of
from orders.sla import Fact
from tests.orders.sla_cast import DAY, T0, at, created, fact, judged, started


def held(minute: float, hold: str = "") -> Fact:
    return fact("order_held", minute, hold_id=hold)


def released(minute: float, hold: str = "") -> Fact:
    return fact("order_released", minute, hold_id=hold)


HOLDS = [
    pytest.param([held(10, "a"), released(15, "a")], 35, id="one hold"),
    pytest.param([held(10), released(15)], 35, id="a hold without an id"),
    pytest.param([held(10, "a"), released(15, "a"), held(20, "a"), released(22, "a")], 37, id="the same hold twice"),
    pytest.param([held(10, "a"), released(15, "a"), held(20, "b"), released(22, "b")], 37, id="two holds"),
    pytest.param([held(10, "a"), held(12, "b"), released(14, "b"), released(20, "a")], 40, id="nested"),
    pytest.param([held(10, "a"), held(12, "b"), released(14, "a"), released(20, "b")], 40, id="overlapping"),
    pytest.param([held(10, "a"), released(15, "a"), held(15, "b"), released(20, "b")], 40, id="touching"),
    pytest.param([held(10, "a"), held(12, "a"), released(20, "a")], 40, id="held again while held"),
    pytest.param([held(10, "a"), released(20, "a"), released(25, "a")], 40, id="released twice"),
    pytest.param([released(10, "a")], 30, id="a lone release"),
    pytest.param([released(5, "a"), held(10, "a"), released(12, "a")], 32, id="a release before the hold"),
    pytest.param([held(10, "a"), released(10, "a")], 30, id="released at once"),
    pytest.param([held(-10, "a"), released(-5, "a")], 30, id="over before the start"),
    pytest.param([held(-10, "a"), released(0, "a")], 30, id="over at the start"),
    pytest.param([held(-10, "a"), released(5, "a")], 35, id="begun before the start"),
    pytest.param([held(29, "a"), released(60, "a")], 61, id="begun just before the due time"),
    pytest.param([held(30, "a"), released(60, "a")], 30, id="begun at the due time"),
    pytest.param([held(31, "a"), released(60, "a")], 30, id="begun after the due time"),
    pytest.param(
        [held(10, "a"), released(20, "a"), held(35, "b"), released(40, "b")], 45, id="before the moved due time"
    ),
    pytest.param([held(10, "a"), released(20, "a"), held(40, "b"), released(50, "b")], 40, id="at the moved due time"),
    pytest.param([held(10, "a")], None, id="open"),
    pytest.param([held(10, "a"), released(15, "b")], None, id="another hold's release"),
    pytest.param([held(10), released(15, "a")], None, id="a release of a named hold for one without a name"),
    pytest.param([held(-10, "a")], None, id="open since before the start"),
    pytest.param([held(10, "a"), held(12, "b"), released(20, "b")], None, id="open around a closed one"),
    pytest.param([held(30, "a")], 30, id="open, begun at the due time"),
    pytest.param([held(31, "a")], 30, id="open, begun after the due time"),
]


@pytest.mark.parametrize(("holds", "due"), HOLDS)
def test_hold_moves_the_due_time(holds: list[Fact], due: float | None) -> None:
    verdict = started("payment_processing", created(), *holds, now=20)
    assert verdict.due_at == (None if due is None else at(due))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([held(10, "a")], True),
        ([held(10, "a"), released(15, "a")], False),
        ([held(10, "a"), released(15, "b")], True),
        ([held(10, "a"), released(12, "a"), held(15, "a")], True),
        ([released(15, "a")], False),
        ([held(10, "a"), held(11, "b"), released(15, "a")], True),
        ([held(10, "a"), held(11, "b"), released(15, "b")], True),
        ([], False),
    ],
)
def test_order_is_held_while_any_hold_is_open(facts: list[Fact], expected: bool) -> None:
    assert judged(created(), *facts, now=20).held is expected


def test_open_hold_keeps_a_clock_from_breaching_and_from_being_judged() -> None:
    assert started("payment_processing", created(), held(10), now=400 * DAY)[3:] == (None, False, "", 1800, None)


def test_release_brings_the_clock_back() -> None:
    facts = [created(), held(10), released(DAY)]
    assert started("payment_processing", *facts, now=DAY + 20)[3:5] == (at(DAY + 20), False)
    assert started("payment_processing", *facts, now=DAY + 21)[3:5] == (at(DAY + 20), True)


def test_hold_after_the_due_time_takes_no_breach_back() -> None:
    assert started("payment_processing", created(), held(40), now=60)[3:5] == (at(30), True)


def test_hold_of_the_order_moves_each_clock_that_it_meets() -> None:
    stages = judged(created(), fact("payment_confirmed", 5), held(10), released(110), now=12).stages
    assert stages["inventory_check"].due_at == at(120)
    assert stages["order_fulfillment"].due_at == at(DAY + 100)


def test_promise_is_absolute() -> None:
    facts = [created(promise=at(60).isoformat()), held(10)]
    assert started("delivery", *facts, now=61)[3:5] == (at(60), True)


MINUTES = st.integers(min_value=-50, max_value=300)
STEPS = st.tuples(st.sampled_from(["order_held", "order_released"]), MINUTES, st.sampled_from(["", "a", "b"]))


def open_holds(facts: list[Fact], minute: int) -> bool:
    """Whether a hold covers the minute that begins here: told without intervals, one hold at a time."""
    for hold in facts:
        if hold.event_type != "order_held" or hold.effective_at > at(minute):
            continue
        ends = [
            fact.effective_at
            for fact in facts
            if fact.event_type == "order_released"
            and fact.detail == hold.detail
            and fact.effective_at >= hold.effective_at
        ]
        if not ends or min(ends) > at(minute):
            return True
    return False


def due_by_the_minute(facts: list[Fact], target: int) -> datetime | None:
    minute, counted = 0, 0
    while counted < target:
        if minute > 600:
            return None
        counted += not open_holds(facts, minute)
        minute += 1
    return at(minute)


@given(steps=st.lists(STEPS, max_size=8), target=st.integers(min_value=1, max_value=60))
def test_due_time_is_what_counting_minutes_gives(steps: list[tuple[str, int, str]], target: int) -> None:
    facts = [fact(kind, minute, hold_id=hold) for kind, minute, hold in steps]
    assert due_at(T0, target * 60, pauses_of(facts)) == due_by_the_minute(facts, target)


@given(steps=st.lists(STEPS, max_size=8), extra=st.tuples(MINUTES, st.integers(min_value=0, max_value=90)))
def test_more_pause_is_never_earlier(steps: list[tuple[str, int, str]], extra: tuple[int, int]) -> None:
    facts = [fact(kind, minute, hold_id=hold or "c") for kind, minute, hold in steps]
    since, length = extra
    more = [*facts, held(since, "extra"), released(since + length, "extra")]
    before, after = (due_at(T0, 1800, pauses_of(each)) for each in (facts, more))
    farthest = T0 + timedelta(days=9)
    assert (after or farthest) >= (before or farthest)


@given(start=MINUTES, parts=st.lists(st.integers(min_value=0, max_value=30), min_size=2, max_size=5))
def test_splitting_a_pause_changes_nothing(start: int, parts: list[int]) -> None:
    whole = [held(start, "a"), released(start + sum(parts), "a")]
    split, since = [], start
    for index, length in enumerate(parts):
        split += [held(since, f"p{index}"), released(since + length, f"p{index}")]
        since += length
    assert due_at(T0, 1800, pauses_of(split)) == due_at(T0, 1800, pauses_of(whole))
