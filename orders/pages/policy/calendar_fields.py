"""The fields of a calendar: zone, windows by weekday, public holidays, whose calendar it is. JSON in, JSON out."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from e2a.pages import dressed
from orders.pages.policy.words_field import line_of, words_of
from tenants.calendar_form import WEEKDAYS
from tenants.policy_form import read_what_can_be

DAY_LABELS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_NAME = 60
ANY_RULE = {"name": "any", "targets": {"delivery": None}}


class CalendarForm(forms.Form):
    name = forms.CharField(
        max_length=MOST_NAME,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": "A calendar needs a name."},
    )
    timezone = forms.CharField(
        label="Time zone",
        max_length=64,
        widget=forms.TextInput({"list": "zones", "autocomplete": "off"}),
        help_text="Of the place, such as Europe/Lisbon.",
        error_messages={"required": "In which time zone does the place lie? Such as Europe/Lisbon."},
    )
    country = forms.CharField(
        label="Public holidays of",
        required=False,
        max_length=2,
        widget=forms.TextInput({"list": "countries", "autocomplete": "off"}),
        help_text="A country's two letters, such as PT. Left empty: no holidays.",
    )
    subdivision = forms.CharField(
        label="Part of the country",
        required=False,
        max_length=20,
        widget=forms.TextInput({"list": "subdivisions", "autocomplete": "off"}),
        help_text="Its code, such as BY of Germany, for holidays of its own.",
    )
    warehouses = forms.CharField(
        required=False, max_length=20_000, help_text="Whose calendar this is, separated by commas, such as LIS1, OPO2."
    )
    default = forms.BooleanField(label="For orders of all other warehouses too", required=False)

    def __init__(self, data: Any = None, *, rules: Mapping[str, Any], old_name: str = "", **kwargs: Any) -> None:
        self.rules, self.old_name = rules, old_name
        super().__init__(data, initial=calendar_initial(rules, old_name), **kwargs)
        for day, label in zip(WEEKDAYS, DAY_LABELS, strict=True):
            self.fields[day] = forms.CharField(
                label=label,
                required=False,
                max_length=200,
                widget=forms.TextInput({"placeholder": "closed", "autocomplete": "off"}),
            )
        dressed(self)

    def days(self) -> list[forms.BoundField]:
        return [self[day] for day in WEEKDAYS]

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"]).strip().upper()

    def clean(self) -> dict[str, Any]:
        """What the policy's own rules say of the calendar stands at the fields."""
        said: dict[str, Any] = self.cleaned_data
        name = said.get("name", "")
        if name != self.old_name and name in (self.rules.get("calendars") or {}):
            self.add_error("name", "Another calendar is called so; give each its own name.")
        if not self.errors:
            _, errors = read_what_can_be({"rules": [ANY_RULE], "calendars": {name: self.calendar()}})
            for path, sentences in errors.items():
                self.add_error(field_of(path.removeprefix(f"calendars.{name}").removeprefix(".")), list(sentences))
        return said

    def calendar(self) -> dict[str, Any]:
        """As JSON; its own days off stay."""
        said = self.cleaned_data
        old = (self.rules.get("calendars") or {}).get(self.old_name) or {}
        weekly = {day: words_of(said[day]) for day in WEEKDAYS if said[day].strip()}
        form: dict[str, Any] = {"timezone": said["timezone"].strip(), "weekly": weekly}
        if said["country"]:
            part = said["subdivision"].strip()
            form["holidays"] = {"country": said["country"]} | ({"subdivision": part} if part else {})
        return form | ({"days_off": old["days_off"]} if old.get("days_off") else {})

    def policy(self) -> dict[str, Any]:
        """The whole draft with this calendar in it. Of a valid form."""
        said, name = self.cleaned_data, self.cleaned_data["name"]
        rules = renamed(self.rules, self.old_name, name) if self.old_name else dict(self.rules)
        chosen = words_of(said["warehouses"])
        houses = {house.casefold() for house in chosen}
        kept = {
            house: calendar
            for house, calendar in (rules.get("warehouses") or {}).items()
            if calendar != name and house.casefold() not in houses
        }
        rules["calendars"] = {**(rules.get("calendars") or {}), name: self.calendar()}
        rules["warehouses"] = kept | dict.fromkeys(chosen, name)
        if said["default"]:
            rules["default_calendar"] = name
        elif rules.get("default_calendar") == name:
            del rules["default_calendar"]
        return rules


def field_of(path: str) -> str | None:
    """Of a path within a calendar."""
    parts = path.replace("[", ".").split(".")
    if parts[0] == "weekly":
        return parts[1] if len(parts) > 1 else WEEKDAYS[0]
    if parts[0] == "holidays":
        return parts[1] if len(parts) > 1 else "country"
    return "timezone" if parts[0] == "timezone" else None


def calendar_initial(rules: Mapping[str, Any], name: str) -> dict[str, Any]:
    calendars = rules.get("calendars") or {}
    form = calendars.get(name) or {}
    holidays = form.get("holidays") or {}
    houses = [house for house, calendar in (rules.get("warehouses") or {}).items() if calendar == name]
    return {
        "name": name,
        "timezone": form.get("timezone", ""),
        "country": holidays.get("country") or "",
        "subdivision": holidays.get("subdivision") or "",
        "warehouses": line_of(houses),
        "default": is_default(rules, name),
        **{day: ", ".join((form.get("weekly") or {}).get(day) or ()) for day in WEEKDAYS},
    }


def is_default(rules: Mapping[str, Any], name: str) -> bool:
    """A single calendar is so by itself, also the first that is added."""
    calendars = list(rules.get("calendars") or {})
    return rules.get("default_calendar") == name if len(calendars) > 1 else calendars in ([], [name])


def renamed(rules: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """The draft with that calendar under its new name wherever it is named."""
    calendars = {new if name == old else name: each for name, each in rules["calendars"].items()}
    houses = {house: new if name == old else name for house, name in (rules.get("warehouses") or {}).items()}
    found = {**rules, "calendars": calendars, "warehouses": houses}
    found["rules"] = [with_calendar(rule, old, new) for rule in rules["rules"]]
    if rules.get("default_calendar") == old:
        found["default_calendar"] = new
    return found


def with_calendar(rule: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    targets = {
        stage: {**target, "calendar": new} if target and target.get("calendar") == old else target
        for stage, target in (rule.get("targets") or {}).items()
    }
    return {**rule, "targets": targets} if "targets" in rule else dict(rule)


def without_calendar(rules: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Its warehouses then keep the default."""
    found = dict(rules)
    found["calendars"] = {each: form for each, form in rules["calendars"].items() if each != name}
    found["warehouses"] = {house: each for house, each in (rules.get("warehouses") or {}).items() if each != name}
    if rules.get("default_calendar") == name:
        del found["default_calendar"]
    return found


def rules_by(rules: Mapping[str, Any], name: str) -> Sequence[str]:
    """The names of the rules that count by that calendar."""
    return [
        str(rule["name"])
        for rule in rules["rules"]
        if any(target and target.get("calendar") == name for target in (rule.get("targets") or {}).values())
    ]
