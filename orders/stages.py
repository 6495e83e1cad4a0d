"""The stages of an order: when each started and ended (CONTRACT 4). Whether that was late is told by `orders.clocks`. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from orders import facts
from tenants.weights import CRITICAL, HIGH, MEDIUM

RUNNING, COMPLETED, SKIPPED, CANCELLED = "RUNNING", "COMPLETED", "SKIPPED", "CANCELLED"  # PENDING: no verdict at all
DELIVERY = "delivery"
CRITICAL_FACTOR = 3
Ladder = tuple[tuple[int, str], ...]  # (a breach by more than so many seconds, severity), the first at 0


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
    """`severity` is empty unless breached, or LOW of a stage that is, or was, at risk and not breached.

    `judge_at` is the next instant after which time alone changes the verdict.
    """

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


def severity_of(least: str, late: timedelta, target_seconds: int | None, ladder: Ladder = ()) -> str:
    """Later by more than the target's length is HIGH, by more than three times CRITICAL; or as the ladder says."""
    if ladder:
        seconds = late.total_seconds()
        return [severity for after, severity in ladder if after == 0 or seconds > after][-1]
    if target_seconds is None:
        return least
    target = timedelta(seconds=target_seconds)
    if late > CRITICAL_FACTOR * target:
        return CRITICAL
    return HIGH if late > target else least


def next_raise(due: datetime, target_seconds: int | None, severity: str, ladder: Ladder = ()) -> datetime | None:
    if ladder:
        steps = [severity for _, severity in ladder]
        index = steps.index(severity) + 1
        return due + timedelta(seconds=ladder[index][0]) if index < len(ladder) else None
    if target_seconds is None or severity == CRITICAL:
        return None
    return due + timedelta(seconds=target_seconds * (1 if severity == MEDIUM else CRITICAL_FACTOR))
