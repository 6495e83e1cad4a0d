"""What a playbook does, as rows of the exception's timeline."""

from datetime import datetime
from typing import Any

from exceptions.choices import Kind
from exceptions.models import TimelineEntry
from exceptions.playbooks.catalogue import ACTION_KINDS
from exceptions.playbooks.models import Attempt


def tell(exception_id: int, kind: Kind, *, actor: str, now: datetime, reason: str = "", **detail: Any) -> None:
    TimelineEntry.objects.create(
        exception_id=exception_id, at=now, kind=kind, actor=actor, reason=reason[:2000], detail=detail
    )


def tell_attempt(attempt: Attempt, kind: Kind, *, now: datetime, reason: str = "", actor: str = "") -> None:
    """By the attempt's own actor unless somebody else did it."""
    action = ACTION_KINDS[attempt.kind]
    tell(
        attempt.exception_id,
        kind,
        actor=actor or attempt.actor,
        now=now,
        reason=reason,
        attempt=attempt.pk,
        action=attempt.kind,
        title=action.title,
    )
