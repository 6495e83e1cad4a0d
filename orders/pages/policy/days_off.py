"""Own days off of a calendar in the draft: added, removed, taken from an iCalendar file after a look at what it adds."""

import json
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from e2a.errors import Unprocessable
from e2a.pages import done, dressed, show
from orders.pages.policy.drafting import changed, needed_draft, place_of, save
from tenants.calendar_form import MOST_DAYS_OFF, day_off_to_json, read_day_off
from tenants.days_off import DayOff
from tenants.gate import member_page
from tenants.ical import MOST_BYTES, IcalError, days_off_from_ical
from tenants.models import Scope
from tenants.policy_table import table_of
from tenants.reading import Form
from tenants.selectors import Draft
from tenants.services.drafts import StaleDraft

FIELDS = {"name": "name", "date": "first", "from": "first", "to": "last", "last_year": "last_year"}


class NoSuchCalendar(StaleDraft):
    """There is no calendar at this place any more: the draft was changed meanwhile."""


class DayOffForm(forms.Form):
    name = forms.CharField(
        label="What for", required=False, max_length=200, widget=forms.TextInput({"placeholder": "Stocktaking"})
    )
    first = forms.CharField(label="Day", required=False, max_length=10, widget=forms.DateInput({"type": "date"}))
    last = forms.CharField(label="Until", required=False, max_length=10, widget=forms.DateInput({"type": "date"}))
    yearly = forms.BooleanField(label="Every year", required=False)
    last_year = forms.IntegerField(label="Last year", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dressed(self)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = self.cleaned_data
        errors: dict[str, list[str]] = {}
        if not self.errors:
            read_day_off(Form(self.day_off(), "", errors))
        for path, sentences in errors.items():
            self.add_error(FIELDS.get(path), sentences)
        return said

    def day_off(self) -> dict[str, Any]:
        """As JSON."""
        said = self.cleaned_data
        form: dict[str, Any] = {"name": said["name"]}
        form |= {"from": said["first"], "to": said["last"]} if said["last"] else {"date": said["first"]}
        if said["yearly"]:
            form |= {"yearly": True} | ({"last_year": said["last_year"]} if said["last_year"] is not None else {})
        return form


class ImportForm(forms.Form):
    file = forms.FileField(
        label="iCalendar file",
        widget=forms.FileInput({"accept": ".ics,text/calendar"}),
        help_text=f"An .ics file of at most {MOST_BYTES // 1000} kB. You see first what it would add.",
        error_messages={"required": "Choose a file that ends in .ics.", "empty": "The file is empty."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dressed(self)


def calendar_at(draft: Draft, place: int) -> str:
    """Its name. Raises: NoSuchCalendar."""
    names = list(draft.rules.get("calendars") or {})
    if place >= len(names):
        raise NoSuchCalendar
    return str(names[place])


def days_of(draft: Draft, name: str) -> list[Any]:
    return list(draft.rules["calendars"][name].get("days_off") or [])


def with_days(draft: Draft, name: str, days: list[Any]) -> dict[str, Any]:
    calendar = {key: value for key, value in draft.rules["calendars"][name].items() if key != "days_off"}
    calendar |= {"days_off": days} if days else {}
    return {**draft.rules, "calendars": {**draft.rules["calendars"], name: calendar}}


@require_safe
@member_page(Scope.ADMIN)
def days_off(request: HttpRequest, place: int) -> HttpResponse:
    found = needed_draft(request)
    context = {
        "draft": found,
        "place": place,
        "name": calendar_at(found, place),
        "days_off": table_of(found.rules).calendars[place].days_off,
        "day_form": DayOffForm(),
        "import_form": ImportForm(),
    }
    return show(request, "policy/days.html", "policy/_days.html", context)


@require_POST
@member_page(Scope.ADMIN)
def add_day(request: HttpRequest, place: int) -> HttpResponse:
    found = needed_draft(request)
    name = calendar_at(found, place)
    form, days = DayOffForm(request.POST), days_of(found, name)
    if len(days) >= MOST_DAYS_OFF:
        form.add_error(None, f"A calendar takes at most {MOST_DAYS_OFF} days off; remove some that are over.")
    if form.is_valid():
        save(request, with_days(found, name, [*days, form.day_off()]))
        return changed(request, f"“{form.cleaned_data['name']}” is added.", to=reverse("policy-days", args=[place]))
    context = {"day_form": form, "draft": found, "place": place}
    return show(request, "policy/day_off.html", "policy/_day_off.html", context, status=422)


@require_POST
@member_page(Scope.ADMIN)
def remove_day(request: HttpRequest, place: int) -> HttpResponse:
    found, day = needed_draft(request), place_of(request, "day")
    name = calendar_at(found, place)
    days = days_of(found, name)
    if day >= len(days):
        raise NoSuchCalendar
    gone = days.pop(day)
    save(request, with_days(found, name, days))
    return changed(request, f"“{gone['name']}” is removed.", to=reverse("policy-days", args=[place]))


@require_POST
@member_page(Scope.ADMIN)
def look_into_file(request: HttpRequest, place: int) -> HttpResponse:
    """What the file would add; nothing is written yet."""
    found = needed_draft(request)
    name = calendar_at(found, place)
    form = ImportForm(request.POST, request.FILES)
    context: dict[str, Any] = {"import_form": form, "draft": found, "place": place, "name": name}
    if form.is_valid() and (text := text_of(form)) is not None:
        try:
            imported = days_off_from_ical(text)
        except IcalError as wrong:
            form.add_error("file", str(wrong))
        else:
            known = {read_day_off(Form(day, "", {})) for day in days_of(found, name)}
            fresh = [day for day in dict.fromkeys(imported.days_off) if day not in known]
            context |= {
                "fresh": fresh,
                "known": len(imported.days_off) - len(fresh),
                "left_out": imported.left_out,
                "days_json": json.dumps([day_off_to_json(day) for day in fresh]),
                "too_many": max(len(known) + len(fresh) - MOST_DAYS_OFF, 0),
                "most": MOST_DAYS_OFF,
            }
            return show(request, "policy/import.html", "policy/_import.html", context)
    return show(request, "policy/import.html", "policy/_import.html", context, status=422)


def text_of(form: ImportForm) -> str | None:
    """None when it cannot be read as text; the sentence then stands at the field."""
    file = form.cleaned_data["file"]
    if file.size > MOST_BYTES:
        form.add_error("file", f"The file is larger than {MOST_BYTES // 1000} kB; export the days off only.")
        return None
    try:
        return str(file.read().decode("utf-8-sig"))
    except UnicodeDecodeError:
        form.add_error("file", "The file is no text in UTF-8, so it is no iCalendar file.")
        return None


@require_POST
@member_page(Scope.ADMIN)
def take_days(request: HttpRequest, place: int) -> HttpResponse:
    """Those of the file that was looked into. Raises: Unprocessable when they are not what that page sent."""
    found = needed_draft(request)
    name = calendar_at(found, place)
    fresh = [day_off_to_json(day) for day in days_from(request.POST.get("days", ""))]
    days = [*days_of(found, name), *fresh]
    if len(days) > MOST_DAYS_OFF:
        raise Unprocessable(errors={"days": [f"A calendar takes at most {MOST_DAYS_OFF} days off."]})
    save(request, with_days(found, name, days))
    sentence = f"{len(fresh)} day{'s' if len(fresh) != 1 else ''} off added."
    return done(request, sentence, to=reverse("policy-days", args=[place]), stay=False)


def days_from(text: str) -> list[DayOff]:
    """Raises: Unprocessable."""
    errors: dict[str, list[str]] = {}
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    read = [read_day_off(each) for each in Form(said, "days", errors).items(most=MOST_DAYS_OFF)]
    days = [day for day in read if day is not None]
    if errors or not days:
        raise Unprocessable(errors=errors or {"days": ["There is no day to add."]})
    return days
