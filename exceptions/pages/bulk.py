"""Acts on many from the list: the question with its count, then the confirmed act and what came of it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.urls import reverse

from e2a.errors import Unprocessable
from e2a.pages import done, dressed, show
from exceptions import services
from exceptions.api.asking import Asking
from exceptions.desk import bulk
from exceptions.desk.acts import NEXT_STEP, WORDS
from exceptions.desk.models import BulkRun, RunState
from exceptions.pages.acts import AssignForm, CommentForm, ResolveForm, SnoozeForm
from exceptions.pages.asking import asked_of, asking_of_page
from exceptions.selectors import members_of
from tenants.access import SCOPES_OF_ROLE
from tenants.gate import member_page
from tenants.models import Membership, Scope, User

AT_ONCE = services.CHUNK  # as many are done within the request; more in the background
SECONDS_AT_ONCE = 8
MOST_PICKED = 10_000  # rows selected one by one
Given = dict[str, Any]


class PlainForm(forms.Form):
    """For an act that needs nothing more."""


@member_page(Scope.OPERATE)
def ask(request: HttpRequest, action: str) -> HttpResponse:
    """By POST, since the question keeps what was counted: `ids`, or `whole` with the `query` of the list."""
    if action not in WORDS:
        raise Http404
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    asking = asking_of_page(request)
    if request.POST.get("whole"):
        filters = asked_of(QueryDict(request.POST.get("query", "")), asking).filters
        found = bulk.ask_for_filter(action, filters, actor=asking.actor, now=asking.now)
    else:
        found = bulk.ask_for_rows(action, picked(request.POST), actor=asking.actor, now=asking.now)
    return show_question(request, found, form_of(action, asking, None))


@member_page(Scope.READ)
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """GET shows how far it is; POST, by who asked, begins it."""
    if request.method != "POST":
        return show_run(request, bulk.find_run(run_id))
    return confirm(request, run_id)


@member_page(Scope.OPERATE)
def confirm(request: HttpRequest, run_id: int) -> HttpResponse:
    asking = asking_of_page(request)
    found = bulk.find_run(run_id)
    form = form_of(found.action, asking, request.POST)
    if not form.is_valid():
        return show_question(request, found, form)
    try:
        given = GIVEN[found.action](form.cleaned_data, asking)
    except Unprocessable as error:
        form.add_error("until", error.errors["until"])
        return show_question(request, found, form)
    found = bulk.begin(run_id, given, actor=asking.actor, now=asking.now)
    if found.total <= AT_ONCE:
        found = bulk.work(run_id, seconds=SECONDS_AT_ONCE)
    if found.state == RunState.DONE and not found.skips and not found.came:
        return done(request, f"{found.changed:,} {WORDS[found.action].done}.", to=reverse("exceptions"))
    return show_run(request, found)


@member_page(Scope.OPERATE)
def stop(request: HttpRequest, run_id: int) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    bulk.find_run(run_id)
    stopped = bulk.stop(run_id, now=asking_of_page(request).now)
    sentence = "It is stopped; what was done stays." if stopped else "It had ended already."
    return done(request, sentence, to=reverse("exceptions-bulk", args=[run_id]))


def picked(data: QueryDict) -> list[int]:
    """Raises: Unprocessable."""
    words = [word for text in data.getlist("ids") for word in text.split(",") if word]
    if len(words) > MOST_PICKED or any(not (word.isascii() and word.isdigit() and len(word) < 19) for word in words):
        raise Unprocessable("This selection cannot be used: select the rows again. Nothing was changed.")
    return [int(word) for word in words]


def form_of(action: str, asking: Asking, data: QueryDict | None) -> forms.Form:
    match action:
        case "assign":
            return AssignForm(data, members=members_of(asking.schema))
        case "snooze":
            return SnoozeForm(data)
        case "comment":
            return CommentForm(data)
        case "resolve":
            return ResolveForm(data)
    return PlainForm(data)


def given_nothing(data: Given, asking: Asking) -> Given:
    return {}


def given_scopes(data: Given, asking: Asking) -> Given:
    """What the person may agree to is what they may at this moment."""
    membership = Membership.objects.get(tenant__schema_name=asking.schema, user=asking.user)
    return {"scopes": sorted(SCOPES_OF_ROLE[membership.role])}


def given_take(data: Given, asking: Asking) -> Given:
    user = cast(User, asking.user)
    return {"assignee_id": user.pk, "name": user.username}


def given_assign(data: Given, asking: Asking) -> Given:
    members = {str(member.pk): member for member in members_of(asking.schema)}
    chosen = members.get(data["assignee"])
    return {
        "assignee_id": chosen.pk if chosen else None,
        "name": chosen.username if chosen else "",
        "reason": data["reason"],
    }


def given_snooze(data: Given, asking: Asking) -> Given:
    until: datetime = data["until"] or asking.now + timedelta(hours=int(data["hours"] or 1))
    services.snooze_act(until, asking.now)
    return {"until": until.isoformat(), "reason": data["reason"]}


def given_comment(data: Given, asking: Asking) -> Given:
    named = services.comment_act(data["text"]).detail.get("mentions", [])
    return {"reason": data["text"], "mentions": named}


def given_resolve(data: Given, asking: Asking) -> Given:
    return {name: str(data[name]) for name in ("resolution", "label", "reason")}


GIVEN: dict[str, Callable[[Given, Asking], Given]] = {
    "acknowledge": given_nothing,
    "take": given_take,
    "assign": given_assign,
    "snooze": given_snooze,
    "comment": given_comment,
    "resolve": given_resolve,
    NEXT_STEP: given_scopes,
}


def show_question(request: HttpRequest, found: BulkRun, form: forms.Form) -> HttpResponse:
    context = {"form": dressed(form), "run": found, "words": WORDS[found.action]}
    status = 422 if form.is_bound and form.errors else 200
    return show(request, "exceptions/bulk_question.html", "exceptions/_bulk_question.html", context, status=status)


def show_run(request: HttpRequest, found: BulkRun) -> HttpResponse:
    words = WORDS[found.action]
    context = {"run": found, "words": words, "live": found.state == RunState.RUNNING}
    response = show(request, "exceptions/bulk_run.html", "exceptions/_bulk_run.html", context)
    if request.method == "POST":
        response["HX-Trigger"] = "live"
    return response
