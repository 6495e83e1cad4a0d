"""The stages of an order: when each started, ended and was due, and whether that was late (CONTRACT 4). Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from orders import facts
from orders.holds import Pause, due_at

RUNNING, COMPLETED, SKIPPED, CANCELLED = "RUNNING", "COMPLETED", "SKIPPED", "CANCELLED"  # PENDING: no verdict at all
MEDIUM, HIGH, CRITICAL = "MEDIUM", "HIGH", "CRITICAL"
CRITICAL_FACTOR = 3
DELIVERY = "delivery"


class Stage(NamedTuple):
    """A line of the table. `severity`: that of a breach by no more than the target's length."""

    name: str
    starts: str
    ends: tuple[str, ...]
    shown_past_by: tuple[str, ...]
    reason: str
    severity: str = MEDIUM


STAGES = (
    Stage("payment_processing", facts.CREATED, (facts.PAID,), (), "PAYMENT_DELAY"),
    Stage(
        "inventory_check",
        facts.PAID,
        (facts.ALLOCATED,),
        (facts.PACKED, facts.FULFILLED, facts.DELIVERED),
        "INVENTORY_DELAY",
    ),
    Stage(
        "shipping_preparation",
        facts.ALLOCATED,
        (facts.PACKED,),
        (facts.FULFILLED, facts.DELIVERED),
        "PREPARATION_DELAY",
    ),
    Stage("order_fulfillment", facts.CREATED, (facts.FULFILLED,), (facts.DELIVERED,), "FULFILLMENT_DELAY"),
    Stage(DELIVERY, facts.CREATED, (facts.DELIVERED, facts.RETURNED), (), "DELIVERY_DELAY", HIGH),
)
REASONS = {stage.name: stage.reason for stage in STAGES}
SEVERITIES = {stage.name: stage.severity for stage in STAGES}


class StageVerdict(NamedTuple):
    """`severity` is empty unless breached; `judge_at` is the next instant after which time alone changes the verdict."""

    state: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    due_at: datetime | None = None
    breached: bool = False
    severity: str = ""
    target_seconds: int | None = None
    judge_at: datetime | None = None


def course_of_stage(
    stage: Stage, moments: Mapping[str, datetime], cancelled_at: datetime | None
) -> StageVerdict | None:
    """State, start and end, not yet measured against any target. None: pending."""
    start = moments.get(stage.starts)
    own = earliest(stage.ends, moments)
    past = earliest(stage.shown_past_by, moments)
    end = own if own is not None else past
    if cancelled_at is not None and is_prevented(start, own, past, cancelled_at):
        return StageVerdict(CANCELLED, None, cancelled_at)
    if start is None:
        return StageVerdict(SKIPPED, None, end) if end is not None else None
    if own is None and past is not None and past < start:
        return StageVerdict(SKIPPED, None, past)
    if end is not None and (cancelled_at is None or end <= cancelled_at):
        return StageVerdict(COMPLETED, start, max(start, end))
    if cancelled_at is not None:
        return StageVerdict(CANCELLED, start, cancelled_at)
    return StageVerdict(RUNNING, start)


def earliest(types: tuple[str, ...], moments: Mapping[str, datetime]) -> datetime | None:
    found: datetime | None = None
    for kind in types:
        at = moments.get(kind)
        if at is not None and (found is None or at < found):
            found = at
    return found


def is_prevented(start: datetime | None, own: datetime | None, past: datetime | None, cancelled_at: datetime) -> bool:
    """Whether the cancelling came before anything of the stage; nothing starts afterwards."""
    if start is not None:
        return start > cancelled_at
    return (own is None or own > cancelled_at) and (past is None or past > cancelled_at)


def measure(
    course: StageVerdict,
    stage: Stage,
    targets: Mapping[str, int],
    pauses: Sequence[Pause],
    promise: datetime | None,
    settled_at: datetime | None,
    now: datetime,
) -> StageVerdict:
    """The verdict on a stage that started, against its target or, for the delivery, the promise."""
    state, start, ended = course.state, course.started_at, course.ended_at
    if start is None:
        return course
    if stage.name == DELIVERY:
        due, target = promise, length_of(start, promise)
    else:
        target = targets.get(stage.name)
        due = due_at(start, target, pauses) if target is not None else None
    if due is None:
        return StageVerdict(state, start, ended, None, False, "", target)
    if ended is None:
        return judged_running(start, due, target, stage.severity, settled_at, now)
    if ended <= due:
        return StageVerdict(state, start, ended, due, False, "", target)
    return StageVerdict(state, start, ended, due, True, severity_of(stage.severity, ended - due, target), target)


def length_of(start: datetime, promise: datetime | None) -> int | None:
    """The whole seconds that a promise allows; None when it allows none, so that nothing can be told by its length."""
    return int((promise - start).total_seconds()) or None if promise is not None and promise > start else None


def judged_running(
    start: datetime, due: datetime, target: int | None, severity: str, waits_until: datetime | None, now: datetime
) -> StageVerdict:
    """A stage that runs, due at `due`. `severity`: of the least breach; `waits_until`: a source that may still report in time."""
    if now <= due or (waits_until is not None and now < waits_until):
        judge_at = due if waits_until is None or waits_until < due else waits_until
        return StageVerdict(RUNNING, start, None, due, False, "", target, judge_at)
    reached = severity_of(severity, now - due, target)
    return StageVerdict(RUNNING, start, None, due, True, reached, target, next_raise(due, target, reached))


def severity_of(least: str, late: timedelta, target_seconds: int | None) -> str:
    """Later by more than the target's length is HIGH, by more than three times CRITICAL."""
    if target_seconds is None:
        return least
    target = timedelta(seconds=target_seconds)
    if late > CRITICAL_FACTOR * target:
        return CRITICAL
    return HIGH if late > target else least


def next_raise(due: datetime, target_seconds: int | None, severity: str) -> datetime | None:
    if target_seconds is None or severity == CRITICAL:
        return None
    return due + timedelta(seconds=target_seconds * (1 if severity == MEDIUM else CRITICAL_FACTOR))


def pass_time(stage: StageVerdict, now: datetime, name: str) -> StageVerdict:
    """What time alone makes of a stored verdict: equal to the fold of the same facts at `now`."""
    if stage.judge_at is None or stage.started_at is None or stage.due_at is None:
        return stage
    waits_until = None if stage.breached else stage.judge_at
    return judged_running(stage.started_at, stage.due_at, stage.target_seconds, SEVERITIES[name], waits_until, now)
