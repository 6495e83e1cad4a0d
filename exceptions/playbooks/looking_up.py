"""What happened to actions that nobody answered for: a worker died, a line broke. They are looked up, not repeated.

What left a trace is done. What left none may be done again if it can be undone; what cannot be undone is never done again
by itself: its playbook stops and a person decides.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from exceptions.choices import Kind
from exceptions.deliveries.models import DeliveryState
from exceptions.models import ExceptionRecord
from exceptions.playbooks.channels import channel_of
from exceptions.playbooks.channels.calls import Found, NotPossible, Performed
from exceptions.playbooks.executor import FIRST_LOOK, Desk, complete, fail, settle, work_of, write
from exceptions.playbooks.models import Attempt, Plan
from exceptions.playbooks.planning import block, is_current, locked, mark_blocked
from exceptions.playbooks.telling import tell_attempt
from exceptions.playbooks.words import PlanState, State
from tenants.clients.errors import CallError

PATIENCE = timedelta(minutes=2)  # a call may still be under way at the other side for so long
LOOK_PAUSE = timedelta(seconds=30)
LONGEST_LOOKING = timedelta(hours=2)
FOLLOW_PAUSE = timedelta(seconds=2)
CHUNK = 200
NO_TRACE = "No answer came, and the order shows no trace of it."
CANNOT_TELL = "No answer came, and nothing can tell whether it was done; it is not repeated."


def recover(*, now: datetime) -> int:
    """Rows whose worker died: a claim is free again, since nothing was sent; what was sent is to be looked up."""
    claimed = Attempt.objects.filter(state=State.CLAIMED, due_at__lte=now).update(state=State.PLANNED, due_at=now)
    lost = Attempt.objects.filter(state=State.SENT, due_at__lte=now)
    for attempt in lost.order_by("pk")[:CHUNK]:
        with transaction.atomic():
            sentence = "The worker went away before it could write down what became of the call."
            columns = {"state": State.UNKNOWN, "due_at": now, "outcome": sentence}
            if write(attempt, State.SENT, columns):
                tell_attempt(attempt, Kind.ACTION_UNKNOWN, now=now, reason=sentence)
                claimed += 1
    return claimed


def due_looks(*, now: datetime) -> Sequence[Attempt]:
    return list(Attempt.objects.filter(state=State.UNKNOWN, due_at__lte=now).order_by("due_at", "pk")[:CHUNK])


def look_up(desk: Desk, attempt: Attempt) -> None:
    """Reads; two that look at once come to the same, and one of them writes it."""
    record = ExceptionRecord.objects.select_related("order").get(pk=attempt.exception_id)
    work = work_of(desk, attempt, record)
    try:
        found = channel_of(work.action).look_up(work, desk.tools)
    except (CallError, NotPossible):
        found = None
    now = desk.now()
    since = now - (attempt.sent_at or now)
    if found == Found.HAPPENED:
        settle(attempt, State.UNKNOWN, Performed("No answer came, but the order shows that it was done."), now)
    elif found == Found.UNCLEAR or (found is None and since > LONGEST_LOOKING):
        give_up(attempt, State.UNCERTAIN, CANNOT_TELL, now)
    elif found is None or (work.action.channel == "shopify" and since < PATIENCE):
        write(attempt, State.UNKNOWN, {"due_at": now + (LOOK_PAUSE if found is None else FIRST_LOOK)})
    elif attempt.irreversible:
        give_up(
            attempt,
            State.FAILED,
            f"{NO_TRACE} It cannot be undone, so a person decides whether it is tried again.",
            now,
        )
    else:
        write(attempt, State.UNKNOWN, {"state": State.PLANNED, "due_at": now, "outcome": NO_TRACE})


def give_up(attempt: Attempt, into: State, sentence: str, now: datetime) -> None:
    """What can be undone leads to the next step; what cannot stops the playbook."""
    if not attempt.irreversible:
        fail(attempt, State.UNKNOWN, into, sentence, now)
        return
    columns = {"state": into, "due_at": None, "ended_at": now, "outcome": sentence}
    with transaction.atomic():
        record = locked(attempt.exception_id)
        if not write(attempt, State.UNKNOWN, columns):
            return
        tell_attempt(attempt, Kind.ACTION_FAILED, now=now, reason=sentence)
        plan = Plan.objects.select_related("playbook").filter(attempts__pk=attempt.pk, state=PlanState.RUNNING).first()
        if plan is not None and is_current(plan, record):
            block(plan, record, (attempt.step or 0) + 1, sentence, now)
        else:
            mark_blocked(record, sentence, attempt.actor, now)


def follow_deliveries(*, now: datetime) -> int:
    """Messages that have ended: what they were for goes on."""
    followed = 0
    waiting = Attempt.objects.filter(state=State.DELIVERING, due_at__lte=now).select_related("delivery")
    for attempt in waiting.order_by("due_at", "pk")[:CHUNK]:
        delivery = attempt.delivery
        state = delivery.state if delivery else DeliveryState.FAILED
        said = str(delivery.log[-1]["answer"]) if delivery and delivery.log else "The message is gone."
        match state:
            case DeliveryState.DELIVERED:
                complete(attempt, State.DELIVERING, {"outcome": said, "answer": said, "answered_at": now}, now)
            case DeliveryState.UNCERTAIN:
                complete(attempt, State.DELIVERING, {"outcome": f"{said} It is not sent again."}, now)
            case DeliveryState.FAILED:
                fail(attempt, State.DELIVERING, State.FAILED, said, now)
            case _:
                write(attempt, State.DELIVERING, {"due_at": now + FOLLOW_PAUSE})
                continue
        followed += 1
    return followed
