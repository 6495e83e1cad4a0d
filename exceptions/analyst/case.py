"""A case: all that the analyst may know of one exception. Pure; made from rows by `exceptions.analyst.selectors`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from exceptions.analyst.telling import Lane, Told, lane_of, tell
from orders import facts
from orders.facts import Course, Fact, course_of
from orders.holds import Pause, pauses_of
from orders.sla import ProblemVerdict, StageVerdict, Verdict

NOTHING_TOLD = Told()
MOVES = ("shipment_in_transit", "delivery_attempted", "shipment_delayed", "delivery_failed")
EVERY_STEP = frozenset({facts.PAID, facts.ALLOCATED, facts.PACKED, facts.FULFILLED, "shipment_in_transit"})


class Happening(NamedTuple):
    """An event of the order. `ref` names it inside the case: e1, e2, … by time."""

    ref: str
    fact: Fact
    told: Told

    @property
    def kind(self) -> str:
        return self.fact.event_type

    @property
    def at(self) -> datetime:
        return self.fact.effective_at


class Subject(NamedTuple):
    """The exception itself."""

    reason: str
    verdict: str
    severity: str
    opened_at: datetime
    due_at: datetime | None = None
    ended_at: datetime | None = None
    stage: str | None = None
    occurrence: int = 1
    history: bool = False


@dataclass(frozen=True, slots=True)
class Today:
    """What the lane does today. `alike`: (trait, value, label) → other orders of the last 24 hours in that trouble.

    `reported`: the steps that this tenant's sources report at all; `silent`: sources that went silent.
    """

    alike: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    reported: frozenset[str] = EVERY_STEP
    silent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Case:
    """An exception, its order's history as far as it concerns it (until it ended, else until now), and its lane."""

    subject: Subject
    happenings: Sequence[Happening]
    course: Course
    pauses: Sequence[Pause]
    stages: Mapping[str, StageVerdict]
    problems: Mapping[str, ProblemVerdict]
    status: str
    lane: Lane
    today: Today
    until: datetime
    now: datetime

    def of(self, *kinds: str) -> list[Happening]:
        return [one for one in self.happenings if one.kind in kinds]

    def first(self, kind: str) -> datetime | None:
        return self.course.moments.get(kind)

    def refs(self, *kinds: str) -> tuple[str, ...]:
        return tuple(one.ref for one in self.of(*kinds))

    def has_code(self, one: Happening, words: Iterable[str]) -> bool:
        text = " ".join(one.told.codes + one.told.texts).lower()
        return any(word in text for word in words)

    @property
    def began_at(self) -> datetime:
        return self.course.began_at or self.subject.opened_at

    @property
    def shipped_at(self) -> datetime | None:
        """Handed to the carrier, or shown to be by the carrier's own scan."""
        found = [at for kind in (facts.FULFILLED, *MOVES, facts.DELIVERED) if (at := self.first(kind))]
        return min(found, default=None)

    @property
    def last_scan(self) -> Happening | None:
        return max(self.of(*MOVES, facts.FULFILLED), key=lambda one: one.at, default=None)

    @property
    def texts(self) -> tuple[str, ...]:
        """People's words in the order, each once."""
        return tuple(dict.fromkeys(text for one in self.happenings for text in one.told.texts))

    def event_ids(self) -> dict[str, str]:
        """Ref → event id."""
        return {one.ref: one.fact.event_id for one in self.happenings}


def make_case(
    subject: Subject,
    events: Iterable[tuple[Fact, Told]],
    verdict: Verdict,
    *,
    now: datetime,
    today: Today | None = None,
) -> Case:
    """`events`: all of the order, in any order; `verdict`: the fold of their facts."""
    until = subject.ended_at or now
    known = sorted((pair for pair in events if pair[0].effective_at <= until), key=lambda pair: facts.rank(pair[0]))
    standing = {(fact.source, fact.event_id) for fact in course_of([fact for fact, _ in known]).facts}
    known = [pair for pair in known if (pair[0].source, pair[0].event_id) in standing]
    happenings = [Happening(f"e{index}", fact, told) for index, (fact, told) in enumerate(known, 1)]
    own = [fact for fact, _ in known]
    return Case(
        subject=subject,
        happenings=happenings,
        course=course_of(own),
        pauses=pauses_of(own),
        stages=verdict.stages,
        problems=verdict.problems,
        status=verdict.status,
        lane=lane_of(told for _, told in known),
        today=today or Today(),
        until=until,
        now=now,
    )


def as_of(case: Case, at: datetime) -> Case:
    """The case as it was known at an earlier instant: without what happened after it."""
    if at >= case.until:
        return case
    subject = case.subject
    if subject.ended_at is None or subject.ended_at > at:
        subject = subject._replace(verdict="active", ended_at=None)
    happenings = [one for one in case.happenings if one.at <= at]
    own = [one.fact for one in happenings]
    return replace(
        case,
        subject=subject,
        happenings=happenings,
        course=course_of(own),
        pauses=pauses_of(own),
        lane=lane_of(one.told for one in happenings),
        until=at,
        now=at,
    )


def told_of(payload: Any, detail: Mapping[str, Any] | None) -> Told:
    return tell(payload, detail) if isinstance(payload, Mapping) else NOTHING_TOLD


def length_text(length: timedelta) -> str:
    """As a person says it: 45 s, 12 min, 5 h 12 min, 3 days."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        hours, minutes = divmod(seconds // 60, 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{seconds // 86_400} days"
