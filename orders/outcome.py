"""Both verdicts on an order: on the contract, with pauses and exclusions, and on the customer's promise, by the wall clock. Pure.

They are read off what the fold has stored, so that time needs to change nothing.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from orders.stages import CANCELLED, DELIVERY, RUNNING
from tenants.weights import LOW


class Outcome(StrEnum):
    """`NONE`: nothing was agreed or promised."""

    NONE = "none"
    OPEN = "open"
    PAUSED = "paused"
    AT_RISK = "at_risk"
    BROKEN = "broken"
    KEPT = "kept"
    CANCELLED = "cancelled"


class StageLike(Protocol):
    """A stored stage."""

    name: str
    state: str
    ended_at: datetime | None
    due_at: datetime | None
    breached: bool
    severity: str
    target_seconds: int | None


WORST_FIRST = (Outcome.BROKEN, Outcome.AT_RISK, Outcome.PAUSED, Outcome.OPEN, Outcome.KEPT, Outcome.CANCELLED)


def contract_outcome(stages: Iterable[StageLike], promised_at: datetime | None) -> Outcome:
    """The worst over the stages that have a target; a delivery that is due at the promise is the promise's."""
    found = {
        stage_outcome(stage)
        for stage in stages
        if not (stage.name == DELIVERY and promised_at is not None and stage.due_at == promised_at)
    }
    return next((outcome for outcome in WORST_FIRST if outcome in found), Outcome.NONE)


def stage_outcome(stage: StageLike) -> Outcome:
    if stage.breached:
        return Outcome.BROKEN
    if stage.due_at is None and stage.target_seconds is None:
        return Outcome.NONE
    if stage.state == CANCELLED:
        return Outcome.CANCELLED
    if stage.state != RUNNING:
        return Outcome.KEPT
    if stage.severity == LOW:
        return Outcome.AT_RISK
    return Outcome.OPEN if stage.due_at is not None else Outcome.PAUSED


def promise_outcome(promised_at: datetime | None, delivery: StageLike | None, now: datetime) -> Outcome:
    """No hold moves a promise; a delivery after it, or none by now, has broken it."""
    if promised_at is None:
        return Outcome.NONE
    ended = delivery.ended_at if delivery else None
    if delivery is not None and delivery.state == CANCELLED:
        return Outcome.BROKEN if ended is not None and ended > promised_at else Outcome.CANCELLED
    if ended is not None:
        return Outcome.KEPT if ended <= promised_at else Outcome.BROKEN
    return Outcome.BROKEN if now > promised_at else Outcome.OPEN
