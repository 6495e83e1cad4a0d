"""The stages of an order: when each started, ended and was due, and whether that was late (CONTRACT 4). Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from orders import facts
from orders.facts import Fact
from orders.holds import Pause, due_at
from orders.promise import promise_of

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
    """`severity` is empty unless breached; `judge_at` is the next instant after which time alone changes it."""

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


class Yardstick(NamedTuple):
    """What the stages of one order are measured against."""

    targets: Mapping[str, int]
    pauses: Sequence[Pause]
    detailed: Sequence[Fact]  # the promise is stated in some of them
    settled_at: datetime | None
    now: datetime


def measure(run: StageVerdict, stage: Stage, yardstick: Yardstick) -> StageVerdict:
    """The verdict on a stage against its target or the promise. What never started is not measured."""
    state, start, ended = run.state, run.started_at, run.ended_at
    if start is None:
        return run
    due, target = deadline(stage.name, start, ended, yardstick)
    if due is None:
        return StageVerdict(state, start, ended, None, False, "", target)
    if ended is None:
        clock = StageVerdict(state, start, None, due, False, "", target)
        return judged_running(clock, stage.severity, waits_until=yardstick.settled_at, now=yardstick.now)
    if ended <= due:
        return StageVerdict(state, start, ended, due, False, "", target)
    return StageVerdict(state, start, ended, due, True, severity_of(stage.severity, ended - due, target), target)


def deadline(
    name: str, start: datetime, ended: datetime | None, yardstick: Yardstick
) -> tuple[datetime | None, int | None]:
    """When the stage is due, and the length of its target in seconds."""
    if name == DELIVERY:
        promise = promise_of(yardstick.detailed, ended) if yardstick.detailed else None
        return promise, length_of(start, promise)
    target = yardstick.targets.get(name)
    return due_at(start, target, yardstick.pauses) if target is not None else None, target


def length_of(start: datetime, promise: datetime | None) -> int | None:
    """The whole seconds that a promise allows; None when it allows none, so that nothing can be told by its length."""
    return int((promise - start).total_seconds()) or None if promise is not None and promise > start else None


def judged_running(clock: StageVerdict, severity: str, *, waits_until: datetime | None, now: datetime) -> StageVerdict:
    """A running stage with a due time, at `now`. `severity`: of the least breach; `waits_until`: of a late source."""
    _, start, _, due, _, _, target, _ = clock
    if due is None:
        return clock
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
    if stage.judge_at is None:
        return stage
    waits_until = None if stage.breached else stage.judge_at
    return judged_running(stage, SEVERITIES[name], waits_until=waits_until, now=now)
