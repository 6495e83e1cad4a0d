"""The clocks of escalation: started, stopped while snoozed, set going. The caller holds the exceptions' locks."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Coalesce

from exceptions.choices import Kind
from exceptions.escalation.models import EscalationClock

# One for each exception that is still to be dealt with; those that have one keep it.
START = """
INSERT INTO exceptions_escalationclock (exception_id, started_at, paused_at, due_at, done)
SELECT id, %(now)s, CASE WHEN snoozed_until > %(now)s THEN %(now)s END,
  CASE WHEN snoozed_until > %(now)s THEN NULL ELSE %(now)s END, ARRAY[]::varchar[]
FROM exceptions_record WHERE status <> 'RESOLVED' AND verdict = 'active' AND NOT history
  AND EXISTS (SELECT FROM exceptions_escalationplan) {which} ORDER BY id
ON CONFLICT (exception_id) DO """
RESTART = "UPDATE SET started_at = EXCLUDED.started_at, paused_at = EXCLUDED.paused_at, due_at = EXCLUDED.due_at, done = EXCLUDED.done"
# What is locked by a change under way is left alone: every such change sets its clock to be looked at by itself.
LOOK_ANEW = """
UPDATE exceptions_escalationclock SET due_at = %(now)s WHERE exception_id IN (
  SELECT k.exception_id FROM exceptions_escalationclock k JOIN exceptions_record r ON r.id = k.exception_id
  WHERE k.paused_at IS NULL AND r.status <> 'RESOLVED' AND r.verdict = 'active' FOR UPDATE OF k SKIP LOCKED)"""
LOCK = 20_72  # the class of the advisory locks by which a save and the rounds wait for each other, one a tenant


def start_missing(*, now: datetime) -> None:
    """For what was open before there was a chain: it counts from now."""
    with connection.cursor() as cursor:
        cursor.execute(START.format(which="") + "NOTHING", {"now": now})


def look_anew(*, now: datetime) -> None:
    """After the plan was changed: whatever waits is looked at by the new one."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK_ANEW, {"now": now})


def wait_for_rounds() -> None:
    """Until this transaction ends no round begins: none works by a plan that is being replaced."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(current_schema()))", [LOCK])


def wait_for_save() -> None:
    """Rounds go on beside each other, and wait for who saves."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, hashtext(current_schema()))", [LOCK])


def restart(ids: Sequence[int], *, now: datetime) -> None:
    """For what a person has opened again."""
    with connection.cursor() as cursor:
        cursor.execute(START.format(which="AND id = ANY (%(ids)s)") + RESTART, {"now": now, "ids": list(ids)})


def pause(ids: Sequence[int], *, now: datetime) -> None:
    """While it is snoozed no time passes."""
    clocks = EscalationClock.objects.filter(exception_id__in=ids)
    clocks.update(paused_at=Coalesce("paused_at", Value(now)), due_at=None)


def go_on(ids: Sequence[int], *, now: datetime) -> None:
    """It has waited that much less."""
    paused = EscalationClock.objects.filter(exception_id__in=ids, paused_at__isnull=False)
    paused.update(started_at=F("started_at") + (Value(now) - F("paused_at")), paused_at=None, due_at=now)


WHEN: Mapping[str, Callable[..., None]] = {Kind.REOPENED: restart, Kind.SNOOZED: pause, Kind.WOKEN: go_on}


def follow_act(kind: str, ids: Sequence[int], *, now: datetime) -> None:
    """What a person's act means for the clocks; acknowledging and resolving are seen when a step is due."""
    if kind in WHEN:
        WHEN[kind](ids, now=now)
