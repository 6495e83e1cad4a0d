"""Does what is planned: claims a row, prepares the call, notes that it is about to be sent, calls, writes what came of it.

planned → claimed (a lease) → sent → done or expecting, delivering, failed; unknown when no answer came (`looking_up`).
The note before the call is committed: whoever finds a row that was sent knows that the call may have been made.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from e2a.crash import crash_point
from exceptions.choices import Kind, Status
from exceptions.deliveries.sender import database_clock
from exceptions.models import ExceptionRecord
from exceptions.playbooks.catalogue import ACTION_KINDS
from exceptions.playbooks.channels import channel_of
from exceptions.playbooks.channels.calls import NotNeeded, NotPossible, Performed, Prepared, Tools, Work
from exceptions.playbooks.models import Attempt, Plan
from exceptions.playbooks.planning import advance, is_actionable, is_current, is_try, locked
from exceptions.playbooks.subject import subject_of
from exceptions.playbooks.telling import tell, tell_attempt
from exceptions.playbooks.words import State
from tenants.clients.errors import Busy, CallError, Refused, Unsure
from tenants.models import Tenant

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=180)
FIRST_LOOK = timedelta(seconds=10)
WAITS = (5, 30, 120, 600, 1800)  # seconds, after each try in which nothing was done
LONGEST_OUTCOME = 500
Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose actions are done, and by which means."""

    tenant: Tenant
    tools: Tools = field(default_factory=Tools)
    now: Now = database_clock


def claim_attempt(*, now: datetime) -> Attempt | None:
    """One that is due, leased to the caller; None when nothing is. Of several who ask at once each gets another."""
    due = Attempt.objects.filter(state=State.PLANNED, due_at__lte=now).order_by("due_at", "pk")
    for pk in due.values_list("pk", flat=True)[:10]:
        mine = Attempt.objects.filter(pk=pk, state=State.PLANNED, due_at__lte=now)
        if mine.update(state=State.CLAIMED, due_at=now + LEASE, tries=F("tries") + 1):
            return Attempt.objects.get(pk=pk)
    return None


def run_attempt(desk: Desk, attempt: Attempt) -> None:
    """What the caller has claimed. Never raises for what a call can meet."""
    record = ExceptionRecord.objects.select_related("order").get(pk=attempt.exception_id)
    if not is_wanted_still(attempt, record):
        fail(attempt, State.CLAIMED, State.ENDED, "The exception is over.", desk.now())
        return
    work = work_of(desk, attempt, record)
    channel = channel_of(work.action)
    try:
        prepared = channel.prepare(work, desk.tools)
        refuse_more_money(attempt, prepared)
    except NotPossible as error:
        into = State.ENDED if isinstance(error, NotNeeded) else State.FAILED
        fail(attempt, State.CLAIMED, into, error.sentence, desk.now())
        return
    except CallError as error:
        not_done(attempt, State.CLAIMED, error, desk.now())
        return
    crash_point("action_prepared")
    if note_sending(attempt, prepared, desk.now()):
        crash_point("action_noted")
        call(desk, attempt, work, prepared)


def is_wanted_still(attempt: Attempt, record: ExceptionRecord) -> bool:
    plan = Plan.objects.filter(attempts__pk=attempt.pk).first() if attempt.plan_id else None
    return is_current(plan, record) if plan else is_actionable(record)


def work_of(desk: Desk, attempt: Attempt, record: ExceptionRecord) -> Work:
    return Work(
        subject=subject_of(desk.tenant, record),
        action=ACTION_KINDS[attempt.kind],
        parameters=attempt.parameters,
        key=attempt.key.hex,
        actor=attempt.actor,
        now=desk.now(),
        request=attempt.request,
    )


def refuse_more_money(attempt: Attempt, prepared: Prepared) -> None:
    """What was approved for one sum is not done for a larger one. Raises: NotPossible."""
    if prepared.money_cents is None or attempt.money_cents is None or not attempt.approvals_needed:
        return
    if prepared.money_cents > attempt.money_cents:
        was, is_now = attempt.money_cents / 100, prepared.money_cents / 100
        raise NotPossible(f"It was approved for {was:.2f}, but would move {is_now:.2f}; it needs a new approval.")


def note_sending(attempt: Attempt, prepared: Prepared, now: datetime) -> bool:
    """Whether the call may be made: under the exception's lock, so that nobody resolves it at the same moment."""
    first = attempt.sent_at is None
    with transaction.atomic():
        record = locked(attempt.exception_id)
        if not is_wanted_still(attempt, record):
            fail(attempt, State.CLAIMED, State.ENDED, "The exception is over.", now)
            return False
        mine = Attempt.objects.filter(pk=attempt.pk, state=State.CLAIMED, tries=attempt.tries)
        noted = mine.update(
            state=State.SENT,
            due_at=now + LEASE,
            sent_at=now,
            request=prepared.request,
            cost=prepared.cost,
            undo=prepared.undo,
            money_cents=attempt.money_cents if prepared.money_cents is None else prepared.money_cents,
            currency=prepared.currency or attempt.currency,
        )
        if noted and first and is_try(attempt.kind, attempt.expects):
            take_up(attempt, record, now)
    attempt.refresh_from_db()
    return bool(noted)


