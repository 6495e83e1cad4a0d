"""/escalation/: the chain of each severity, the rota, who is on call now, and what would happen to an exception that opens now."""

from typing import Any
from zoneinfo import available_timezones

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from e2a.errors import Unprocessable
from e2a.pages import done, show
from exceptions.escalation.people import Person
from exceptions.escalation.preview import choices_of, courses
from exceptions.escalation.reading import read_plan
from exceptions.escalation.rota import on_call
from exceptions.escalation.selectors import last_plans, plan_in_force, team
from exceptions.escalation.services import SavedMeanwhile, save_plan
from exceptions.pages.escalation_form import (
    DAYS,
    EFFECT_CHOICES,
    UNLESS_CHOICES,
    PlanForm,
    chains_of,
    form_of,
    rota_of,
)
from exceptions.pages.who import access_of, tenant_of
from tenants.gate import member_page
from tenants.models import Scope


@require_safe
@member_page(Scope.READ)
def escalation(request: HttpRequest) -> HttpResponse:
    access, people = access_of(request), team()
    found = plan_in_force(tenant_of(request).timezone)
    now_on_call = on_call(found.plan.rota, access.now)
    context = {
        "courses": courses(found.plan, people, now=access.now),
        "found": found,
        "on_call": next((person for person in people if person.user_id == now_on_call.user_id), None),
        "on_call_until": now_on_call.until,
        "shifts": [(shift, days_of(shift.days), name_of(people, shift.user_id)) for shift in found.plan.rota.shifts],
        "overrides": [(each, name_of(people, each.user_id)) for each in found.plan.rota.overrides],
        "versions": last_plans(),
        "may_edit": Scope.ADMIN in access.scopes,
    }
    return show(request, "exceptions/escalation.html", "exceptions/_escalation.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def edit_escalation(request: HttpRequest) -> HttpResponse:
    """Posted with `preview` it is shown and not kept."""
    people = team()
    if request.method != "POST":
        found = plan_in_force(tenant_of(request).timezone)
        stored = found.row
        rota = stored.rota if stored else {"timezone": found.plan.rota.timezone}
        return show_form(request, form_of(stored.chains if stored else {}, rota, {}), found.version, people)
    data = request.POST
    if "preview" in data:
        return preview(request, data, people)
    try:
        save_plan(
            base=version_of(data),
            chains=chains_of(data),
            rota=rota_of(data),
            members=[person.user_id for person in people],
            actor=access_of(request).actor,
            now=access_of(request).now,
        )
    except Unprocessable as wrong:
        form = form_of(chains_of(data), rota_of(data), wrong.errors)
        return show_form(request, form, version_of(data), people, status=422)
    except SavedMeanwhile as late:
        form = form_of(chains_of(data), rota_of(data), {"": [late.detail]})
        return show_form(request, form, version_of(data), people, status=409)
    return done(request, "In force from now on.", to=reverse("escalation"), stay=False)


def preview(request: HttpRequest, data: QueryDict, people: list[Person]) -> HttpResponse:
    chains, rota = chains_of(data), rota_of(data)
    plan, errors = read_plan(chains, rota, members=[person.user_id for person in people])
    now = access_of(request).now
    found = on_call(plan.rota, now)
    foreseen: dict[str, Any] = {
        "courses": courses(plan, people, now=now),
        "on_call": next((person for person in people if person.user_id == found.user_id), None),
        "on_call_until": found.until,
    }
    status = 422 if errors else 200
    form = form_of(chains, rota, errors)
    return show_form(request, form, version_of(data), people, foreseen=foreseen, status=status)


def show_form(
    request: HttpRequest,
    form: PlanForm,
    version: int,
    people: list[Person],
    *,
    foreseen: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "version": version,
        "unless_choices": UNLESS_CHOICES,
        "effect_choices": EFFECT_CHOICES,
        "to_choices": choices_of(people),
        "known": [value for value, _ in choices_of(people)],
        "member_ids": [person.user_id for person in people],
        "people": people,
        "days": list(enumerate(DAYS)),
        "zones": sorted(available_timezones()),
        "foreseen": foreseen,
        **(foreseen or {}),
    }
    page, part = "exceptions/escalation_edit.html", "exceptions/_escalation_edit.html"
    return show(request, page, part, context, status=status)


def version_of(data: QueryDict) -> int:
    text = data.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def days_of(days: frozenset[int]) -> str:
    if len(days) == len(DAYS):
        return "Every day"
    return ", ".join(DAYS[day] for day in sorted(days))


def name_of(people: list[Person], user_id: int | None) -> str:
    if user_id is None:
        return "nobody"
    return next((person.shown for person in people if person.user_id == user_id), "who has left")
