"""Begins the playbooks of exceptions, leads them from step to step, and ends them.

1. an exception without a plan gets one, under the playbook in force for its reason, and its first step that applies;
2. when an attempt is over without having solved it, the next step begins;
3. when the exception is resolved, whoever resolved it, what was not started ends.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from django.db import transaction
from django.db.models import F, Q, QuerySet

from exceptions.choices import Kind, Status, Verdict
from exceptions.models import ExceptionRecord
from exceptions.playbooks.catalogue import ACTION_KINDS
from exceptions.playbooks.models import Attempt, Plan, Playbook
from exceptions.playbooks.steps import Step, applies, approvals_needed, steps_from_json
from exceptions.playbooks.telling import tell, tell_attempt
from exceptions.playbooks.words import EFFECTIVE, UNSTARTED, Mode, PlanState, State
from tenants.models import SlaPolicy
from tenants.policy import parse_policy
from tenants.policy_rules import DEFAULT_ATTEMPTS

logger = logging.getLogger(__name__)
CHUNK = 100
MOST_CHUNKS = 20  # begun in one round: what is due must not wait for a storm of new ones
ACTIONABLE = Q(verdict=Verdict.ACTIVE, history=False) & ~Q(status=Status.RESOLVED)
TRIED = (State.MISSED, State.FAILED, State.UNCERTAIN)
BEGINNINGS: Mapping[str, tuple[State, Kind]] = {
    Mode.AUTOMATIC: (State.PLANNED, Kind.ACTION_PLANNED),
    Mode.SUGGEST: (State.SUGGESTED, Kind.ACTION_SUGGESTED),
    Mode.APPROVE: (State.AWAITING, Kind.APPROVAL_ASKED),
}
ALL_TRIED = "Every step of its playbook was tried, and it is still there: a person must look."


def playbooks_in_force() -> dict[str, Playbook]:
    """Reason → the newest version, where that is enabled."""
    newest = Playbook.objects.order_by("reason_code", "-version").distinct("reason_code")
    return {book.reason_code: book for book in newest if book.enabled}


def plan_new(*, now: datetime) -> int:
    """Begins what was not begun yet, some at a time; two who do it at once share it. Returns how many plans."""
    books = playbooks_in_force()
    begun = 0
    for _ in range(MOST_CHUNKS):
        with transaction.atomic():
            records = list(unplanned()[:CHUNK])
            begun += sum(
                begun_safely(record, books[record.reason_code], now)
                for record in records
                if record.reason_code in books
            )
            ExceptionRecord.objects.filter(pk__in=[record.pk for record in records]).update(
                planned_occurrence=F("occurrence_count")
            )
        if len(records) < CHUNK:
            break
    return begun


def unplanned() -> QuerySet[ExceptionRecord]:
    rows = ExceptionRecord.objects.filter(ACTIONABLE, planned_occurrence__lt=F("occurrence_count"))
    locked = rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return locked.select_related("order").order_by("pk")


def begun_safely(record: ExceptionRecord, book: Playbook, now: datetime) -> bool:
    """A playbook that stumbles over one exception keeps no other waiting."""
    try:
        with transaction.atomic():
            begin_plan(record, book, now)
    except Exception:
        logger.exception("playbook %s could not be begun for exception %d", book.name, record.pk)
        mark_blocked(record, "Its playbook could not be begun; the log says why.", f"playbook:{book.name}", now)
        return False
    return True


def begin_plan(record: ExceptionRecord, book: Playbook, now: datetime) -> None:
    record.max_resolution_attempts = most_attempts(record.order.policy_id)
    ExceptionRecord.objects.filter(pk=record.pk).update(max_resolution_attempts=record.max_resolution_attempts)
    plan = Plan.objects.create(exception=record, occurrence=record.occurrence_count, playbook=book, created_at=now)
    plan.state, plan.step = PlanState.RUNNING, 0
    begin_step(plan, record, 0, now)


@lru_cache(maxsize=1024)
def most_attempts(policy_id: int | None) -> int:
    """Of the policy version that the order began under; versions never change."""
    rules = SlaPolicy.objects.filter(pk=policy_id).values_list("rules", flat=True).first() if policy_id else None
    return parse_policy(rules).max_resolution_attempts if rules is not None else DEFAULT_ATTEMPTS


def begin_step(plan: Plan, record: ExceptionRecord, first: int, now: datetime) -> None:
    """The first step from there on that applies; without one the plan is over. The caller holds the exception's lock."""
    for place, step in enumerate(steps_from_json(plan.playbook.steps)):
        if place < first or not is_wanted(step, record):
            continue
        most = record.max_resolution_attempts or DEFAULT_ATTEMPTS
        if is_try(step.kind, step.expects) and record.resolution_attempts >= most:
            tries = record.resolution_attempts
            block(plan, record, place, f"{tries} actions have tried to solve it, as many as the policy allows.", now)
        else:
            Plan.objects.filter(pk=plan.pk).update(step=place)
            write_attempt(plan, record, place, step, now)
        return
    finish(plan, record, now)


def is_try(kind: str, expects: Sequence[str]) -> bool:
    """Whether an action should solve the exception; one that only tells, tags or waits does not count."""
    return bool(expects) and kind != "wait"


def is_wanted(step: Step, record: ExceptionRecord) -> bool:
    if step.mode == Mode.OFF:
        return False
    order = record.order
    if not applies(step, severity=record.severity, order_status=order.status, value_cents=order.value_cents):
        return False
    done = step.action.irreversible and Attempt.objects.filter(
        order=order, kind=step.kind, irreversible=True, state__in=EFFECTIVE
    )
    return not (done and done.exists())


