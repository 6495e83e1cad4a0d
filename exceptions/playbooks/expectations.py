"""Whether an action led to what was expected: what the order's events say, not what the call returned.

An event of the expected type that happened after the action and came in time fulfils it and closes the exception; the exception
being over by itself does so too. Without one, in time, it was in vain: the next step begins.
"""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from exceptions.choices import Kind, Resolution, ResolvedBy, Status, Verdict
from exceptions.models import ExceptionRecord
from exceptions.notifications.services import Notice, notify
from exceptions.notifications.words import Matter
from exceptions.playbooks.models import Attempt, Plan
from exceptions.playbooks.planning import advance, is_actionable, locked
from exceptions.playbooks.telling import tell, tell_attempt
from exceptions.playbooks.words import PlanState, State

CHUNK = 500
CURES = (Resolution.CURED, Resolution.COMPLETED_LATE)
MET = """
SELECT a.id, e.event_type, e.source || '/' || e.event_id
FROM exceptions_attempt a CROSS JOIN LATERAL (
  SELECT source, event_id, event_type FROM orders_event e
  WHERE e.order_id = a.order_id AND a.expects ? e.event_type AND NOT e.quarantined
    AND e.received_at >= a.sent_at AND e.effective_at >= a.sent_at - interval '60 seconds'
    AND e.effective_at <= a.expect_until
  ORDER BY e.effective_at, e.id LIMIT 1) e
WHERE a.state = 'expecting' ORDER BY a.id LIMIT %s"""  # clocks of shops go wrong by up to a minute, and cut the seconds


def check_expectations(*, now: datetime) -> int:
    """Returns how many were decided."""
    decided = 0
    for attempt_id, event_type, event in met():
        decided += fulfil(attempt_id, f"{event_type} ({event})"[:200], now)
    waiting = Attempt.objects.filter(state=State.EXPECTING)
    cured = Q(exception__verdict=Verdict.OVER, exception__resolution__in=CURES)
    for attempt in waiting.filter(cured).order_by("pk")[:CHUNK]:
        decided += fulfil(attempt.pk, "the order's own events", now)
    never = waiting.filter(exception__verdict=Verdict.NONE)
    for attempt in never.order_by("pk")[:CHUNK]:
        decided += close(attempt, State.ENDED, Kind.ACTION_ENDED, "It turned out that nothing had been wrong.", now)
    for attempt in waiting.filter(due_at__lte=now).order_by("due_at", "pk")[:CHUNK]:
        decided += miss(attempt, now)
    return decided


def met() -> list[tuple[int, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(MET, [CHUNK])
        rows: list[tuple[int, str, str]] = cursor.fetchall()
    return rows


def fulfil(attempt_id: int, met_by: str, now: datetime) -> int:
    with transaction.atomic():
        attempt = Attempt.objects.get(pk=attempt_id)
        record = locked(attempt.exception_id)
        mine = Attempt.objects.filter(pk=attempt_id, state=State.EXPECTING)
        if not mine.update(state=State.FULFILLED, due_at=None, ended_at=now, met_by=met_by):
            return 0
        tell_attempt(attempt, Kind.EXPECTATION_MET, now=now, reason=met_by)
        if is_actionable(record):
            resolve(attempt, record, now)
        Plan.objects.filter(attempts__pk=attempt.pk, state=PlanState.RUNNING).update(
            state=PlanState.DONE, ended_at=now, ended_why="What was expected has come."
        )
    return 1


def resolve(attempt: Attempt, record: ExceptionRecord, now: datetime) -> None:
    """A decision, as a person's: the verdict stays what the order's events make it."""
    ExceptionRecord.objects.filter(pk=record.pk).update(
        status=Status.RESOLVED,
        resolution=Resolution.ACTION,
        resolved_by=ResolvedBy.PLAYBOOK,
        resolved_at=now,
        snoozed_until=None,
        updated_at=now,
    )
    tell(record.pk, Kind.RESOLVED, actor=attempt.actor, now=now, resolution=Resolution.ACTION, attempt=attempt.pk)
    if record.assignee_id is not None:
        notice = Notice(
            user_id=record.assignee_id,
            matter=Matter.OVER,
            subject=f"exception:{record.pk}:{record.occurrence_count}",
            exception_id=record.pk,
            actor=attempt.actor,
        )
        notify([notice], now=now)


def miss(attempt: Attempt, now: datetime) -> int:
    expected = " or ".join(attempt.expects)
    missed = close(attempt, State.MISSED, Kind.EXPECTATION_MISSED, f"No {expected} came in time.", now)
    if missed:
        advance(attempt, now=now)
    return missed


def close(attempt: Attempt, into: State, kind: Kind, sentence: str, now: datetime) -> int:
    with transaction.atomic():
        mine = Attempt.objects.filter(pk=attempt.pk, state=State.EXPECTING)
        closed = mine.update(state=into, due_at=None, ended_at=now, outcome=sentence[:500])
        if closed:
            tell_attempt(attempt, kind, now=now, reason=sentence)
    return closed
