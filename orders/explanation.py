"""How a due time came about, piece by piece: what counted, what did not and why, who paused the clock (CONTRACT 4). Pure.

Made on demand from the order's facts by the same rules that judge them; what counted adds up to the target, and the last piece
ends at the due time (tests hold both).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from orders.carried import carried_of
from orders.deadlines import Deadline, deadline_of
from orders.facts import Course, Fact, course_of
from orders.pauses import NamedPause, named_pauses
from orders.sla import NO_POLICY, Terms, terms_of
from orders.stages import STAGES, StageVerdict, course_of_stage
from tenants.calendars import Calendar
from tenants.policy import PolicyVersion, policy_at
from tenants.targets import Cutoff, Promise, Target

NO_TIME = timedelta(0)
MOST_SEGMENTS = 200  # what comes after them is told in one
Kind = Literal["counted", "closed", "day_off", "paused", "rest"]


class Segment(NamedTuple):
    """`length`: what it adds to the target; of a pause, by how much it moved the due time. `until`: None while it is open.

    `reason`: the day off's name, or what paused the clock; `actor`: who paused it. A `rest` stands for many pieces.
    """

    kind: Kind
    since: datetime
    until: datetime | None
    length: timedelta
    reason: str = ""
    actor: str = ""


class Roll(NamedTuple):
    """What a cut-off made of an order. `time`: seconds after midnight, of the weekday on which it was received."""

    received_at: datetime
    time: int
    in_time: bool
    closes_at: datetime


class Explanation(NamedTuple):
    """Of one stage. `due_at`: None without a target or while a pause is open; `unpaused_due_at`: by the wall clock.

    `ignored`: holds while it ran that the rule does not let count; for a promise, which no hold moves, all of them.
    """

    stage: str
    state: str
    rule: str
    excluded: str
    target: Target | None
    calendar: str
    timezone: str
    started_at: datetime | None
    ended_at: datetime | None
    target_seconds: int | None
    due_at: datetime | None
    at_risk_at: datetime | None
    unpaused_due_at: datetime | None
    roll: Roll | None
    segments: Sequence[Segment]
    ignored: Sequence[NamedPause]


def explain(
    facts: Sequence[Fact], policies: Sequence[PolicyVersion], *, merchant: str = "", stage: str = ""
) -> list[Explanation]:
    """Of each stage that is not pending, or of the one named."""
    course = course_of(facts)
    version = policy_at(policies, course.began_at) if course.began_at else None
    terms = terms_of(course, version.policy if version else NO_POLICY, carried_of(course.detailed), merchant)
    found = []
    for each in STAGES:
        run = course_of_stage(each, course.moments, course.cancelled_at) if stage in ("", each.name) else None
        if run is not None:
            found.append(explain_stage(run, each.name, terms, course))
    return found


def explain_stage(run: StageVerdict, name: str, terms: Terms, course: Course) -> Explanation:
    target, start = terms.rule.targets.get(name), run.started_at
    bare = Explanation(
        stage=name,
        state=run.state,
        rule=terms.rule.name,
        excluded=terms.rule.excluded,
        target=target,
        calendar="",
        timezone="",
        started_at=start,
        ended_at=run.ended_at,
        target_seconds=None,
        due_at=None,
        at_risk_at=None,
        unpaused_due_at=None,
        roll=None,
        segments=(),
        ignored=(),
    )
    if target is None or start is None:
        return bare
    calendar = terms.policy.calendar_of(target, terms.traits.warehouse)
    deadline = deadline_of(target, calendar, start, run.ended_at, pauses=terms.pauses, detailed=course.detailed)
    unpaused = deadline_of(target, calendar, start, run.ended_at, pauses=(), detailed=course.detailed)
    pauses = named_pauses(course.facts, terms.rule.pausing)
    absolute = isinstance(target, Promise)
    counting = [] if absolute else [pause for pause in pauses if pause.counts]
    name_of_calendar = "" if calendar is None else calendar_name(target, terms)
    return bare._replace(
        calendar=name_of_calendar,
        timezone=calendar.hours.timezone if calendar else "",
        target_seconds=deadline.target_seconds,
        due_at=deadline.due_at,
        at_risk_at=deadline.at_risk_at,
        unpaused_due_at=unpaused.due_at,
        roll=roll_of(target, calendar, start),
        segments=capped(pieces(calendar, start, deadline, joined(counting)), deadline),
        ignored=[
            pause
            for pause in pauses
            if (absolute or not pause.counts) and overlaps(pause, start, deadline.due_at or run.ended_at)
        ],
    )


def calendar_name(target: Target, terms: Terms) -> str:
    if isinstance(target, Promise) or target.calendar is None:
        return ""
    return terms.policy.calendar_name(target.calendar, terms.traits.warehouse)


def overlaps(pause: NamedPause, start: datetime, end: datetime | None) -> bool:
    return (pause.until is None or pause.until > start) and (end is None or pause.since < end)


def roll_of(target: Target, calendar: Calendar | None, start: datetime) -> Roll | None:
    if not isinstance(target, Cutoff) or calendar is None:
        return None
    closes = calendar.end_of_working_day(start, target.times, target.days)
    local = start.astimezone(calendar.zone)
    time = target.times[local.weekday()]
    same_day = calendar.end_of_working_day(start, (86_400,) * 7)
    in_time = same_day == calendar.end_of_working_day(start, target.times)
    return Roll(start, time, in_time, closes) if closes is not None else None


def joined(pauses: Sequence[NamedPause]) -> list[NamedPause]:
    """Pauses that overlap or touch as one, with all their reasons and actors."""
    kept: list[NamedPause] = []
    for pause in pauses:
        last = kept[-1] if kept else None
        if last is None or (last.until is not None and last.until < pause.since):
            kept.append(pause)
            continue
        until = None if last.until is None or pause.until is None else max(last.until, pause.until)
        kept[-1] = last._replace(
            until=until, reason=also(last.reason, pause.reason), actor=also(last.actor, pause.actor)
        )
    return kept


def also(known: str, more: str) -> str:
    return known if not more or more in known.split("; ") else "; ".join(filter(None, (known, more)))


def pieces(
    calendar: Calendar | None, start: datetime, deadline: Deadline, pauses: Sequence[NamedPause]
) -> Iterator[Segment]:
    """From the start to the due time, or to the pause that is open."""
    at, due = start, deadline.due_at
    for pause in pauses:
        if pause.until is not None and pause.until <= start:
            continue
        if due is not None and pause.since >= due:
            break
        since = max(pause.since, start)
        yield from unpaused_pieces(calendar, at, since)
        moved = NO_TIME if pause.until is None else length_between(calendar, since, pause.until)
        yield Segment("paused", since, pause.until, moved, pause.reason, pause.actor)
        if pause.until is None:
            return
        at = pause.until
    if due is not None:
        yield from unpaused_pieces(calendar, at, due)


def unpaused_pieces(calendar: Calendar | None, since: datetime, until: datetime) -> Iterator[Segment]:
    if since >= until:
        return
    if calendar is None:
        yield Segment("counted", since, until, until - since)
        return
    for kind, begin, end, name in calendar.stretches(since, until):
        if kind == "open":
            yield Segment("counted", begin, end, end - begin)
        else:
            yield Segment(kind, begin, end, NO_TIME, name)


def length_between(calendar: Calendar | None, since: datetime, until: datetime) -> timedelta:
    return calendar.working_time_between(since, until) if calendar else until - since


def capped(found: Iterator[Segment], deadline: Deadline) -> list[Segment]:
    """At most MOST_SEGMENTS; the rest of a very long target is one piece."""
    kept: list[Segment] = []
    for segment in found:
        if len(kept) == MOST_SEGMENTS and deadline.due_at is not None:
            counted = sum((each.length for each in kept if each.kind == "counted"), NO_TIME)
            left = timedelta(seconds=deadline.target_seconds or 0) - counted
            return [*kept, Segment("rest", segment.since, deadline.due_at, left)]
        kept.append(segment)
    return kept
