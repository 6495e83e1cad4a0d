"""The example beside a policy: an order that a person makes up, judged again as one types, also by what is not saved yet."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from e2a.pages import dressed, wants_part
from orders.carried import Carried
from orders.example import Made, StageExample, example_of
from orders.letter_pages import access_of
from orders.pages.drawing import Scale
from orders.pages.due_times import Piece, pieces_of
from orders.pages.policy.condition_fields import KEYS
from orders.pages.policy.drafting import MOST_DIGITS, needed_draft, version_of
from orders.pages.policy.typed import NotYet, typed
from orders.pages.policy.words_field import line_of, words_of
from orders.source_pages import tenant_of
from tenants.currencies import amount_words, minor_units
from tenants.gate import member_page
from tenants.models import Scope, Tenant, zone_trouble
from tenants.policy import as_rules
from tenants.policy_table import Table, table_of
from tenants.policy_words import CONDITION_WORDS, listed

PREFIX = "x"
SESSION = "policy-example"
YEARS = range(2000, 2100)
FRIDAY = 4
PROMISES = {"promised": "promise", "fulfil_by": "fulfil_by", "window_until": "window_until"}
ALWAYS_SHOWN = ("at", "zone", "warehouse")
LISTS = {"sku": "skus", "tag": "tags"}


class LocalTimeField(forms.Field):
    """A time of the wall, without a zone."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, **kwargs)

    def to_python(self, value: Any) -> datetime | None:
        if value in (None, ""):
            return None
        try:
            found = datetime.fromisoformat(str(value)).replace(tzinfo=None)
        except ValueError:
            raise ValidationError("It must be a day and a time such as 2026-11-27 13:59.") from None
        if found.year not in YEARS:
            raise ValidationError("Choose a year from 2000 to 2099.")
        return found


class Bar(NamedTuple):
    """For templates/orders/_due_bar.html. `due`, `risk`: their places on the axis."""

    pieces: Sequence[Piece]
    due: int
    risk: int | None
    now: None = None


class ExampleForm(forms.Form):
    prefix = PREFIX
    at = LocalTimeField(label="Ordered at", error_messages={"required": "When was it ordered?"})
    zone = forms.CharField(
        label="Time zone",
        required=False,
        max_length=64,
        widget=forms.TextInput({"list": "example-zones", "placeholder": "that of the warehouse"}),
    )
    value = forms.CharField(label="Order value", required=False, max_length=20)
    currency = forms.CharField(required=False, max_length=3)
    promised = LocalTimeField(label="Promised delivery", required=False)
    fulfil_by = LocalTimeField(label="Must ship by", required=False)
    window_until = LocalTimeField(label="End of the delivery window", required=False)
    held_from = LocalTimeField(label="Held from", required=False)
    held_until = LocalTimeField(label="Released at", required=False)
    hold_reason = forms.CharField(label="Reason of the hold", required=False, max_length=100)
    late = forms.FloatField(label="Late by (hours)", min_value=0, max_value=87_600, initial=1)
    occurrences = forms.IntegerField(label="How often so far", min_value=1, max_value=100, initial=1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key in KEYS:
            self.fields[key] = forms.CharField(label=CONDITION_WORDS[key], required=False, max_length=1_000)
        dressed(self)

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"]
        if zone and (trouble := zone_trouble(zone)):
            raise ValidationError(trouble)
        return zone

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = self.cleaned_data
        said["currency"] = said.get("currency", "").strip().upper()
        if said.get("value") and minor_units(said["value"], said["currency"]) is None:
            self.add_error("value", f"{said['value']} is no amount; write it such as 129.90.")
        elif said.get("value") and not said["currency"]:
            self.add_error("currency", "Of which currency? Such as EUR.")
        since, until = said.get("held_from"), said.get("held_until")
        if until and (since is None or until < since):
            self.add_error("held_until", "A hold ends after it began.")
        return said

    def made(self, usual_zone: str) -> Made:
        """`usual_zone`: where the form names none."""
        said, zone = self.cleaned_data, self.cleaned_data["zone"] or usual_zone

        def instant(name: str) -> datetime | None:
            return said[name].replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) if said[name] else None

        at = instant("at")
        assert at is not None
        return Made(
            at=at,
            timezone=zone,
            carried=carried_from(said),
            source=said["source"].strip(),
            merchant=said["merchant"].strip(),
            promises=[(key, when) for name, key in PROMISES.items() if (when := instant(name))],
            held_from=instant("held_from"),
            held_until=instant("held_until"),
            hold_reason=said["hold_reason"],
            late=timedelta(hours=said["late"]),
            occurrences=said["occurrences"],
        )


def carried_from(said: Mapping[str, Any]) -> Carried:
    words: dict[str, Any] = {key: said[key].strip() for key in KEYS if key in Carried._fields}
    words |= {name: words_of(said[key]) for key, name in LISTS.items()}
    value = minor_units(said["value"], said["currency"]) if said["value"] else None
    return Carried(**words, value_cents=value, currency=said["currency"] if value is not None else "")


