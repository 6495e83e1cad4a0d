"""What may be tried and on which orders, as forms: each ends in a whole policy and its title."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from orders.simulator.changes import (
    EVERY_RULE,
    Rules,
    calendar_names,
    rule_names,
    target_title,
    with_calendar,
    with_target,
)
from tenants.calendar_form import WEEKDAY_NAMES, WEEKDAYS
from tenants.models import PolicyDraft, SlaPolicy, Tenant
from tenants.policy import PolicyError, as_rules, parse_policy
from tenants.policy_words import STAGE_WORDS

LOOKED_BACK = timedelta(days=29)
FIRST_DAY = date(2000, 1, 1)
MOST_TEXT = 400_000
UNITS = {
    "minutes": "minutes, every hour counts",
    "hours": "hours, every hour counts",
    "working_minutes": "minutes of working time",
    "working_hours": "hours of working time",
    "none": "no deadline",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What a tenant's trials begin from. `current`: the newest version."""

    current: SlaPolicy
    versions: Sequence[SlaPolicy]
    draft: PolicyDraft | None


def known_of(tenant: Tenant) -> Known | None:
    """None before the first policy."""
    versions = list(SlaPolicy.objects.filter(tenant=tenant).order_by("-version")[:50])
    return Known(versions[0], versions, PolicyDraft.objects.filter(tenant=tenant).first()) if versions else None


class TrialForm(forms.Form):
    """The period, both days included, in the tenant's zone. After `is_valid`: `rules`, `title`, `period`, `draft_revision`."""

    since = forms.DateField(label="Orders that began from", widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="until", widget=forms.DateInput(attrs={"type": "date"}))
    tried: Callable[[Mapping[str, Any]], tuple[Rules, str]]  # each trial's own: the policy, and what it is in words

    def __init__(self, data: Any = None, *, known: Known, now: datetime) -> None:
        self.known, self.now = known, now
        self.rules: Rules = {}
        self.title = ""
        self.draft_revision: int | None = None
        today = timezone.localdate(now)
        super().__init__(data, initial={"since": today - LOOKED_BACK, "until": today})
        self.order_fields([name for name in self.fields if name not in ("since", "until")])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = data.get("since"), data.get("until")
        if since and since < FIRST_DAY:
            self.add_error("since", f"Begin on {FIRST_DAY:%d %b %Y} or later.")
        if until and until > timezone.localdate(self.now):
            self.add_error("until", "That day is still to come; only past orders can be tried.")
        elif since and until and since > until:
            self.add_error("until", "The period ends before it begins.")
        if not self.errors:
            self.rules, self.title = self.tried(data)
            self.check_rules()
        return data

    def field_of(self, path: str) -> str | None:
        """The field at which a sentence about that part of the policy belongs."""
        return None

    def check_rules(self) -> None:
        try:
            parse_policy(self.rules)
        except PolicyError as wrong:
            for path, texts in wrong.errors.items():
                name = self.field_of(path)
                for text in texts:
                    self.add_error(name, text if name else f"{path}: {text}")

    @property
    def period(self) -> dict[str, datetime]:
        """[start, end), the end not after now."""
        end = midnight(self.cleaned_data["until"] + timedelta(days=1))
        return {"start": midnight(self.cleaned_data["since"]), "end": min(end, self.now)}


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_current_timezone())


class DraftForm(TrialForm):
    def tried(self, data: Mapping[str, Any]) -> tuple[Rules, str]:
        draft = self.known.draft
        if draft is None:
            self.add_error(None, "There is no draft any more; begin one on the policy's page, or try something else.")
            return self.known.current.rules, ""
        self.draft_revision = draft.revision
        return draft.rules, f"The draft begun from version {draft.based_on}"


class TargetForm(TrialForm):
    stage = forms.ChoiceField(label="Stage", choices=list(STAGE_WORDS.items()), initial="order_fulfillment")
    rule = forms.ChoiceField(label="Rule", required=False)
    amount = forms.FloatField(
        label="How long", required=False, min_value=0, widget=forms.NumberInput(attrs={"step": "any"})
    )
    unit = forms.ChoiceField(label="Counted in", choices=list(UNITS.items()), initial="hours")
    calendar = forms.ChoiceField(label="Calendar", required=False)

    def __init__(self, data: Any = None, *, known: Known, now: datetime) -> None:
        super().__init__(data, known=known, now=now)
        names = calendar_names(known.current.rules)
        self.choose(
            "rule", [(EVERY_RULE, "Every rule"), *((name, name) for name in rule_names(known.current.rules) if name)]
        )
        self.choose("calendar", [("", "That of the warehouse"), *((name, name) for name in names)])
        if not names:
            self.fields["calendar"].widget = forms.HiddenInput()

    def choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean_amount(self) -> float | int | None:
        amount: float | None = self.cleaned_data["amount"]
        return int(amount) if amount is not None and amount == int(amount) else amount

    def tried(self, data: Mapping[str, Any]) -> tuple[Rules, str]:
        unit, amount = data["unit"], data["amount"]
        target: dict[str, Any] | None = None
        if unit != "none":
            if amount is None:
                self.add_error("amount", "Say how long; or choose “no deadline”.")
            target = {unit: amount}
            if unit.startswith("working") and data["calendar"]:
                target["calendar"] = data["calendar"]
        words = UNITS[unit] if target is None else f"{amount:g} {UNITS[unit]}" if amount is not None else ""
        rules = with_target(self.known.current.rules, data["stage"], target, rule=data["rule"])
        return rules, target_title(data["stage"], words, data["rule"])

    def field_of(self, path: str) -> str | None:
        stage = f".targets.{self.cleaned_data['stage']}"
        if stage not in path:
            return None
        return "calendar" if path.endswith(".calendar") else "amount"


