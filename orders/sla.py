"""The verdict on an order: a pure function of its facts, the tenant's policy and now (CONTRACT 4).

State is computed from the whole history each time and never patched, so that any order of arrival, any batching and any
duplication of the same facts gives the same verdict. The parts are rules of their own: `facts` (what happened when), `carried`,
`pauses`, `stages`, `deadlines`, `clocks`, `problems`. This module joins them and tells what the exceptions get to hear.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from orders import facts as types
from orders.carried import NOTHING, Carried, carried_of, source_of, traits_of
from orders.clocks import UNWATCHED, Watch, ladder_of, measured, pass_time
from orders.deadlines import deadline_of
from orders.facts import Course, Fact, course_of, settled_at
from orders.holds import Pause, pauses_of
from orders.pauses import counting_pauses
from orders.ports import AT_RISK_OCCURRENCE, STAGE_OCCURRENCE, Finding
from orders.problems import PROBLEM_TYPES, PROBLEMS, ProblemVerdict, problems_from_json, problems_of, problems_to_json
from orders.promise import NOT_PROMISED, Promised, promised_of
from orders.stages import CANCELLED, REASONS, RUNNING, STAGES, StageVerdict, course_of_stage
from tenants.conditions import Traits
from tenants.policy import Policy, PolicyVersion, policy_at
from tenants.policy_rules import Rule
from tenants.weights import LOW, NO_BEARING, Bearing, bearing_of, raised

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
NO_SETTLE: Mapping[str, int] = {}
NO_PROBLEMS: Mapping[str, ProblemVerdict] = {}
NO_WATCHES: Mapping[str, Watch] = {}
NO_POLICY = Policy()
NO_TRAITS = Traits()
FURTHEST_FIRST = (  # but for a cancelling, which outranks all but a delivery
    (types.RETURNED, "RETURNED"),
    (types.DELIVERED, "DELIVERED"),
    (types.FULFILLED, "FULFILLED"),
    (types.PACKED, "PACKED"),
    (types.ALLOCATED, "ALLOCATED"),
    (types.PAID, "PAID"),
)


class Terms(NamedTuple):
    """What one order is measured against."""

    policy: Policy
    rule: Rule
    traits: Traits
    pauses: Sequence[Pause]
    bearing: Bearing


class Verdict(NamedTuple):
    """All that the fold says of an order. `stages`: by name, pending ones absent; `problems`: by reason.

    `watches`: by stage, where its rule warns or has severities of its own; `rule`: the name of that rule.
    """

    status: str
    held: bool
    began_at: datetime | None
    policy_id: int | None
    contradiction: str
    settled_at: datetime | None
    stages: Mapping[str, StageVerdict]
    problems: Mapping[str, ProblemVerdict]
    watches: Mapping[str, Watch] = NO_WATCHES
    carried: Carried = NOTHING
    promised: Promised = NOT_PROMISED
    rule: str = ""
    bearing: Bearing = NO_BEARING


def fold(
    facts: Sequence[Fact],
    policies: Sequence[PolicyVersion],
    now: datetime,
    *,
    settle: Mapping[str, int] | None = NO_SETTLE,
    merchant: str = "",
) -> Verdict:
    """The verdict at `now`. `policies`: ascending by version; `settle`: source → seconds, None: all have settled."""
    course = course_of(facts)
    moments = course.moments
    version = policy_at(policies, course.began_at) if course.began_at else None
    settled = settled_at(course.facts, settle)
    carried = carried_of(course.detailed) if course.detailed else NOTHING
    terms = terms_of(course, version.policy if version else NO_POLICY, carried, merchant)
    stages, watches = {}, {}
    for stage in STAGES:
        run = course_of_stage(stage, moments, course.cancelled_at)
        if run is not None:
            verdict, watch = judged_stage(run, stage.name, terms, course, settled, now)
            stages[stage.name] = verdict
            if watch is not UNWATCHED:
                watches[stage.name] = watch
    troubled = not PROBLEM_TYPES.isdisjoint(moments)
    return Verdict(
        status=status_of(course),
        held=types.HELD in moments and is_held(course.facts),
        began_at=course.began_at,
        policy_id=version.id if version else None,
        contradiction=course.contradiction,
        settled_at=settled,
        stages=stages,
        problems=weighed_problems(course, terms) if troubled else NO_PROBLEMS,
        watches=watches,
        carried=carried,
        promised=promised_by(course, stages) if course.detailed else NOT_PROMISED,
        rule=terms.rule.name,
        bearing=terms.bearing,
    )


def terms_of(course: Course, policy: Policy, carried: Carried, merchant: str) -> Terms:
    """The rule that takes the order, and what stops its clocks."""
    if not policy.rules:
        pauses = pauses_of(course.facts) if types.HELD in course.moments else []
        return Terms(policy, policy.flat, NO_TRAITS, pauses, NO_BEARING)
    traits = traits_of(carried, source=source_of(course.facts, course.began_at), merchant=merchant)
    rule = policy.rule_of(traits)
    pauses = counting_pauses(course.facts, rule.pausing)
    return Terms(policy, rule, traits, pauses, bearing_of(traits, policy.severity, policy.priority))


def judged_stage(
    run: StageVerdict, name: str, terms: Terms, course: Course, settled: datetime | None, now: datetime
) -> tuple[StageVerdict, Watch]:
    """What never started, and what has no target, is tracked only."""
    target = terms.rule.targets.get(name)
    if run.started_at is None or target is None:
        return run, UNWATCHED
    deadline = deadline_of(
        target,
        terms.policy.calendar_of(target, terms.traits.warehouse),
        run.started_at,
        run.ended_at,
        pauses=terms.pauses,
        detailed=course.detailed,
    )
    watch = UNWATCHED
    if terms.policy.rules:
        ladder = ladder_of(name, terms.policy.severity.ladders.get(name), terms.bearing.raised, deadline.target_seconds)
        if target.warn is not None or ladder:
            watch = Watch(deadline.at_risk_at, target.warn is not None and target.warn.opens, ladder)
    return measured(run, name, deadline, watch, waits_until=settled, now=now), watch


def weighed_problems(course: Course, terms: Terms) -> Mapping[str, ProblemVerdict]:
    """With the severities that the policy gives them."""
    problems = problems_of(course.facts, course.cancelled_at)
    chosen, steps = terms.policy.severity.problems, terms.bearing.raised
    if not chosen and not steps:
        return problems
    return {
        reason: problem._replace(severity=raised(chosen.get(reason, problem.severity), steps))
        for reason, problem in problems.items()
    }


def promised_by(course: Course, stages: Mapping[str, StageVerdict]) -> Promised:
    shipping, delivery = stages.get("order_fulfillment"), stages.get("delivery")
    return promised_of(
        course.detailed,
        fulfilled_at=shipping.ended_at if shipping else None,
        arrived_at=delivery.ended_at if delivery else None,
    )


def is_held(facts: Sequence[Fact]) -> bool:
    """Whether any hold is open, even one that stops no clock."""
    pauses = pauses_of(facts)
    return bool(pauses) and pauses[-1].until is None


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
    return findings_of(verdict.stages, verdict.problems, verdict.watches, verdict.bearing)


def findings_of(
    stages: Mapping[str, StageVerdict],
    problems: Mapping[str, ProblemVerdict],
    watches: Mapping[str, Watch] = NO_WATCHES,
    bearing: Bearing = NO_BEARING,
) -> dict[str, Finding]:
    """The same from the parts, as the database keeps them."""
    found = {}
    for name, stage in stages.items():
        if (
            stage.severity
            and (finding := finding_of_stage(name, stage, watches.get(name, UNWATCHED), bearing)) is not None
        ):
            found[REASONS[name]] = finding
    for reason, problem in problems.items():
        found[reason] = finding_of_problem(problem, bearing)
    return found


def finding_of_stage(
    name: str, stage: StageVerdict, watch: Watch = UNWATCHED, bearing: Bearing = NO_BEARING
) -> Finding | None:
    """Active while a late stage runs, over once it ended late or was cancelled after its due time."""
    due = stage.due_at
    if not stage.breached or due is None:
        return warning_of_stage(name, stage, watch, bearing) if watch.opens and stage.severity == LOW else None
    if stage.state == RUNNING:
        return Finding("active", due, None, None, stage.severity, STAGE_OCCURRENCE, name, due, bearing)
    how: Literal["cancelled", "completed_late"] = "cancelled" if stage.state == CANCELLED else "completed_late"
    return Finding("over", due, stage.ended_at, how, stage.severity, STAGE_OCCURRENCE, name, due, bearing)


def warning_of_stage(name: str, stage: StageVerdict, watch: Watch, bearing: Bearing) -> Finding | None:
    """Active while a stage at risk runs, over once it ended in time after all. The breach is another occurrence."""
    risk, due = watch.at_risk_at, stage.due_at
    if risk is None:
        return None
    if stage.state == RUNNING:
        return Finding("active", risk, None, None, LOW, AT_RISK_OCCURRENCE, name, due, bearing)
    how: Literal["cancelled", "saved"] = "cancelled" if stage.state == CANCELLED else "saved"
    return Finding("over", risk, stage.ended_at, how, LOW, AT_RISK_OCCURRENCE, name, due, bearing)


def finding_of_problem(problem: ProblemVerdict, bearing: Bearing = NO_BEARING) -> Finding:
    verdict, opened_at, ended_at, how, severity, occurrence_key = problem
    return Finding(verdict, opened_at, ended_at, how, severity, occurrence_key, None, None, bearing)


def changes(
    before: Mapping[str, Finding], now: Mapping[str, Finding]
) -> list[tuple[str, Finding | None, Finding | None]]:
    """What differs: (reason, before, now), by reason."""
    reasons = sorted(before.keys() | now.keys())
    return [
        (reason, before.get(reason), now.get(reason)) for reason in reasons if before.get(reason) != now.get(reason)
    ]
