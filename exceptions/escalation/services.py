"""Keeps plans of escalation. Every save is a new version."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from e2a.errors import Conflict, Unprocessable
from exceptions.escalation import clocks
from exceptions.escalation.models import EscalationPlan
from exceptions.escalation.reading import Plan, read_plan


class SavedMeanwhile(Conflict):
    """Somebody else has saved another version since you opened this one; nothing was changed. Load it anew."""


def save_plan(
    *, base: int, chains: Any, rota: Any, members: Collection[int], actor: str, now: datetime
) -> EscalationPlan:
    """`base`: the version that was edited; of two who save on the same one, one does. What already waits follows the new
    version from now on. Raises: Unprocessable with sentences at their paths; SavedMeanwhile."""
    checked_plan(chains, rota, members)
    current = EscalationPlan.objects.order_by("-version").values_list("version", flat=True).first() or 0
    if current != base:
        raise SavedMeanwhile
    try:
        with transaction.atomic():
            clocks.wait_for_rounds()
            row = EscalationPlan.objects.create(
                version=base + 1, chains=chains, rota=rota, actor=actor[:200], created_at=now
            )
            clocks.start_missing(now=now)
            clocks.look_anew(now=now)
    except IntegrityError:
        raise SavedMeanwhile from None
    return row


def checked_plan(chains: Any, rota: Any, members: Collection[int]) -> Plan:
    """Raises: Unprocessable."""
    plan, errors = read_plan(chains, rota, members=members)
    if errors:
        raise Unprocessable(errors=errors)
    return plan
