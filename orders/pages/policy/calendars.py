"""The calendars of the draft: added, edited, removed; the coming holidays of a country."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

import holidays as library
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from e2a.errors import Conflict
from e2a.pages import done, show
from orders.letter_pages import access_of
from orders.pages.policy.calendar_fields import CalendarForm, rules_by, without_calendar
from orders.pages.policy.days_off import calendar_at, days_of
from orders.pages.policy.drafting import needed_draft, save, wrong_fields
from orders.pages.policy.example import example_context
from tenants.days_off import has_country, public_holidays, subdivisions_of
from tenants.gate import member_page
from tenants.models import Scope
from tenants.policy_form import MOST_CALENDARS
from tenants.selectors import Draft
from tenants.services.drafts import StaleDraft

HOLIDAYS_SHOWN = 12
A_YEAR = timedelta(days=366)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def new_calendar(request: HttpRequest) -> HttpResponse:
    found = needed_draft(request)
    if len(found.rules.get("calendars") or {}) >= MOST_CALENDARS:
        raise Conflict(f"A policy takes at most {MOST_CALENDARS} calendars.")
    form = CalendarForm(request.POST if request.method == "POST" else None, rules=found.rules)
    if request.method == "POST" and accepted(request, form):
        return done(request, "The calendar is added to the draft.", to=reverse("policy-draft"), stay=False)
    return show_calendar(request, form, found, {"title": "New calendar", "verb": "Add it", "part": "new-calendar"})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def edit_calendar(request: HttpRequest, place: int) -> HttpResponse:
    found = needed_draft(request)
    name = calendar_at(found, place)
    form = CalendarForm(request.POST if request.method == "POST" else None, rules=found.rules, old_name=name)
    if request.method == "POST" and accepted(request, form):
        return done(request, "The calendar is saved in the draft.", to=reverse("policy-draft"), stay=False)
    context = {
        "title": f"Calendar {name}",
        "verb": "Save",
        "part": "calendar",
        "place": place,
        "days_off": len(days_of(found, name)),
    }
    return show_calendar(request, form, found, context)


@require_POST
@member_page(Scope.ADMIN)
def remove_calendar(request: HttpRequest, place: int) -> HttpResponse:
    """Raises: Conflict while a rule names it."""
    found = needed_draft(request)
    name = calendar_at(found, place)
    if named := rules_by(found.rules, name):
        raise Conflict(f"The rule “{named[0]}” counts by this calendar; choose another one there first.")
    save(request, without_calendar(found.rules, name))
    return done(request, f"The calendar “{name}” is removed.", to=reverse("policy-draft"), stay=False)


def accepted(request: HttpRequest, form: CalendarForm) -> bool:
    if not form.is_valid():
        return False
    try:
        save(request, form.policy())
    except StaleDraft as stale:
        form.add_error(None, stale.detail)
        return False
    return True


def show_calendar(request: HttpRequest, form: CalendarForm, found: Draft, context: dict[str, Any]) -> HttpResponse:
    words = {
        **context,
        "form": form,
        "wrong": wrong_fields(form),
        "draft": found,
        "revision": request.POST.get("revision") or found.revision,
        "zones": sorted(available_timezones()),
        "countries": sorted(library.list_supported_countries(include_aliases=False)),
        **coming_holidays(
            str(form["country"].value() or ""), str(form["subdivision"].value() or ""), access_of(request).now
        ),
        **example_context(request, found.rules, {}, edited=True),
    }
    return show(request, "policy/calendar.html", "policy/_calendar.html", words, status=422 if form.is_bound else 200)


@require_safe
@member_page(Scope.READ)
def holidays(request: HttpRequest) -> HttpResponse:
    """The coming ones of a country, as it is typed."""
    context = coming_holidays(
        request.GET.get("country", ""), request.GET.get("subdivision", ""), access_of(request).now
    )
    return render(request, "policy/_holidays.html", context)


def coming_holidays(country: str, subdivision: str, now: datetime) -> dict[str, Any]:
    """For templates/policy/_holidays.html."""
    code, part = country.strip().upper(), subdivision.strip()
    if not has_country(code):
        return {"holiday_country": ""}
    parts = subdivisions_of(code)
    today = timezone.localdate(now)
    known = part if part in parts else ""
    days = {**public_holidays(code, known, today.year), **public_holidays(code, known, today.year + 1)}
    coming = sorted((day, name) for day, name in days.items() if today <= day < today + A_YEAR)
    return {"holiday_country": code, "holiday_part": known, "subdivisions": parts, "coming": coming[:HOLIDAYS_SHOWN]}
