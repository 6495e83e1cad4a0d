"""When a stage is due and when it is at risk: a target, a calendar, a start and what paused the clock. Pure.

Every target but a promise comes to a budget of time from the start: its length, or the working time until the end of the day
that a cut-off gives. The stage is due once so much unpaused (working) time has passed; a pause moves that by the (working) time
that it took, so that splitting one changes nothing and one in closed hours costs nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from orders.facts import Fact
from orders.holds import Pause, due_at
from orders.promise import promise_of
from tenants.calendars import Calendar, micros, moment
from tenants.targets import Length, Promise, Target, Warn

SECOND = 1_000_000


class Deadline(NamedTuple):
    """`due_at`: None without a target or while a pause keeps it away. `target_seconds`: the budget, unpaused."""

    due_at: datetime | None
    at_risk_at: datetime | None = None
    target_seconds: int | None = None


NO_DEADLINE = Deadline(None)


def deadline_of(
    target: Target,
    calendar: Calendar | None,
    start: datetime,
    ended: datetime | None,
    *,
    pauses: Sequence[Pause],
    detailed: Sequence[Fact],
) -> Deadline:
    """`calendar`: None for calendar time. `ended`: when the stage did, after which no promise can be changed."""
    if isinstance(target, Length):
        if calendar is None:
            passed = warned_seconds(target.seconds, target.warn) if target.warn else None
            risk = due_at(start, passed, pauses) if passed else None if passed is None else start
            return Deadline(due_at(start, target.seconds, pauses), risk, target.seconds)
        return working_deadline(calendar, start, target.seconds * SECOND, target.warn, pauses)
    if isinstance(target, Promise):
        return promised_deadline(target, start, promise_of(detailed, ended, target.key) if detailed else None)
    closing = calendar.end_of_working_day(start, target.times, target.days) if calendar else None
    if calendar is None or closing is None:
        return NO_DEADLINE
    budget = calendar.position(micros(closing)) - calendar.position(micros(start))
    return working_deadline(calendar, start, budget, target.warn, pauses)


def promised_deadline(target: Promise, start: datetime, promise: datetime | None) -> Deadline:
    """Absolute: no pause moves it. One that allows no time has a due time, but a length that tells nothing."""
    if promise is None:
        return NO_DEADLINE
    seconds = int((promise - start).total_seconds()) or None if promise > start else None
    risk = None
    if target.warn is not None:
        share = warned_seconds(seconds or 0, target.warn)
        risk = (
            start + timedelta(seconds=share) if target.warn.share is not None else before(promise, start, target.warn)
        )
    return Deadline(promise, risk, seconds)


def before(promise: datetime, start: datetime, warn: Warn) -> datetime:
    lead = timedelta(seconds=warn.before_seconds or 0)
    return max(promise - lead, start) if promise > start else start


def warned_seconds(seconds: int, warn: Warn) -> int:
    """The seconds of a budget after which the stage is at risk; 0 when it is so from the start."""
    if warn.share is not None:
        return int(seconds * warn.share)
    return max(seconds - (warn.before_seconds or 0), 0)


def working_deadline(
    calendar: Calendar, start: datetime, budget: int, warn: Warn | None, pauses: Sequence[Pause]
) -> Deadline:
    """`budget` in microseconds."""
    began = calendar.position(micros(start))
    stops = stops_of(calendar, start, pauses) if pauses else []
    due = reached(calendar, began + budget, stops)
    risk = None
    if warn is not None:
        passed = warned_seconds(budget // SECOND, warn) * SECOND
        risk = reached(calendar, began + passed, stops) if passed else start
    return Deadline(due, risk, budget // SECOND or None)


def stops_of(calendar: Calendar, start: datetime, pauses: Sequence[Pause]) -> list[tuple[int, int | None]]:
    """The pauses after the start as positions in the calendar's working time."""
    return [
        (calendar.position(micros(max(since, start))), None if until is None else calendar.position(micros(until)))
        for since, until in pauses
        if until is None or until > start
    ]


def reached(calendar: Calendar, position: int, stops: Sequence[tuple[int, int | None]]) -> datetime | None:
    """The instant at which the position is reached, moved by what stops the clock before that; None while one is open."""
    for since, until in stops:
        if since >= position:
            break
        if until is None:
            return None
        position += until - since
    found = calendar.instant(position)
    return None if found is None else moment(found)
