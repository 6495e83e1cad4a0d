"""Forms of actions and of a playbook's steps, made from the catalogue."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django import forms

from exceptions.choices import Severity
from exceptions.pages.step_words import EVENT_CHOICES
from exceptions.playbooks.catalogue import ActionKind, Parameter
from exceptions.playbooks.parameters import NEEDED_PARTS, PLACEHOLDERS
from exceptions.playbooks.steps import LONGEST_MINUTES, Step
from exceptions.playbooks.words import Approver, Mode
from orders.models import OrderStatus
from tenants.models import Membership, Tenant
from tenants.outgoing.models import OutgoingTarget

MARK = "p_"  # the first part of a parameter's field
UNITS = (("1", "minutes"), ("60", "hours"), ("1440", "days"))
PLACES = "You may write " + ", ".join(f"{{{name}}}" for name in PLACEHOLDERS) + "."
VALUES = {"value_at_least": "Only if it is worth at least", "value_below": "Only if it is worth less than"}
ADDRESS = {
    "firstName": "First name",
    "lastName": "Last name",
    "address1": "Street and number",
    "address2": "Addition",
    "zip": "ZIP code",
    "city": "City",
    "provinceCode": "Province",
    "countryCode": "Country (two letters)",
}


def target_field(parameter: Parameter, kind: ActionKind, tenant: Tenant) -> forms.Field:
    rows = OutgoingTarget.objects.filter(tenant=tenant, channel=kind.channel).order_by("name")
    choices = [(row.name, row.name if row.active else f"{row.name} (switched off)") for row in rows]
    hint = "" if choices else "There is none yet: add one under Targets."
    return forms.ChoiceField(choices=choices, help_text=hint)


def member_field(parameter: Parameter, kind: ActionKind, tenant: Tenant) -> forms.Field:
    rows = Membership.objects.filter(tenant=tenant, user__is_active=True).select_related("user")
    people = [row.user for row in rows.order_by("user__username")]
    return forms.ChoiceField(choices=[(user.username, user.get_full_name() or user.username) for user in people])


def text_field(parameter: Parameter, kind: ActionKind, tenant: Tenant) -> forms.Field:
    hint = PLACES if parameter.name in ("subject", "note") else ""
    return forms.CharField(max_length=parameter.longest, help_text=hint)


def long_text_field(parameter: Parameter, kind: ActionKind, tenant: Tenant) -> forms.Field:
    return forms.CharField(max_length=parameter.longest, widget=forms.Textarea(attrs={"rows": 6}), help_text=PLACES)


def choice_field(parameter: Parameter, kind: ActionKind, tenant: Tenant) -> forms.Field:
    return forms.ChoiceField(choices=[(word, word.replace("_", " ").capitalize()) for word in parameter.choices])


def flag_field(parameter: Parameter, kind: ActionKind, tenant: Tenant) -> forms.Field:
    return forms.BooleanField()


def cents_field(parameter: Parameter, kind: ActionKind, tenant: Tenant) -> forms.Field:
    return forms.DecimalField(min_value=0, max_digits=12, decimal_places=2)


def time_field(parameter: Parameter, kind: ActionKind, tenant: Tenant) -> forms.Field:
    return forms.DateTimeField(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"))


def words_field(parameter: Parameter, kind: ActionKind, tenant: Tenant) -> forms.Field:
    return forms.CharField(max_length=400, help_text="With commas between.")


FIELDS: Mapping[str, Callable[[Parameter, ActionKind, Tenant], forms.Field]] = {
    "text": text_field,
    "long_text": long_text_field,
    "choice": choice_field,
    "flag": flag_field,
    "cents": cents_field,
    "time": time_field,
    "target": target_field,
    "member": member_field,
    "words": words_field,
}


class ParametersForm(forms.Form):
    """The parameters of one kind of action. `at_run`: those too that are given when it is run."""

    def __init__(self, *args: Any, kind: ActionKind, tenant: Tenant, at_run: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        for name, field in self.made(tenant, at_run):
            self.fields[name] = field

    def made(self, tenant: Tenant, at_run: bool) -> Iterator[tuple[str, forms.Field]]:
        for parameter in self.kind.parameters:
            if parameter.at_run and not at_run:
                continue
            if parameter.shape == "address":
                for part, title in ADDRESS.items():
                    yield (
                        f"{MARK}address_{part}",
                        forms.CharField(label=title, max_length=200, required=part in NEEDED_PARTS),
                    )
                continue
            field = FIELDS[parameter.shape](parameter, self.kind, tenant)
            field.label, field.required = parameter.title, parameter.required
            yield MARK + parameter.name, field

    def parameters(self) -> dict[str, Any]:
        """As the catalogue wants them; what was left empty is left out."""
        found: dict[str, Any] = {}
        for parameter in self.kind.parameters:
            value = self.value_of(parameter)
            if value not in (None, "", [], {}, False):
                found[parameter.name] = value
        return found

    def value_of(self, parameter: Parameter) -> Any:
        if parameter.shape == "address":
            parts = {part: self.cleaned_data.get(f"{MARK}address_{part}", "").strip() for part in ADDRESS}
            return {part: text for part, text in parts.items() if text}
        value = self.cleaned_data.get(MARK + parameter.name)
        if value is None:
            return None
        match parameter.shape:
            case "cents":
                return int(value * 100)
            case "words":
                return [word.strip() for word in value.split(",") if word.strip()]
            case "time":
                return value.isoformat()
        return value

    def blame(self, errors: Mapping[str, list[str]], prefix: str = "parameters.") -> None:
        """Puts sentences that the rules found at the fields that they are about."""
        for key, texts in errors.items():
            name = MARK + key.removeprefix(prefix)
            self.add_error(name if name in self.fields else None, texts)


def shown_value(parameter: Parameter, value: Any) -> Any:
    match parameter.shape:
        case "words":
            return ", ".join(value)
        case "cents":
            return f"{value / 100:.2f}"
    return value


class RunForm(ParametersForm):
    reason = forms.CharField(required=False, max_length=500, label="Why", help_text="Kept in the timeline.")
    field_order = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, at_run=True, **kwargs)
        self.order_fields([name for name in self.fields if name != "reason"] + ["reason"])


class RejectForm(forms.Form):
    reason = forms.CharField(
        required=False, max_length=500, label="Why not", help_text="Kept in the timeline; the playbook goes on."
    )


class StepForm(ParametersForm):
    """One step of a playbook."""

    def __init__(self, *args: Any, step: Step | None = None, **kwargs: Any) -> None:
        if step is not None:
            kwargs["initial"] = initial_of(step)
        super().__init__(*args, at_run=False, **kwargs)
        modes = [choice for choice in Mode.choices if not (self.kind.irreversible and choice[0] == Mode.AUTOMATIC)]
        self.fields["mode"] = forms.ChoiceField(choices=modes, label="How it starts", initial=Mode.SUGGEST)
        self.fields["approver"] = forms.ChoiceField(choices=Approver.choices, label="Who may approve", required=False)
        if self.kind.moves_money:
            self.fields["two_above"] = forms.DecimalField(
                required=False,
                min_value=0,
                max_digits=12,
                decimal_places=2,
                label="Two people above",
                help_text="A sum; empty: one person.",
            )
        self.fields["delay_minutes"] = forms.IntegerField(
            required=False, min_value=0, max_value=LONGEST_MINUTES, label="Wait before (minutes)"
        )
        self.fields["expects"] = forms.MultipleChoiceField(
            choices=EVENT_CHOICES,
            required=False,
            widget=forms.CheckboxSelectMultiple,
            label="Expects",
            help_text="When one of them comes in time, the exception is solved; when none does, the next step begins.",
        )
        self.fields["within"] = forms.IntegerField(
            required=False, min_value=1, max_value=LONGEST_MINUTES, label="Within"
        )
        self.fields["within_unit"] = forms.ChoiceField(choices=UNITS, label="Unit", initial="60", required=False)
        self.fields["severity_at_least"] = forms.ChoiceField(
            choices=[("", "Any"), *Severity.choices], required=False, label="Only from severity"
        )
        self.fields["order_status"] = forms.MultipleChoiceField(
            choices=OrderStatus.choices,
            required=False,
            widget=forms.CheckboxSelectMultiple,
            label="Only while the order is",
        )
        for name, title in VALUES.items():
            self.fields[name] = forms.DecimalField(
                required=False, min_value=0, max_digits=12, decimal_places=2, label=title
            )

    def step(self) -> dict[str, Any]:
        """As `parse_steps` reads it."""
        data = self.cleaned_data
        found: dict[str, Any] = {"kind": self.kind.name, "mode": data["mode"], "parameters": self.parameters()}
        if data["mode"] == Mode.APPROVE and data.get("approver"):
            found["approver"] = data["approver"]
        if data.get("two_above") is not None:
            found["two_people_above_cents"] = int(data["two_above"] * 100)
        if data.get("delay_minutes"):
            found["delay_minutes"] = data["delay_minutes"]
        if data["expects"]:
            found["expects"] = data["expects"]
        if data.get("within"):
            found["within_minutes"] = data["within"] * int(data.get("within_unit") or 1)
        when = {key: data[key] for key in ("severity_at_least", "order_status") if data[key]}
        when |= {f"{key}_cents": int(data[key] * 100) for key in VALUES if data.get(key) is not None}
        return {**found, "when": when} if when else found


def initial_of(step: Step) -> dict[str, Any]:
    known = {parameter.name: parameter for parameter in step.action.parameters}
    parameters = {
        MARK + name: shown_value(known[name], value) for name, value in step.parameters.items() if name in known
    }
    unit = next((int(size) for size, _ in reversed(UNITS) if (step.within_minutes or 1) % int(size) == 0), 1)
    two = step.two_people_above_cents
    return {
        **parameters,
        "mode": step.mode,
        "approver": step.approver,
        "two_above": None if two is None else two / 100,
        "delay_minutes": step.delay_minutes or None,
        "expects": list(step.expects),
        "within": step.within_minutes // unit if step.within_minutes else None,
        "within_unit": str(unit),
        "severity_at_least": step.when.get("severity_at_least", ""),
        "order_status": step.when.get("order_status", []),
        **{key: step.when[f"{key}_cents"] / 100 for key in VALUES if f"{key}_cents" in step.when},
    }