def take_up(attempt: Attempt, record: ExceptionRecord, now: datetime) -> None:
    """An action that should solve the exception counts as a try to, and sets it in progress."""
    ExceptionRecord.objects.filter(pk=record.pk).update(
        resolution_attempts=F("resolution_attempts") + 1, updated_at=now
    )
    started = ExceptionRecord.objects.filter(pk=record.pk, status__in=[Status.OPEN, Status.ACKNOWLEDGED])
    if started.update(status=Status.IN_PROGRESS):
        Plan.objects.filter(attempts__pk=attempt.pk).update(took=True)
        tell(record.pk, Kind.STARTED, actor=attempt.actor, now=now)


def call(desk: Desk, attempt: Attempt, work: Work, prepared: Prepared) -> None:
    try:
        performed = channel_of(work.action).perform(work, prepared, desk.tools)
    except NotPossible as error:
        fail(attempt, State.SENT, State.FAILED, error.sentence, desk.now())
    except Unsure as error:
        leave_unknown(attempt, error.sentence, desk.now())
    except CallError as error:
        not_done(attempt, State.SENT, error, desk.now())
    else:
        crash_point("action_answered")
        settle(attempt, State.SENT, performed, desk.now())


def not_done(attempt: Attempt, state: State, error: CallError, now: datetime) -> None:
    """Nothing was done: later again, unless the other side refused or it was tried often enough."""
    if isinstance(error, Refused) or attempt.tries > len(WAITS):
        fail(attempt, state, State.FAILED, error.sentence, now)
        return
    wish = error.wait_seconds if isinstance(error, Busy) else None
    wait = timedelta(seconds=max(WAITS[attempt.tries - 1], wish or 0))
    write(attempt, state, {"state": State.PLANNED, "due_at": now + wait, "outcome": error.sentence})


def leave_unknown(attempt: Attempt, sentence: str, now: datetime) -> None:
    columns = {"state": State.UNKNOWN, "due_at": now + FIRST_LOOK, "outcome": sentence}
    with transaction.atomic():
        if write(attempt, State.SENT, columns):
            tell_attempt(attempt, Kind.ACTION_UNKNOWN, now=now, reason=sentence)


def settle(attempt: Attempt, state: State, performed: Performed, now: datetime) -> None:
    """The call was made. A message is done when it is delivered; what is expected of it counts from then."""
    columns: dict[str, Any] = {"answer": performed.answer, "answered_at": now, "outcome": performed.answer}
    if performed.delivery_id is not None:
        columns |= {"state": State.DELIVERING, "due_at": now, "delivery_id": performed.delivery_id}
        write(attempt, state, columns)
        return
    complete(attempt, state, columns, now)


def complete(attempt: Attempt, state: State, columns: dict[str, Any], now: datetime) -> None:
    """Done, or now waiting for what it should lead to."""
    if attempt.expects and attempt.expect_seconds:
        until = now + timedelta(seconds=attempt.expect_seconds)
        columns |= {"state": State.EXPECTING, "due_at": until, "expect_until": until}
    else:
        columns |= {"state": State.DONE, "due_at": None, "ended_at": now}
    with transaction.atomic():
        written = write(attempt, state, columns)
        if written:
            tell_attempt(attempt, Kind.ACTION_DONE, now=now, reason=str(columns.get("outcome", "")))
    if written and columns["state"] == State.DONE:
        advance(attempt, now=now)


def fail(attempt: Attempt, state: State, into: State, sentence: str, now: datetime) -> None:
    columns = {"state": into, "due_at": None, "ended_at": now, "outcome": sentence}
    kind = Kind.ACTION_ENDED if into == State.ENDED else Kind.ACTION_FAILED
    with transaction.atomic():
        written = write(attempt, state, columns)
        if written:
            tell_attempt(attempt, kind, now=now, reason=sentence)
    if written:
        advance(attempt, now=now)


def write(attempt: Attempt, state: State, columns: dict[str, Any]) -> bool:
    """Only if the row still is in that state and nobody has claimed it since."""
    if "outcome" in columns:
        columns = {**columns, "outcome": str(columns["outcome"])[:LONGEST_OUTCOME]}
    mine = Attempt.objects.filter(pk=attempt.pk, state=state, tries=attempt.tries)
    return bool(mine.update(**columns))