@require_POST
@member_page(Scope.READ)
def example(request: HttpRequest) -> HttpResponse:
    """The result alone. What is typed in the form on the page counts as if it were saved; nothing of it is written."""
    form = ExampleForm(request.POST)
    context: dict[str, Any] = {"example_form": form}
    if form.is_valid():
        request.session[SESSION] = {name: form[name].value() for name in form.fields}
        try:
            context |= judged(form, typed(asked_rules(request), request.POST), tenant_of(request))
        except NotYet as wrong:
            context["troubles"] = wrong.args[0]
    return render(request, "policy/_example_result.html", context)


def asked_rules(request: HttpRequest) -> Mapping[str, Any]:
    """Those of the version that the form names, else of the draft. Raises: NoSuchVersion, NoDraft."""
    number = request.POST.get("version", "")
    if not number:
        return needed_draft(request).rules
    known = number.isascii() and number.isdigit() and len(number) < MOST_DIGITS
    return as_rules(version_of(tenant_of(request), int(number) if known else 0).rules)


def judged(form: ExampleForm, rules: Mapping[str, Any], tenant: Tenant) -> dict[str, Any]:
    """`result`, or `troubles`: why the policy cannot be tried yet. `form`: a valid one."""
    table = table_of(rules)
    if not table.usable:
        return {"troubles": list(dict.fromkeys(troubles_of(table)))}
    policy = table.policy
    hours = policy.calendars.get(policy.calendar_name("", form.cleaned_data["warehouse"].strip()))
    made = form.made(hours.timezone if hours else tenant.timezone)
    found = example_of(made, policy)
    return {"result": found, "stages": [(stage, bar_of(stage, made)) for stage in found.stages]}


def bar_of(stage: StageExample, made: Made) -> Bar | None:
    """None while nothing is due."""
    explained = stage.explained
    start, due = explained.started_at, explained.due_at
    if start is None or due is None or due <= start:
        return None
    scale, zone = Scale(start, due + (due - start) / 40), explained.timezone or made.timezone
    return Bar(
        pieces=list(pieces_of(explained, scale, zone, start, start)),
        due=scale.x(due),
        risk=scale.x(explained.at_risk_at) if explained.at_risk_at else None,
    )


def troubles_of(table: Table) -> list[str]:
    at_rules = [f"Rule {row.number}: {text}" for row in table.rules for text in row.troubles]
    at_calendars = [f"Calendar “{row.name}”: {text}" for row in table.calendars for text in row.troubles]
    return [*at_rules, *at_calendars, *table.troubles]


def beside(request: HttpRequest, rules: Mapping[str, Any], **asked: int) -> dict[str, Any]:
    """Beside a page that lives: the example is no part of what is refreshed."""
    return {} if wants_part(request) else example_context(request, rules, asked)


def example_context(
    request: HttpRequest,
    rules: Mapping[str, Any],
    asked: Mapping[str, Any],
    *,
    edited: bool = False,
    fit: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """For templates/policy/_example.html. `asked`: which version; none for the draft. `edited`: a form of it is on the page.

    `fit`: a condition, as JSON, that the order shall meet.
    """
    tenant, table = tenant_of(request), table_of(rules)
    first = first_example(table, tenant, access_of(request).now)
    form = filled({**(request.session.get(SESSION) or first), **fitting(fit or {})})
    if not form.is_valid():
        form = filled(first)
        form.is_valid()
    shown = [*ALWAYS_SHOWN, *asked_for(rules)]
    return {
        "example_form": form,
        "example_asked": asked,
        "example_edited": edited,
        "example_shown": [form[name] for name in dict.fromkeys(shown)],
        "example_more": [form[name] for name in form.fields if name not in shown],
        "example_zones": sorted(
            {tenant.timezone, "UTC", *(hours.timezone for hours in table.policy.calendars.values())}
        ),
        **judged(form, rules, tenant),
    }


def filled(said: Mapping[str, Any]) -> ExampleForm:
    return ExampleForm({f"{PREFIX}-{name}": value for name, value in said.items()})


def fitting(when: Mapping[str, Any]) -> dict[str, str]:
    """The fields of an order that meets the condition."""
    fields = {key: line_of(listed(when[key])[:1]) for key in KEYS if when.get(key)}
    if span := when.get("order_value"):
        fields |= {
            "value": amount_words(span.get("at_least_cents") or 0, span["currency"]),
            "currency": span["currency"],
        }
    return fields


def asked_for(rules: Mapping[str, Any]) -> list[str]:
    """The fields of what the rules' conditions ask for."""
    keys = {key for rule in rules["rules"] for key in rule.get("when") or ()}
    fields = [key for key in KEYS if key in keys]
    return [*fields, "value", "currency"] if "order_value" in keys else fields


def first_example(table: Table, tenant: Tenant, now: datetime) -> dict[str, Any]:
    """The coming Friday at 13:59, at the first warehouse."""
    policy = table.policy
    house = next((row.warehouses[0] for row in table.calendars if row.warehouses), "")
    hours = policy.calendars.get(policy.calendar_name("", house))
    today = now.astimezone(ZoneInfo(hours.timezone if hours else tenant.timezone))
    friday = today.date() + timedelta(days=(FRIDAY - today.weekday()) % 7)
    return {"at": f"{friday}T13:59", "warehouse": house, "late": 1, "occurrences": 1}
