"""An order made up to try a policy: which rule takes it, when each stage is due and why, how bad being late would be. Pure.

It is judged by the same functions as real orders. The order is paid and its goods are reserved the moment it comes, so that
every stage has begun.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from orders.carried import Carried, traits_of
from orders.explanation import Explanation, Segment, explain
from orders.facts import ALLOCATED, CREATED, HELD, PAID, RELEASED, Fact
from orders.weighing import weight_of_stage
from orders.wording import length_words, pause_words, roll_words, segment_words, span_words, target_words
from tenants.policy import Policy, PolicyVersion
from tenants.policy_words import STAGE_WORDS

PERSON = "you"
HOLD = "example"
OFTEN = STAGE_WORDS["order_fulfillment"]
MOST_LINES = 14


class Made(NamedTuple):
    """`promises`: keys of a fact's detail → instant. `held_until`: None while it is held. `late`: by how much each stage is missed."""

    at: datetime
    timezone: str
    carried: Carried
    source: str = ""
    merchant: str = ""
    promises: Sequence[tuple[str, datetime]] = ()
    held_from: datetime | None = None
    held_until: datetime | None = None
    hold_reason: str = ""
    late: timedelta = timedelta(hours=1)
    occurrences: int = 1


class LineOfTime(NamedTuple):
    """A segment of an explanation in words."""

    kind: str
    span: str
    length: str
    what: str


class StageExample(NamedTuple):
    """`due`, `at_risk`: in words, in the place's zone; empty: there is none. `parts`: (what, points) of the priority.

    `explained`: what it is the words of. `open`: the one that is told in full at first.
    """

    label: str
    target: str
    due: str
    at_risk: str
    notes: Sequence[str]
    lines: Sequence[LineOfTime]
    more_lines: int
    severity: str
    priority: int
    parts: Sequence[tuple[str, int]]
    explained: Explanation
    open: bool = False


class Example(NamedTuple):
    """`place`: of the rule, from 0; None when none takes it. `late`: by how much, in words."""

    when: str
    timezone: str
    place: int | None
    rule: str
    excluded: str
    late: str
    stages: Sequence[StageExample]


def example_of(made: Made, policy: Policy) -> Example:
    traits = traits_of(made.carried, source=made.source, merchant=made.merchant)
    rule = policy.rule_of(traits)
    explained = explain(facts_of(made), [PolicyVersion(0, made.at, policy)], merchant=made.merchant)
    return Example(
        when=moment_in(made.at, made.timezone),
        timezone=made.timezone,
        place=next((place for place, each in enumerate(policy.rules) if each is rule), None),
        rule=rule.name,
        excluded=rule.excluded,
        late=length_words(made.late),
        stages=with_one_open([stage_example(each, made, policy) for each in explained if each.target is not None]),
    )


def with_one_open(stages: Sequence[StageExample]) -> list[StageExample]:
    """The handover to the carrier, which contracts speak of most; else the first that is due."""
    due = [stage.label for stage in stages if stage.due]
    chosen = OFTEN if OFTEN in due else due[0] if due else ""
    return [stage._replace(open=stage.label == chosen) for stage in stages]


def facts_of(made: Made) -> list[Fact]:
    detail: dict[str, Any] = {"carries": made.carried._asdict()}
    detail |= {key: instant.isoformat() for key, instant in made.promises}
    facts = [fact(made, CREATED, made.at, detail), fact(made, PAID, made.at), fact(made, ALLOCATED, made.at)]
    if made.held_from is not None:
        said = {"hold_id": HOLD, "reason": made.hold_reason, "actor": PERSON}
        facts.append(fact(made, HELD, made.held_from, said))
        if made.held_until is not None:
            facts.append(fact(made, RELEASED, made.held_until, {"hold_id": HOLD}))
    return facts


def fact(made: Made, kind: str, at: datetime, detail: dict[str, Any] | None = None) -> Fact:
    return Fact(made.source, kind, kind, at, at, detail)


def stage_example(explained: Explanation, made: Made, policy: Policy) -> StageExample:
    zone = explained.timezone or made.timezone
    severity, parts = weight_of(explained, made, policy)
    shown = list(explained.segments[:MOST_LINES])
    return StageExample(
        label=STAGE_WORDS[explained.stage],
        target=target_words(explained.target, explained.calendar),
        due=due_in(explained.due_at, zone, made),
        at_risk=due_in(explained.at_risk_at, zone, made),
        notes=notes_of(explained, zone),
        lines=[line_of(segment, zone) for segment in shown],
        more_lines=len(explained.segments) - len(shown),
        severity=severity,
        priority=sum(points for _, points in parts),
        parts=parts,
        explained=explained,
    )


def notes_of(explained: Explanation, zone: str) -> list[str]:
    notes = [roll_words(explained.roll, zone)] if explained.roll else []
    if explained.due_at is None:
        open_pause = any(each.kind == "paused" and each.until is None for each in explained.segments)
        notes.append("Nothing is due while it is paused." if open_pause else "The order carries no such promise.")
    return [*notes, *(f"It moves nothing: {pause_words(pause)}." for pause in explained.ignored)]


def weight_of(explained: Explanation, made: Made, policy: Policy) -> tuple[str, list[tuple[str, int]]]:
    """How bad it is to be late by `made.late`, and the points of the exception's priority."""
    weight = weight_of_stage(
        policy,
        traits_of(made.carried, source=made.source, merchant=made.merchant),
        explained.stage,
        late=made.late,
        target_seconds=explained.target_seconds,
        occurrences=made.occurrences,
    )
    return weight.severity, [(name.replace("_", " "), points) for name, points in weight.parts.items()]


def line_of(segment: Segment, zone: str) -> LineOfTime:
    length = length_words(segment.length) if segment.length else ""
    return LineOfTime(segment.kind, span_words(segment.since, segment.until, zone), length, segment_words(segment))


def due_in(at: datetime | None, zone: str, made: Made) -> str:
    """With the zone where it is not that of the order."""
    if at is None:
        return ""
    return moment_in(at, zone) + (f" ({zone})" if zone != made.timezone else "")


def moment_in(at: datetime, timezone: str) -> str:
    """`Fri 27 Nov 2026 13:59`"""
    return f"{at.astimezone(ZoneInfo(timezone)):%a %d %b %Y %H:%M}"
