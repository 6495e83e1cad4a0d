"""/exceptions/ID/actions/, /approvals/: what is done about an exception step by step, and what waits for a person's word."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from e2a.pages import done, dressed, show, wants_part
from exceptions.errors import NoSuchException
from exceptions.models import ExceptionRecord
from exceptions.pages.action_forms import RejectForm, RunForm
from exceptions.pages.step_words import money_told, request_told, tell_attempt, tell_step
from exceptions.pages.who import access_of, decider_of, tenant_of
from exceptions.playbooks.catalogue import ACTION_KINDS
from exceptions.playbooks.decisions import approve, checked_kind, reject, run_action, unblock
from exceptions.playbooks.dry_runs import ask_dry_run
from exceptions.playbooks.errors import NoSuchAttempt, WrongAction
from exceptions.playbooks.models import Attempt
from exceptions.playbooks.parameters import parameter_troubles
from exceptions.playbooks.planning import is_actionable
from exceptions.playbooks.selectors import actions_of, to_decide
from exceptions.playbooks.steps import steps_from_json
from exceptions.playbooks.words import PlanState
from tenants.gate import member_page
from tenants.models import Scope

MOST_SHOWN = 200
PAGE, PART = "exceptions/actions.html", "exceptions/_actions.html"


def record_of(exception_id: int) -> ExceptionRecord:
    """Raises: NoSuchException."""
    record = ExceptionRecord.objects.select_related("order").filter(pk=exception_id).first()
    if record is None:
        raise NoSuchException
    return record


def address_of(exception_id: int) -> str:
    """The exception's page."""
    try:
        return reverse("exception", args=[exception_id])
    except NoReverseMatch:
        return reverse("exception-actions", args=[exception_id])


@require_safe
@member_page(Scope.READ)
def actions(request: HttpRequest, exception_id: int) -> HttpResponse:
    """A part of the exception's page, and a page of its own."""
    record, found = record_of(exception_id), actions_of(exception_id)
    ahead = []
    if found.plan is not None and found.plan.state in (PlanState.RUNNING, PlanState.BLOCKED):
        begun = {attempt.step for attempt in found.attempts if attempt.plan_id == found.plan.pk}
        steps = enumerate(steps_from_json(found.plan.playbook.steps))
        first = found.plan.step
        ahead = [tell_step(place, step) for place, step in steps if place >= first and place not in begun]
    context = {
        "record": record,
        "back": address_of(exception_id),
        "plan": found.plan,
        "attempts": [tell_attempt(attempt) for attempt in found.attempts],
        "ahead": [step for step in ahead if step.mode != "off"],
        "dry_run": found.dry_run,
        "dry_run_text": request_told(found.dry_run.request) if found.dry_run else "",
        "dry_run_money": money_told(found.dry_run.money_cents, found.dry_run.currency) if found.dry_run else "",
        "can_act": Scope.OPERATE in access_of(request).scopes and is_actionable(record),
    }
    return show(request, PAGE, PART, context)


