"""/inbox/settings/: what reaches a person, by which way, and when not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from e2a.errors import Unprocessable
from e2a.pages import done, dressed, show
from exceptions.choices import Severity
from exceptions.notifications.choosing import Chosen, chosen_of, save_chosen, target_names
from exceptions.notifications.selectors import last_messages
from exceptions.notifications.words import HINTS, Matter, Way, choice
from exceptions.pages.inbox import user_of
from exceptions.pages.who import access_of, tenant_of
from tenants.gate import member_page
from tenants.models import Scope, Tenant

CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
SEVERITIES = [
    (severity.value, str(severity.label) + ("" if severity == Severity.CRITICAL else " and above"))
    for severity in Severity
]
NO_TIME = {"invalid": "Not a time of day: write it like 22:30."}


@dataclass(frozen=True, slots=True)
class Cell:
    """A box of the table. `on`: ticked."""

    name: str
    label: str
    on: bool


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    hint: str
    cells: Sequence[Cell]


class SettingsForm(forms.Form):
    least_severity = forms.ChoiceField(
        required=False,
        label="Others' exceptions from which severity",
        choices=[("", "None: only mine"), *SEVERITIES],
    )
    timezone = forms.CharField(
        max_length=64,
        label="Your time zone",
        help_text="Such as Europe/Lisbon.",
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
    )
    quiet_from = forms.TimeField(required=False, label="Quiet from", widget=CLOCK, error_messages=NO_TIME)
    quiet_until = forms.TimeField(
        required=False,
        label="Quiet until",
        widget=CLOCK,
        error_messages=NO_TIME,
        help_text="What comes meanwhile is sent together when they end. The page always shows it at once.",
    )
    escalations_always = forms.BooleanField(required=False, label="Escalations reach me in quiet hours too")
    digest_at = forms.TimeField(label="Daily summary at", widget=CLOCK, error_messages=NO_TIME)
    slack_target = forms.ChoiceField(required=False, label="Slack target")
    webhook_target = forms.ChoiceField(required=False, label="Webhook target")

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, way in (("slack_target", Way.SLACK), ("webhook_target", Way.WEBHOOK)):
            names = target_names(tenant, way)
            field = forms.ChoiceField(
                required=False, label=f"{way.label} target", choices=[("", "None"), *((each, each) for each in names)]
            )
            field.help_text = "" if names else "There is none yet: a manager adds targets under Playbooks."
            self.fields[name] = field


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.READ)
def notification_settings(request: HttpRequest) -> HttpResponse:
    tenant, user = tenant_of(request), user_of(request)
    chosen = chosen_of(user.pk, tenant)
    form = SettingsForm(request.POST if request.method == "POST" else None, tenant=tenant, initial=as_initial(chosen))
    ticked = frozenset(request.POST.getlist("chosen")) if request.method == "POST" else chosen.chosen
    if request.method == "POST" and form.is_valid():
        try:
            wanted = Chosen(chosen=ticked, **form.cleaned_data)
            save_chosen(user_id=user.pk, tenant=tenant, chosen=wanted, now=access_of(request).now)
            return done(request, "Kept.", to=reverse("notification-settings"), stay=False)
        except Unprocessable as error:
            for field, texts in error.errors.items():
                form.add_error(field if field in form.fields else None, texts)
    context = {
        "form": dressed(form),
        "rows": rows_of(ticked),
        "ways": [way.label for way in Way],
        "zones": sorted(available_timezones()),
        "messages_sent": last_messages(user.pk),
    }
    status = 422 if form.is_bound else 200
    page = "exceptions/notification_settings.html"
    return show(request, page, "exceptions/_notification_settings.html", context, status=status)


def as_initial(chosen: Chosen) -> dict[str, Any]:
    return {name: getattr(chosen, name) for name in SettingsForm.base_fields}


def rows_of(ticked: frozenset[str]) -> list[Row]:
    rows = []
    for matter in Matter:
        cells = [
            Cell(choice(matter, way), f"{matter.label}: {way.label}", choice(matter, way) in ticked) for way in Way
        ]
        rows.append(Row(matter.label, HINTS[matter], cells))
    return rows
