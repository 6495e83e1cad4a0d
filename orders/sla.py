"""The verdict on an order: a pure function of its facts, the tenant's policy and now (CONTRACT 4).

State is computed from the whole history each time and never patched, so that any order of arrival, any batching and any
duplication of the same facts gives the same verdict. The parts are rules of their own: `facts` (what happened when),
`holds`, `promise`, `stages`, `problems`. This module joins them and tells what the exceptions get to hear.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from orders import facts as types
from orders.facts import Course, Fact, course_of, settled_at
from orders.holds import pauses_of
from orders.ports import Finding
from orders.problems import PROBLEM_TYPES, PROBLEMS, ProblemVerdict, problems_from_json, problems_of, problems_to_json
from orders.stages import (
    CANCELLED,
    REASONS,
    RUNNING,
    STAGES,
    StageVerdict,
    Yardstick,
    course_of_stage,
    measure,
    pass_time,
)
from tenants.policy import PolicyVersion, policy_at

__all__ = [
    "ALL_REASONS",
    "REASONS",
    "Fact",
    "ProblemVerdict",
    "StageVerdict",
    "Verdict",
    "changes",
    "finding_of_problem",
    "finding_of_stage",
    "findings",
    "findings_of",
    "fold",
    "pass_time",
    "problems_from_json",
    "problems_to_json",
]

ALL_REASONS = (*REASONS.values(), *(problem.reason for problem in PROBLEMS))
STAGE_OCCURRENCE = "stage"
NO_SETTLE: Mapping[str, int] = {}
NO_TARGETS: Mapping[str, int] = {}
NO_PROBLEMS: Mapping[str, ProblemVerdict] = {}
FURTHEST_FIRST = (  # but for a cancelling, which outranks all but a delivery
    (types.RETURNED, "RETURNED"),
    (types.DELIVERED, "DELIVERED"),
    (types.FULFILLED, "FULFILLED"),
    (types.PACKED, "PACKED"),
    (types.ALLOCATED, "ALLOCATED"),
    (types.PAID, "PAID"),
)


class Verdict(NamedTuple):
    """All that the fold says of an order. `stages`: by name, pending ones absent; `problems`: by reason."""

    status: str
    held: bool
    began_at: datetime | None
    policy_id: int | None
    contradiction: str
    settled_at: datetime | None
    stages: Mapping[str, StageVerdict]
    problems: Mapping[str, ProblemVerdict]


def fold(
    facts: Sequence[Fact],
    policies: Sequence[PolicyVersion],
    now: datetime,
    *,
    settle: Mapping[str, int] | None = NO_SETTLE,
) -> Verdict:
    """The verdict at `now`. `policies`: ascending by version; `settle`: source → seconds, None: all have settled."""
    course = course_of(facts)
    moments = course.moments
    version = policy_at(policies, course.began_at) if course.began_at else None
    settled = settled_at(course.facts, settle)
    pauses = pauses_of(course.facts) if types.HELD in moments else []
    yardstick = Yardstick(version.policy.targets if version else NO_TARGETS, pauses, course.detailed, settled, now)
    stages = {}
    for stage in STAGES:
        run = course_of_stage(stage, moments, course.cancelled_at)
        if run is not None:
            stages[stage.name] = measure(run, stage, yardstick)
    troubled = not PROBLEM_TYPES.isdisjoint(moments)
    return Verdict(
        status=status_of(course),
        held=bool(pauses) and pauses[-1].until is None,
        began_at=course.began_at,
        policy_id=version.id if version else None,
        contradiction=course.contradiction,
        settled_at=settled,
        stages=stages,
        problems=problems_of(course.facts, course.cancelled_at) if troubled else NO_PROBLEMS,
    )


def status_of(course: Course) -> str:
    """The furthest that the order reached."""
    moments = course.moments
    if course.cancelled_at is not None and types.DELIVERED not in moments:
        return CANCELLED
    for kind, status in FURTHEST_FIRST:
        if kind in moments:
            return status
    return "CREATED"


def findings(verdict: Verdict) -> dict[str, Finding]:
    """Reason → what the exceptions get to hear; a reason left out is the verdict `none`."""
    return findings_of(verdict.stages, verdict.problems)


def findings_of(stages: Mapping[str, StageVerdict], problems: Mapping[str, ProblemVerdict]) -> dict[str, Finding]:
    """The same from the parts, as the database keeps them."""
    found = {}
    for name, stage in stages.items():
        if (finding := finding_of_stage(name, stage)) is not None:
            found[REASONS[name]] = finding
    for reason, problem in problems.items():
        found[reason] = finding_of_problem(problem)
    return found


def finding_of_stage(name: str, stage: StageVerdict) -> Finding | None:
    """Active while a late stage runs, over once it ended late or was cancelled after its due time."""
    due = stage.due_at
    if not stage.breached or due is None:
        return None
    if stage.state == RUNNING:
        return Finding("active", due, None, None, stage.severity, STAGE_OCCURRENCE, name, due)
    how: Literal["cancelled", "completed_late"] = "cancelled" if stage.state == CANCELLED else "completed_late"
    return Finding("over", due, stage.ended_at, how, stage.severity, STAGE_OCCURRENCE, name, due)


def finding_of_problem(problem: ProblemVerdict) -> Finding:
    verdict, opened_at, ended_at, how, severity, occurrence_key = problem
    return Finding(verdict, opened_at, ended_at, how, severity, occurrence_key, None, None)


def changes(
    before: Mapping[str, Finding], now: Mapping[str, Finding]
) -> list[tuple[str, Finding | None, Finding | None]]:
    """What differs: (reason, before, now), by reason."""
    reasons = sorted(before.keys() | now.keys())
    return [
        (reason, before.get(reason), now.get(reason)) for reason in reasons if before.get(reason) != now.get(reason)
    ]
