"""What holds for any target, calendar and pauses."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from orders.deadlines import Deadline, deadline_of
from orders.holds import Pause, due_at, union
from tenants.targets import Cutoff, Length, Target, Warn
from tests.orders.minutes import utc
from tests.tenants.calendar_cast import FORMS, calendar

SPAN = 200 * 24 * 60
ZERO = {
    place: utc("2011-10-15" if place == "apia" else "2017-09-01" if place == "sao_paulo" else "2026-02-01")
    for place in FORMS
}
PLACES = st.sampled_from(sorted(FORMS))
MINUTES = st.integers(min_value=0, max_value=SPAN)
LENGTHS = st.integers(min_value=0, max_value=4000)
SECONDS = st.integers(min_value=1, max_value=40 * 3600)
PAUSES = st.lists(st.tuples(MINUTES, LENGTHS), max_size=5)
FAR = utc("2300-01-01")


def at(place: str, minute: float) -> datetime:
    return ZERO[place] + timedelta(minutes=minute)


def stops(place: str, pauses: list[tuple[int, int]]) -> list[Pause]:
    return union(Pause(at(place, since), at(place, since + length)) for since, length in sorted(pauses))


def judged(place: str, target: Target, start: int, pauses: list[tuple[int, int]]) -> Deadline:
    used = None if target.calendar is None else calendar(place)  # type: ignore[union-attr]
    return deadline_of(target, used, at(place, start), None, pauses=stops(place, pauses), detailed=())


@settings(max_examples=200)
@given(place=PLACES, start=MINUTES, seconds=SECONDS, pauses=PAUSES)
def test_due_time_lies_never_in_closed_time(
    place: str, start: int, seconds: int, pauses: list[tuple[int, int]]
) -> None:
    due = judged(place, Length(seconds, ""), start, pauses).due_at
    assert due is not None
    assert calendar(place).is_open(due - timedelta(microseconds=1))


@settings(max_examples=200)
@given(place=PLACES, start=MINUTES, seconds=SECONDS, pauses=PAUSES)
def test_unpaused_working_time_until_due_is_the_target(
    place: str, start: int, seconds: int, pauses: list[tuple[int, int]]
) -> None:
    due = judged(place, Length(seconds, ""), start, pauses).due_at
    assert due is not None
    whole = calendar(place).working_time_between(at(place, start), due)
    paused = timedelta()
    for since, until in stops(place, pauses):
        begin, end = max(since, at(place, start)), min(until or FAR, due)
        if begin < end:
            paused += calendar(place).working_time_between(begin, end)
    assert whole - paused == timedelta(seconds=seconds)


@settings(max_examples=200)
@given(place=PLACES, start=MINUTES, seconds=SECONDS, pauses=PAUSES, extra=st.tuples(MINUTES, LENGTHS))
def test_more_pause_is_never_earlier(
    place: str, start: int, seconds: int, pauses: list[tuple[int, int]], extra: tuple[int, int]
) -> None:
    for target in (Length(seconds, "", Warn(share=0.5)), Cutoff((12 * 3600,) * 7, 1, "", Warn(before_seconds=60))):
        before, after = (judged(place, target, start, each) for each in (pauses, [*pauses, extra]))
        assert (after.due_at or FAR) >= (before.due_at or FAR)
        assert (after.at_risk_at or FAR) >= (before.at_risk_at or FAR)
        assert (before.at_risk_at or FAR) <= (before.due_at or FAR)


@settings(max_examples=200)
@given(place=PLACES, start=MINUTES, seconds=SECONDS, since=MINUTES, parts=st.lists(LENGTHS, min_size=2, max_size=5))
def test_splitting_a_pause_changes_nothing(place: str, start: int, seconds: int, since: int, parts: list[int]) -> None:
    split, begins = [], since
    for part in parts:
        split.append(Pause(at(place, begins), at(place, begins + part)))
        begins += part
    whole = [Pause(at(place, since), at(place, begins))]
    target, began = Length(seconds, ""), at(place, start)
    halves = [deadline_of(target, calendar(place), began, None, pauses=each, detailed=()) for each in (split, whole)]
    assert halves[0] == halves[1]


@settings(max_examples=100)
@given(start=MINUTES, seconds=SECONDS, pauses=PAUSES)
def test_a_place_that_never_closes_counts_every_hour(start: int, seconds: int, pauses: list[tuple[int, int]]) -> None:
    place = "new_york"
    always = judged(place, Length(seconds, "", Warn(share=0.25)), start, pauses)
    every_hour = judged(place, Length(seconds, None, Warn(share=0.25)), start, pauses)
    assert always == every_hour
    assert every_hour.due_at == due_at(at(place, start), seconds, stops(place, pauses))


@settings(max_examples=100)
@given(place=PLACES, start=MINUTES, seconds=SECONDS, more=SECONDS)
def test_a_longer_target_is_never_earlier(place: str, start: int, seconds: int, more: int) -> None:
    before, after = (judged(place, Length(each, ""), start, []).due_at for each in (seconds, seconds + more))
    assert before is not None and after is not None and before < after