class CalendarForm(TrialForm):
    """Of a calendar of the policy in force: its hours and holidays. The days off that it names itself stay."""

    calendar = forms.ChoiceField(label="Calendar")
    timezone = forms.CharField(label="Time zone", max_length=64)
    country = forms.CharField(
        label="Holidays of", max_length=2, required=False, help_text="A country's code such as PT; empty for none."
    )
    subdivision = forms.CharField(label="Part of the country", max_length=16, required=False)

    def __init__(self, data: Any = None, *, known: Known, now: datetime, name: str = "") -> None:
        super().__init__(data, known=known, now=now)
        calendars: Mapping[str, Any] = as_rules(known.current.rules).get("calendars", {})
        self.chosen = name if name in calendars else next(iter(calendars), "")
        self.before: Mapping[str, Any] = calendars.get(self.chosen, {})
        self.fields["calendar"].choices = [(each, each) for each in calendars]  # type: ignore[attr-defined]
        hours: Mapping[str, Sequence[str]] = self.before.get("weekly", {})
        for day, label in zip(WEEKDAYS, WEEKDAY_NAMES, strict=True):
            self.fields[day] = forms.CharField(label=label, required=False, max_length=200)
            self.initial[day] = ", ".join(hours.get(day, ()))
        holidays = self.before.get("holidays", {})
        self.initial.update(
            {
                "calendar": self.chosen,
                "timezone": self.before.get("timezone", ""),
                "country": holidays.get("country", ""),
                "subdivision": holidays.get("subdivision", ""),
            }
        )
        self.fields["mon"].help_text = "Such as 09:00-13:00, 14:00-18:00; empty for closed."
        period = ("since", "until")
        self.order_fields(["calendar", "timezone", *WEEKDAYS, "country", "subdivision", *period])

    def tried(self, data: Mapping[str, Any]) -> tuple[Rules, str]:
        windows = {day: [part.strip() for part in data[day].split(",") if part.strip()] for day in WEEKDAYS}
        calendar: dict[str, Any] = {
            "timezone": data["timezone"],
            "weekly": {day: parts for day, parts in windows.items() if parts},
        }
        if data["country"]:
            holidays = {"country": data["country"].upper(), "subdivision": data["subdivision"].upper()}
            calendar["holidays"] = {key: value for key, value in holidays.items() if value}
        if days_off := self.before.get("days_off"):
            calendar["days_off"] = days_off
        rules = with_calendar(self.known.current.rules, data["calendar"], calendar)
        return rules, f"Other hours in the calendar “{data['calendar']}”"

    def field_of(self, path: str) -> str | None:
        inside = path.removeprefix(f"calendars.{self.cleaned_data['calendar']}")
        if inside == path:
            return None
        names = {".timezone": "timezone", ".holidays.subdivision": "subdivision", ".holidays": "country"}
        names |= {f".weekly.{day}": day for day in WEEKDAYS}
        return next((name for start, name in names.items() if inside.startswith(start)), "mon")


class VersionForm(TrialForm):
    version = forms.ChoiceField(label="Version")

    def __init__(self, data: Any = None, *, known: Known, now: datetime) -> None:
        super().__init__(data, known=known, now=now)
        self.fields["version"].choices = [(str(each.version), version_words(each)) for each in known.versions]  # type: ignore[attr-defined]

    def tried(self, data: Mapping[str, Any]) -> tuple[Rules, str]:
        chosen = next(each for each in self.known.versions if str(each.version) == data["version"])
        return chosen.rules, f"Version {chosen.version}"


def version_words(policy: SlaPolicy) -> str:
    note = f": {policy.note}" if policy.note else ""
    return f"Version {policy.version}, in force from {timezone.localtime(policy.valid_from):%d %b %Y %H:%M}{note}"


class JsonForm(TrialForm):
    text = forms.CharField(
        label="The whole policy as JSON",
        max_length=MOST_TEXT,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false", "class": "textarea mono"}),
    )

    def __init__(self, data: Any = None, *, known: Known, now: datetime) -> None:
        super().__init__(data, known=known, now=now)
        self.initial["text"] = json.dumps(known.current.rules, indent=2, ensure_ascii=False)

    def clean_text(self) -> Rules:
        try:
            rules = json.loads(self.cleaned_data["text"], parse_constant=float)
            json.dumps(rules, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError):
            raise forms.ValidationError("That is no JSON; check its braces, quotes and commas.") from None
        if "\\u0000" in json.dumps(rules):
            raise forms.ValidationError("A text in it holds the character NUL, which cannot be stored; take it out.")
        if not isinstance(rules, dict):
            raise forms.ValidationError("A policy is a JSON object, such as the one in force.")
        return rules

    def tried(self, data: Mapping[str, Any]) -> tuple[Rules, str]:
        return data["text"], "A policy written as JSON"

    def field_of(self, path: str) -> str | None:
        return None


KINDS: Mapping[str, tuple[str, type[TrialForm]]] = {
    "draft": ("The draft", DraftForm),
    "target": ("One target", TargetForm),
    "calendar": ("A calendar", CalendarForm),
    "version": ("Another version", VersionForm),
    "json": ("As JSON", JsonForm),
}


class PublishForm(forms.Form):
    """`starts_at`: in the tenant's zone; empty: now."""

    starts_at = forms.DateTimeField(
        required=False,
        label="In force from",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="Empty: from now on. Orders that began before keep the policy they began under.",
    )
    note = forms.CharField(required=False, max_length=200, label="Note for the history")
