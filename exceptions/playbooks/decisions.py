"""What people decide about actions: run one, approve, reject, or let a blocked playbook go on.

Every decision locks the exception first, so of several who decide at once one has the effect and the others a clear refusal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, connection, transaction

from e2a.pulse import pulse
from exceptions.choices import Kind
from exceptions.errors import NoSuchException
from exceptions.models import ExceptionRecord
from exceptions.playbooks.catalogue import ACTION_KINDS, ActionKind
from exceptions.playbooks.errors import NeedsManager, NeedsPerson, NoSuchAttempt, NotNow, WrongAction
from exceptions.playbooks.models import Approval, Attempt, Plan
from exceptions.playbooks.parameters import parameter_troubles
from exceptions.playbooks.planning import (
    advance,
    begin_step,
    is_actionable,
    is_current,
    locked,
    money_at_stake,
    playbooks_in_force,
)
from exceptions.playbooks.steps import Step, approvals_needed, steps_from_json
from exceptions.playbooks.telling import tell, tell_attempt
from exceptions.playbooks.words import EFFECTIVE, Approver, Mode, PlanState, State
from tenants.models import Scope

OVER = "The exception is over: there is nothing left to do. Nothing was changed."
DONE_BEFORE = "This was done to the order before, and cannot be undone; it is not done twice. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides: `user:NAME` or `key:PREFIX`, with scopes."""

    actor: str
    scopes: frozenset[str]

    @property
    def is_person(self) -> bool:
        return self.actor.startswith("user:")

    def may_approve(self, approver: str) -> bool:
        return approver != Approver.MANAGER or Scope.ADMIN in self.scopes


def run_action(
    *, exception_id: int, kind: str, parameters: Mapping[str, Any], by: Decider, now: datetime, reason: str = ""
) -> Attempt:
    """An action of one's own choice. What cannot be undone waits for its approvals; who runs it has given one.

    Raises: NoSuchException, NotNow, WrongAction, NeedsPerson.
    """
    action = checked_kind(kind)
    check_parameters(action, parameters)
    with transaction.atomic():
        record = actionable(exception_id)
        step = step_of(record, kind)
        money = money_at_stake(kind, parameters, record)
        needed = max(1, approvals_needed(step, money)) if action.irreversible else 0
        if needed and not by.is_person:
            raise NeedsPerson
        attempt = write_own(record, action, parameters, step, by, money, needed, now)
        tell_attempt(attempt, Kind.APPROVAL_ASKED if needed else Kind.ACTION_PLANNED, now=now, reason=reason)
        if needed and by.may_approve(attempt.approver):
            give_word(attempt, by, True, reason, now)
        touch()
    attempt.refresh_from_db()
    return attempt


def write_own(
    record: ExceptionRecord,
    action: ActionKind,
    parameters: Mapping[str, Any],
    step: Step,
    by: Decider,
    money: int | None,
    needed: int,
    now: datetime,
) -> Attempt:
    """Raises: NotNow when it was done before and cannot be undone."""
    done = Attempt.objects.filter(order=record.order, kind=action.name, irreversible=True, state__in=EFFECTIVE)
    if action.irreversible and done.exists():
        raise NotNow(DONE_BEFORE)
    try:
        with transaction.atomic():
            return Attempt.objects.create(
                exception=record,
                order=record.order,
                kind=action.name,
                mode=Mode.APPROVE if needed else Mode.SUGGEST,
                parameters=dict(parameters),
                irreversible=action.irreversible,
                actor=by.actor,
                state=State.AWAITING if needed else State.PLANNED,
                due_at=None if needed else now,
                approver=step.approver if needed else "",
                approvals_needed=needed,
                money_cents=money,
                currency=record.order.currency if money is not None else "",
                undo=action.undo,
                expects=list(step.expects),
                expect_seconds=step.within_minutes * 60 if step.within_minutes else None,
                created_at=now,
            )
    except IntegrityError:
        raise NotNow(DONE_BEFORE) from None


def step_of(record: ExceptionRecord, kind: str) -> Step:
    """How the playbook of the reason sees this action; without one, what cannot be undone needs a manager."""
    book = playbooks_in_force().get(record.reason_code)
    steps = steps_from_json(book.steps) if book else ()
    found = next((step for step in steps if step.kind == kind and step.mode != Mode.OFF), None)
    if found is None:
        return Step(kind=kind, mode=Mode.APPROVE, approver=Approver.MANAGER)
    return Step(**{**plain(found), "mode": Mode.APPROVE})


def plain(step: Step) -> dict[str, Any]:
    return {name: getattr(step, name) for name in step.__dataclass_fields__}


def approve(
    *,
    exception_id: int,
    attempt_id: int,
    by: Decider,
    now: datetime,
    parameters: Mapping[str, Any] | None = None,
    reason: str = "",
) -> Attempt:
    """Runs what is suggested, or gives one's word to what waits for approval; `parameters` complete it.

    Raises: NoSuchException, NoSuchAttempt, NotNow, NeedsPerson, NeedsManager, WrongAction.
    """
    with transaction.atomic():
        actionable(exception_id)
        attempt = to_decide(exception_id, attempt_id)
        complete_parameters(attempt, parameters or {})
        if attempt.state == State.SUGGESTED and not attempt.irreversible:
            release_to_run(attempt, by, reason, now)
        else:
            check_word(attempt, by)
            give_word(attempt, by, True, reason, now)
        touch()
    attempt.refresh_from_db()
    return attempt