@require_safe
@member_page(Scope.OPERATE)
def choose_action(request: HttpRequest, exception_id: int) -> HttpResponse:
    """What could be done: the closed list."""
    context = {"record": record_of(exception_id), "kinds": ACTION_KINDS.values(), "back": address_of(exception_id)}
    return render(request, "exceptions/action_kinds.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.OPERATE)
def new_action(request: HttpRequest, exception_id: int, kind: str) -> HttpResponse:
    """Run it, or see what it would do."""
    record, action = record_of(exception_id), checked_kind(kind)
    form = RunForm(request.POST if request.method == "POST" else None, kind=action, tenant=tenant_of(request))
    posted = request.method == "POST"
    if posted and form.is_valid():
        asked: dict[str, Any] = {"exception_id": exception_id, "kind": kind, "parameters": form.parameters()}
        try:
            if "dry" in request.POST:
                actor, now = access_of(request).actor, access_of(request).now
                ask_dry_run(tenant=tenant_of(request), actor=actor, now=now, **asked)
                return done(request, "A worker looks what it would do.", to=address_of(exception_id), stay=False)
            reason = form.cleaned_data["reason"]
            made = run_action(by=decider_of(request), now=access_of(request).now, reason=reason, **asked)
            sentence = "It waits for approval." if made.state == "awaiting" else "It is done within seconds."
            return done(request, sentence, to=address_of(exception_id), stay=False)
        except WrongAction as wrong:
            form.blame(wrong.errors)
    context = {"form": dressed(form), "action": action, "record": record, "back": address_of(exception_id)}
    return show(request, "exceptions/action.html", "exceptions/_action.html", context, status=422 if posted else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.OPERATE)
def approve_action(request: HttpRequest, exception_id: int, attempt_id: int) -> HttpResponse:
    """One button where nothing is missing; else a form for what is."""
    record, attempt = record_of(exception_id), attempt_of(exception_id, attempt_id)
    kind = ACTION_KINDS[attempt.kind]
    missing = bool(parameter_troubles(kind, attempt.parameters, running=True))
    posted = request.method == "POST"
    form = RunForm(request.POST if posted else None, kind=kind, tenant=tenant_of(request))
    if posted and (not missing or form.is_valid()):
        given = form.parameters() if missing else {}
        by, now = decider_of(request), access_of(request).now
        reason = request.POST.get("reason", "")[:500]
        try:
            approve(exception_id=exception_id, attempt_id=attempt_id, by=by, now=now, parameters=given, reason=reason)
            return done(request, "Agreed.", to=address_of(exception_id), stay=not missing)
        except WrongAction as wrong:
            form.blame(wrong.errors)
    context = {
        "form": dressed(form),
        "action": kind,
        "record": record,
        "back": address_of(exception_id),
        "approving": True,
    }
    return show(request, "exceptions/action.html", "exceptions/_action.html", context, status=422 if posted else 200)


def attempt_of(exception_id: int, attempt_id: int) -> Attempt:
    """Raises: NoSuchAttempt."""
    attempt = Attempt.objects.filter(pk=attempt_id, exception_id=exception_id).first()
    if attempt is None:
        raise NoSuchAttempt
    return attempt


@require_POST
@member_page(Scope.OPERATE)
def try_action(request: HttpRequest, exception_id: int, attempt_id: int) -> HttpResponse:
    """The exact call of what waits for a person's word, before the word."""
    attempt = attempt_of(exception_id, attempt_id)
    ask_dry_run(
        tenant=tenant_of(request),
        exception_id=exception_id,
        kind=attempt.kind,
        parameters=attempt.parameters,
        actor=access_of(request).actor,
        now=access_of(request).now,
    )
    sentence = "A worker looks what it would do."
    return done(request, sentence, to=address_of(exception_id), stay=wants_part(request))


@require_POST
@member_page(Scope.OPERATE)
def reject_action(request: HttpRequest, exception_id: int, attempt_id: int) -> HttpResponse:
    form = RejectForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    by, now = decider_of(request), access_of(request).now
    reject(exception_id=exception_id, attempt_id=attempt_id, by=by, now=now, reason=reason)
    return done(request, "Skipped; the playbook goes on.", to=address_of(exception_id))


@require_POST
@member_page(Scope.OPERATE)
def unblock_playbook(request: HttpRequest, exception_id: int) -> HttpResponse:
    unblock(exception_id=exception_id, by=decider_of(request), now=access_of(request).now)
    return done(request, "The playbook goes on.", to=address_of(exception_id))


@require_safe
@member_page(Scope.READ)
def approvals(request: HttpRequest) -> HttpResponse:
    """The queue: what waits for a person, approvals first."""
    waiting = list(to_decide()[: MOST_SHOWN + 1])
    context = {
        "waiting": [tell_attempt(attempt) for attempt in waiting[:MOST_SHOWN]],
        "more": len(waiting) > MOST_SHOWN,
        "can_act": Scope.OPERATE in access_of(request).scopes,
    }
    return show(request, "exceptions/approvals.html", "exceptions/_approvals.html", context)
