"""Ends snoozes whose time has come: an exception is back before the eyes of whoever has it."""

from datetime import datetime

from django.db import transaction

from exceptions import transitions
from exceptions.models import ExceptionRecord
from exceptions.notifications.services import Notice, notify
from exceptions.notifications.words import Matter
from exceptions.services import act_on_locked
from exceptions.transitions import UNRESOLVED

ACTOR = "clock"
BATCH = 500


def wake_due(*, now: datetime) -> int:
    """Returns how many. Of two who look at once, the second finds nothing left of what the first has locked."""
    due = ExceptionRecord.objects.filter(snoozed_until__lte=now, status__in=UNRESOLVED)
    ids = list(due.order_by("snoozed_until").values_list("pk", flat=True)[:BATCH])
    with transaction.atomic():
        woken = act_on_locked(due.filter(pk__in=ids), transitions.wake(), actor=ACTOR, reason="", now=now).changed
        mine = ExceptionRecord.objects.filter(pk__in=woken, assignee_id__isnull=False)
        notices = [
            Notice(
                user_id=user_id,
                matter=Matter.WOKEN,
                subject=f"woken:{pk}:{now.isoformat()}",
                exception_id=pk,
                actor=ACTOR,
            )
            for pk, user_id in mine.values_list("pk", "assignee_id")
            if user_id is not None
        ]
        notify(notices, now=now)
    return len(woken)