def reject(*, exception_id: int, attempt_id: int, by: Decider, now: datetime, reason: str = "") -> Attempt:
    """The playbook goes on with its next step. Raises: NoSuchException, NoSuchAttempt, NotNow, NeedsPerson, NeedsManager."""
    with transaction.atomic():
        actionable(exception_id)
        attempt = to_decide(exception_id, attempt_id)
        if attempt.state == State.AWAITING:
            check_word(attempt, by)
            Approval.objects.create(attempt=attempt, actor=by.actor, approved=False, reason=reason[:500], at=now)
        Attempt.objects.filter(pk=attempt.pk).update(
            state=State.REJECTED, ended_at=now, outcome=(reason or "Not wanted.")[:500]
        )
        tell_attempt(attempt, Kind.ACTION_REJECTED, now=now, reason=reason, actor=by.actor)
        advance(attempt, now=now)
        touch()
    attempt.refresh_from_db()
    return attempt


def unblock(*, exception_id: int, by: Decider, now: datetime, reason: str = "") -> None:
    """A person has looked: the playbook may try anew, from where it stopped. Raises: NoSuchException, NotNow."""
    with transaction.atomic():
        record = actionable(exception_id)
        if not record.resolution_blocked:
            raise NotNow("Its playbook is not stopped. Nothing was changed.")
        ExceptionRecord.objects.filter(pk=record.pk).update(
            resolution_blocked=False, resolution_blocked_reason="", resolution_attempts=0, updated_at=now
        )
        record.resolution_attempts = 0
        tell(record.pk, Kind.RESOLUTION_UNBLOCKED, actor=by.actor, now=now, reason=reason)
        plans = Plan.objects.select_related("playbook").filter(exception=record, state=PlanState.BLOCKED)
        plan = plans.order_by("-pk").first()
        if plan is not None and is_current(plan, record):
            Plan.objects.filter(pk=plan.pk).update(state=PlanState.RUNNING, ended_at=None, ended_why="")
            begin_step(plan, record, plan.step, now)
        touch()


def checked_kind(kind: str) -> ActionKind:
    """Raises: WrongAction."""
    if kind not in ACTION_KINDS:
        raise WrongAction(errors={"kind": [f"Choose one of {', '.join(ACTION_KINDS)}."]})
    return ACTION_KINDS[kind]


def check_parameters(action: ActionKind, parameters: Mapping[str, Any]) -> None:
    """Raises: WrongAction."""
    errors: dict[str, list[str]] = {}
    for name, text in parameter_troubles(action, parameters, running=True):
        errors.setdefault(f"parameters.{name}" if name else "parameters", []).append(text)
    if errors:
        raise WrongAction(errors=errors)


def actionable(exception_id: int) -> ExceptionRecord:
    """Locked. Raises: NoSuchException, NotNow."""
    try:
        record = locked(exception_id)
    except ExceptionRecord.DoesNotExist:
        raise NoSuchException from None
    if not is_actionable(record):
        raise NotNow(OVER)
    return record


def to_decide(exception_id: int, attempt_id: int) -> Attempt:
    """Raises: NoSuchAttempt, NotNow."""
    attempt = Attempt.objects.filter(pk=attempt_id, exception_id=exception_id).first()
    if attempt is None:
        raise NoSuchAttempt
    if attempt.state not in (State.SUGGESTED, State.AWAITING):
        raise NotNow(f"It is “{State(attempt.state).label}” now; there is nothing to decide. Nothing was changed.")
    return attempt


def check_word(attempt: Attempt, by: Decider) -> None:
    """Raises: NeedsPerson, NeedsManager, NotNow."""
    if not by.is_person:
        raise NeedsPerson
    if not by.may_approve(attempt.approver or Approver.OPERATOR):
        raise NeedsManager
    if attempt.approvals.filter(actor=by.actor).exists():
        raise NotNow("You have given your word already; it needs another person's. Nothing was changed.")


def complete_parameters(attempt: Attempt, given: Mapping[str, Any]) -> None:
    """Once one person has approved, the parameters stand. Raises: WrongAction, NotNow."""
    action = ACTION_KINDS[attempt.kind]
    merged = {**attempt.parameters, **given}
    if given and attempt.approvals.exists() and merged != attempt.parameters:
        raise NotNow("Somebody has approved it as it is; reject it to run it otherwise. Nothing was changed.")
    check_parameters(action, merged)
    if merged != attempt.parameters:
        attempt.parameters = merged
        record = ExceptionRecord.objects.select_related("order").get(pk=attempt.exception_id)
        money = money_at_stake(attempt.kind, merged, record)
        needed = max(1, approvals_needed(step_of(record, attempt.kind), money)) if attempt.approvals_needed else 0
        attempt.money_cents, attempt.approvals_needed = money, needed
        attempt.save(update_fields=["parameters", "money_cents", "approvals_needed"])


def give_word(attempt: Attempt, by: Decider, approved: bool, reason: str, now: datetime) -> None:
    Approval.objects.create(attempt=attempt, actor=by.actor, approved=approved, reason=reason[:500], at=now)
    if attempt.approvals.filter(approved=True).count() >= attempt.approvals_needed:
        release_to_run(attempt, by, reason, now)
    else:
        tell_attempt(
            attempt, Kind.ACTION_APPROVED, now=now, reason=reason or "One more person must agree.", actor=by.actor
        )


def release_to_run(attempt: Attempt, by: Decider, reason: str, now: datetime) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(state=State.PLANNED, due_at=now)
    tell_attempt(attempt, Kind.ACTION_APPROVED, now=now, reason=reason, actor=by.actor)


def touch() -> None:
    schema: str = connection.schema_name  # type: ignore[attr-defined]
    transaction.on_commit(partial(pulse.touch, schema))
