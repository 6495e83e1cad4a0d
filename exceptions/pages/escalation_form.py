"""The form of the escalation page: rows of steps, shifts and overrides, read as the JSON that a plan is kept as, and back.

A row whose first field is empty is no row. Sentences come back with the paths of `escalation.reading`, and land at the rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from exceptions.escalation.chain import MOST_STEPS, SEVERITIES, Effect, Unless
from exceptions.escalation.reading import MOST_OVERRIDES, MOST_SHIFTS

BLANK_STEPS = 1
BLANK_ROWS = 2
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
Json = dict[str, Any]


@dataclass(slots=True)
class FormRow:
    """`name`: the first part of its fields' names; `values` as they are shown; `errors`: sentences."""

    name: str
    values: Json = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PlanForm:
    """`steps` by severity: (severity, its name, rows)."""

    steps: Sequence[tuple[str, str, Sequence[FormRow]]]
    shifts: Sequence[FormRow]
    overrides: Sequence[FormRow]
    timezone: str
    errors: Sequence[str] = ()


def chains_of(data: QueryDict) -> Json:
    """From the posted form."""
    chains: Json = {}
    for severity in SEVERITIES:
        steps = [step_of(data, f"{severity}-{number}") for number in range(MOST_STEPS + BLANK_STEPS)]
        if found := [step for step in steps if step]:
            chains[severity.value] = found
    return chains


def step_of(data: QueryDict, name: str) -> Json | None:
    after = data.get(f"{name}-after", "").strip()
    if not after:
        return None
    return {
        "after_minutes": number_of(after),
        "unless": data.get(f"{name}-unless", ""),
        "effect": data.get(f"{name}-effect", ""),
        "to": data.get(f"{name}-to", ""),
    }


def rota_of(data: QueryDict) -> Json:
    shifts = [shift_of(data, f"shift-{number}") for number in range(MOST_SHIFTS + BLANK_ROWS)]
    overrides = [override_of(data, f"override-{number}") for number in range(MOST_OVERRIDES + BLANK_ROWS)]
    return {
        "timezone": data.get("timezone", ""),
        "shifts": [shift for shift in shifts if shift],
        "overrides": [override for override in overrides if override],
    }


def shift_of(data: QueryDict, name: str) -> Json | None:
    user = data.get(f"{name}-user", "")
    if not user:
        return None
    return {
        "days": [number_of(day) for day in data.getlist(f"{name}-days")],
        "from": data.get(f"{name}-from", ""),
        "until": data.get(f"{name}-until", ""),
        "user_id": number_of(user),
    }


def override_of(data: QueryDict, name: str) -> Json | None:
    date = data.get(f"{name}-date", "")
    if not date:
        return None
    user = data.get(f"{name}-user", "")
    times = {"from": data.get(f"{name}-from", ""), "until": data.get(f"{name}-until", "")}
    return {"date": date, **times, "user_id": number_of(user) if user else None}


def number_of(text: str) -> int | str:
    """What is no number stays a text, which the reading refuses with a sentence."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def form_of(chains: Mapping[str, Any], rota: Mapping[str, Any], errors: Mapping[str, list[str]]) -> PlanForm:
    """With blank rows to add to. `errors` as `read_plan` gives them."""
    left = dict(errors)
    steps = []
    for severity in SEVERITIES:
        rows = rows_of(severity.value, chains.get(severity.value, ()), severity.value, left, MOST_STEPS, BLANK_STEPS)
        steps.append((severity.value, str(severity.label), rows))
    shifts = rows_of("shift", rota.get("shifts", ()), "rota.shifts", left, MOST_SHIFTS, BLANK_ROWS)
    overrides = rows_of("override", rota.get("overrides", ()), "rota.overrides", left, MOST_OVERRIDES, BLANK_ROWS)
    whole = [text for texts in left.values() for text in texts]
    return PlanForm(steps, shifts, overrides, str(rota.get("timezone", "")), whole)


def rows_of(
    name: str, stored: Sequence[Any], path: str, errors: dict[str, list[str]], most: int, blank: int
) -> list[FormRow]:
    """Takes the sentences that belong to a row out of `errors`."""
    rows = []
    for number, values in enumerate(stored):
        begin = f"{path}[{number}]"
        mine = [key for key in errors if key == begin or key.startswith(f"{begin}.")]
        texts = [f"{field_title(key)}{text}" for key in mine for text in errors.pop(key)]
        rows.append(FormRow(f"{name}-{number}", dict(values), texts))
    free = min(blank, max(most - len(rows), 0))
    return [*rows, *(FormRow(f"{name}-{len(rows) + number}") for number in range(free))]


def field_title(path: str) -> str:
    """`HIGH[0].after_minutes` as `Minutes: `."""
    title = TITLES.get(path.rpartition(".")[2])
    return f"{title}: " if title else ""


TITLES = {
    "after_minutes": "Minutes",
    "unless": "If still",
    "effect": "What",
    "to": "Whom",
    "days": "Days",
    "from": "From",
    "until": "Until",
    "user_id": "Who",
    "date": "Day",
}
UNLESS_CHOICES = [(word.value, f"if still {word.label}") for word in Unless]
EFFECT_CHOICES = [(word.value, str(word.label)) for word in Effect]