def write_attempt(plan: Plan, record: ExceptionRecord, place: int, step: Step, now: datetime) -> Attempt:
    state, kind = BEGINNINGS[step.mode]
    money = money_at_stake(step.kind, step.parameters, record)
    attempt = Attempt.objects.create(
        exception=record,
        order=record.order,
        plan=plan,
        step=place,
        kind=step.kind,
        mode=step.mode,
        parameters=dict(step.parameters),
        irreversible=step.action.irreversible,
        actor=f"playbook:{plan.playbook.name}",
        state=state,
        due_at=now + timedelta(minutes=step.delay_minutes) if state == State.PLANNED else None,
        approver=step.approver if step.mode == Mode.APPROVE else "",
        approvals_needed=approvals_needed(step, money),
        money_cents=money,
        currency=record.order.currency if money is not None else "",
        undo=step.action.undo,
        expects=list(step.expects),
        expect_seconds=step.within_minutes * 60 if step.within_minutes else None,
        created_at=now,
    )
    tell_attempt(attempt, kind, now=now)
    return attempt


def money_at_stake(kind: str, parameters: Mapping[str, object], record: ExceptionRecord) -> int | None:
    """Cents; None where the action moves none, or nobody knows how much."""
    if not ACTION_KINDS[kind].moves_money:
        return None
    given = parameters.get("amount_cents")
    return given if isinstance(given, int) else record.order.value_cents


def block(plan: Plan, record: ExceptionRecord, place: int, why: str, now: datetime) -> None:
    """The playbook stops before the step `place` until a person lets it go on."""
    Plan.objects.filter(pk=plan.pk, state=PlanState.RUNNING).update(
        state=PlanState.BLOCKED, step=place, ended_at=now, ended_why=why
    )
    mark_blocked(record, why, f"playbook:{plan.playbook.name}", now)
    give_back(plan, record)


def mark_blocked(record: ExceptionRecord, why: str, actor: str, now: datetime) -> None:
    ExceptionRecord.objects.filter(pk=record.pk).update(
        resolution_blocked=True, resolution_blocked_reason=why, updated_at=now
    )
    tell(record.pk, Kind.RESOLUTION_BLOCKED, actor=actor, now=now, reason=why)


def finish(plan: Plan, record: ExceptionRecord, now: datetime) -> None:
    """All steps are over. If any was in vain, people are told that it is theirs now."""
    Plan.objects.filter(pk=plan.pk, state=PlanState.RUNNING).update(
        state=PlanState.DONE, ended_at=now, ended_why="All its steps are over."
    )
    if plan.attempts.filter(state__in=TRIED).exists():
        mark_blocked(record, ALL_TRIED, f"playbook:{plan.playbook.name}", now)
        give_back(plan, record)


def give_back(plan: Plan, record: ExceptionRecord) -> None:
    """What the playbook set in progress is open again."""
    if Plan.objects.filter(pk=plan.pk, took=True).exists():
        ExceptionRecord.objects.filter(pk=record.pk, status=Status.IN_PROGRESS).update(status=Status.OPEN)


def advance(attempt: Attempt, *, now: datetime) -> None:
    """After an attempt that is over: the next step of its plan, if that still runs."""
    if attempt.plan_id is None or attempt.step is None:
        return
    with transaction.atomic():
        record = locked(attempt.exception_id)
        plan = Plan.objects.select_related("playbook").get(pk=attempt.plan_id)
        if plan.state == PlanState.RUNNING and is_current(plan, record):
            begin_step(plan, record, attempt.step + 1, now)


def locked(exception_id: int) -> ExceptionRecord:
    rows = ExceptionRecord.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("order").get(pk=exception_id)


def is_current(plan: Plan, record: ExceptionRecord) -> bool:
    """Whether the exception still is what the plan was made for."""
    return is_actionable(record) and plan.occurrence == record.occurrence_count


def is_actionable(record: ExceptionRecord) -> bool:
    return record.verdict == Verdict.ACTIVE and record.status != Status.RESOLVED and not record.history


def end_idle(*, now: datetime) -> int:
    """Ends plans and unstarted actions of exceptions that are resolved, over, or have occurred anew. Returns how many."""
    gone = Q(exception__status=Status.RESOLVED) | ~Q(exception__verdict=Verdict.ACTIVE)
    plans = Plan.objects.filter(state__in=[PlanState.RUNNING, PlanState.BLOCKED])
    stale = plans.filter(gone | ~Q(occurrence=F("exception__occurrence_count")))
    ended = 0
    for plan in stale.select_related("playbook").order_by("pk")[:CHUNK]:
        ended += end_plan(plan, now)
    lone = Attempt.objects.filter(gone, plan__isnull=True, state__in=UNSTARTED).order_by("pk")
    for attempt in lone[:CHUNK]:
        ended += end_attempt(attempt, "The exception is over.", now)
    return ended


def end_plan(plan: Plan, now: datetime) -> int:
    with transaction.atomic():
        record = locked(plan.exception_id)
        if is_current(plan, record):
            return 0
        why = "The exception is over." if not is_actionable(record) else "It has happened anew."
        for attempt in plan.attempts.filter(state__in=UNSTARTED):
            end_attempt(attempt, why, now)
        unfinished = Plan.objects.filter(pk=plan.pk, state__in=[PlanState.RUNNING, PlanState.BLOCKED])
        return unfinished.update(state=PlanState.ENDED, ended_at=now, ended_why=why)


def end_attempt(attempt: Attempt, why: str, now: datetime) -> int:
    """Only what was not started."""
    ended = Attempt.objects.filter(pk=attempt.pk, state__in=UNSTARTED).update(
        state=State.ENDED, ended_at=now, due_at=None, outcome=why
    )
    if ended:
        tell_attempt(attempt, Kind.ACTION_ENDED, now=now, reason=why)
    return ended
