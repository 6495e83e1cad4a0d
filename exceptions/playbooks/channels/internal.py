"""Actions inside E²A: assigning, holds of its own, waiting. All of them may be done twice: the second time changes nothing."""

from datetime import datetime
from typing import TypedDict

from exceptions import transitions
from exceptions.errors import ImpossibleChange
from exceptions.models import ExceptionRecord
from exceptions.playbooks.channels.calls import Found, NotPossible, Performed, Prepared, Tools, Work, undo_of
from exceptions.playbooks.models import Attempt
from exceptions.playbooks.words import EFFECTIVE
from exceptions.selectors import find_member
from exceptions.services import act_on_one
from orders.services import NoSuchHold, hold_order, release_order
from tenants.clients.errors import Refused
from tenants.models import User


class Internal:
    def prepare(self, work: Work, tools: Tools) -> Prepared:
        match work.action.name:
            case "assign":
                return shown(work, {"assign_to": member_of(work).username})
            case "hold":
                return shown(work, {"event": "order_held", "reason": work.parameters["reason"]})
            case "release":
                return shown(work, {"event": "order_released", "holds": own_holds(work)})
        return shown(work, {"wait": True})

    def perform(self, work: Work, prepared: Prepared, tools: Tools) -> Performed:
        match work.action.name:
            case "assign":
                return Performed(assign(work))
            case "hold":
                whose = whose_of(work)
                hold_order(**whose, reason=str(work.parameters["reason"]), key=work.key)
                return Performed("The clocks stand still.")
            case "release":
                return Performed(release(work, prepared.request["holds"]))
        return Performed("It waits.")

    def look_up(self, work: Work, tools: Tools) -> Found:
        return Found.ABSENT


def shown(work: Work, request: dict[str, object]) -> Prepared:
    return Prepared(request, "nothing", undo_of(work.action))


class Whose(TypedDict):
    schema: str
    merchant: str
    order_id: str
    actor: str
    now: datetime


def whose_of(work: Work) -> Whose:
    subject = work.subject
    return {
        "schema": subject.schema,
        "merchant": subject.merchant,
        "order_id": subject.order_id,
        "actor": work.actor,
        "now": work.now,
    }


def member_of(work: Work) -> User:
    """Raises: NotPossible."""
    name = str(work.parameters["member"])
    found = find_member(work.subject.schema, name)
    if found is None:
        raise NotPossible(f"“{name}” is no member of the team.")
    taken = ExceptionRecord.objects.filter(pk=work.subject.exception_id).values_list("assignee_id", flat=True).first()
    if taken not in (None, found.pk):
        raise NotPossible("Somebody else has it already.")
    return found


def assign(work: Work) -> str:
    """Raises: Refused."""
    user = member_of(work)
    act = transitions.take(assignee_id=user.pk, name=user.username)
    try:
        act_on_one(work.subject.exception_id, act, actor=work.actor, reason="", now=work.now)
    except ImpossibleChange as error:
        record = ExceptionRecord.objects.get(pk=work.subject.exception_id)
        if record.assignee_id != user.pk:
            raise Refused(error.detail) from None
    return f"{user.username} has it."


def own_holds(work: Work) -> list[str]:
    """The holds that actions on this order have recorded. Raises: NotPossible when there are none."""
    keys = Attempt.objects.filter(order_id=work.subject.order_pk, kind="hold", state__in=EFFECTIVE).order_by("pk")
    found = [f"e2a-{key.hex}" for key in keys.values_list("key", flat=True)]
    if not found:
        raise NotPossible("No action has held this order.")
    return found


def release(work: Work, holds: list[str]) -> str:
    """Raises: Refused when none of them is open any more."""
    ended = 0
    for hold in holds:
        try:
            release_order(**whose_of(work), hold_id=hold, key=f"{work.key}:{hold}")
            ended += 1
        except NoSuchHold:
            continue
    if not ended:
        raise Refused("The holds that were recorded are released already.")
    return f"{ended} {'hold' if ended == 1 else 'holds'} released; the clocks run."
