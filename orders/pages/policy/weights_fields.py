"""The fields of severity and priority: how late makes how bad, and which points add up. JSON in, JSON out."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from e2a.pages import dressed
from orders.pages.policy.condition_fields import ValueFields, value_initial
from orders.pages.policy.words_field import number_of, text_of, without_empty, words_of
from tenants.policy_form import read_what_can_be
from tenants.policy_rules import ATTEMPTS_KEY, DEFAULT_ATTEMPTS, PROBLEM_REASONS, STAGE_NAMES
from tenants.policy_words import PROBLEM_WORDS, REASON_WORDS, STAGE_WORDS
from tenants.weights import REPEAT_POINTS, SEVERITIES, SEVERITY_POINTS
from tenants.weights_form import MOST_STEPS, STAGE_REASONS

USUAL = ("", "as usual")
LEVELS = [(level, level) for level in SEVERITIES]
LATER = ("MEDIUM", "HIGH", "CRITICAL")
UNITS = (("after_hours", "hours"), ("after_minutes", "minutes"), ("after_targets", "times its target"))
REASONS = (*STAGE_REASONS, *PROBLEM_REASONS)
BLANK_ROWS = 2
NUMBER = 12
ANY_RULE = {"rules": [{"name": "any", "targets": {"delivery": None}}]}


class LadderForm(forms.Form):
    """Of one stage, which is its prefix. A step left empty is none."""

    first = forms.ChoiceField(label="Late at all", required=False, choices=[USUAL, *LEVELS])
    unit = forms.ChoiceField(label="Later steps count in", required=False, choices=UNITS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for level in LATER:
            self.fields[level] = forms.CharField(label=f"{level} after", required=False, max_length=NUMBER)
        self.label = STAGE_WORDS[self.prefix or ""]
        dressed(self)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = self.cleaned_data
        if not said.get("first") and any(said.get(level) for level in LATER):
            self.add_error("first", "How bad is it to be late at all? The steps come on top of that.")
        return said

    def filled(self) -> list[str]:
        """The fields of the steps, in order."""
        return ["first", *(level for level in LATER if self.cleaned_data[level].strip())]

    def steps(self) -> list[dict[str, Any]]:
        said = self.cleaned_data
        if not said["first"]:
            return []
        unit = said["unit"] or "after_hours"
        later = [{"severity": level, unit: number_of(said[level])} for level in self.filled()[1:]]
        return [{"severity": said["first"]}, *later]


def ladder_initial(steps: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    if not steps:
        return {}
    units = [key for step in steps[1:] for key, _ in UNITS if step.get(key) is not None]
    unit = "after_minutes" if len(set(units)) > 1 else (units or ["after_hours"])[0]
    form = {"first": steps[0]["severity"], "unit": unit}
    for step in steps[1:]:
        minutes = step.get("after_hours") is not None and unit == "after_minutes"
        form[step["severity"]] = text_of(step["after_hours"] * 60 if minutes else step.get(unit))
    return form


class ValueRow(ValueFields):
    """Points for orders of a value. Without points the row is none."""

    points = forms.CharField(required=False, max_length=NUMBER)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["value_from"].label, self.fields["value_below"].label = "From", "Below"
        dressed(self)

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if said.get("points", "").strip() and not said.get("value_currency") and not self.errors:
            self.add_error("value_currency", "Of which currency? Such as EUR.")
        return said

    def row(self) -> dict[str, Any] | None:
        points = self.cleaned_data["points"].strip()
        return {**self.value_range(), "points": number_of(points)} if points else None


class WeightsForm(forms.Form):
    tiers = forms.CharField(
        label="Points by customer tier", required=False, max_length=2_000, help_text="Such as: gold 20, silver 10."
    )
    repeat = forms.CharField(label="Points for each repetition", required=False, max_length=NUMBER)
    attempts = forms.CharField(label="Tries to solve an exception, at most", required=False, max_length=NUMBER)

    def __init__(self, data: Any = None, *, rules: Mapping[str, Any], **kwargs: Any) -> None:
        self.rules = rules
        severity, priority = rules.get("severity") or {}, rules.get("priority") or {}
        super().__init__(data, initial=weights_initial(rules, severity, priority), **kwargs)
        for reason in PROBLEM_REASONS:
            self.fields[f"severity-{reason}"] = choice(PROBLEM_WORDS[reason].capitalize())
        for level in SEVERITIES:
            self.fields[f"points-{level}"] = number(level)
        for reason in REASONS:
            self.fields[f"points-{reason}"] = number(REASON_WORDS[reason])
        ladders = severity.get("stages") or {}
        self.ladders = [
            LadderForm(data, prefix=stage, initial=ladder_initial(ladders.get(stage) or ())) for stage in STAGE_NAMES
        ]
        values = priority.get("order_value") or []
        self.values = [
            ValueRow(data, prefix=f"value{index}", initial=row_initial(values, index))
            for index in range(min(len(values) + BLANK_ROWS, MOST_STEPS))
        ]
        dressed(self)

    def named(self, start: str, names: Sequence[str]) -> list[forms.BoundField]:
        return [self[f"{start}-{name}"] for name in names]

    def problems(self) -> list[forms.BoundField]:
        return self.named("severity", PROBLEM_REASONS)

    def levels(self) -> list[forms.BoundField]:
        return self.named("points", SEVERITIES)

    def reasons(self) -> list[forms.BoundField]:
        return self.named("points", REASONS)

    @property
    def parts(self) -> list[forms.Form]:
        return [self, *self.ladders, *self.values]

    def is_valid(self) -> bool:
        """What the policy's own rules say stands at the fields."""
        if not all([forms.Form.is_valid(self), *(each.is_valid() for each in (*self.ladders, *self.values))]):
            return False
        _, errors = read_what_can_be({**ANY_RULE, **self.weights()})
        for path, sentences in errors.items():
            form, field = self.place_of(path)
            form.add_error(field, list(sentences))
        return not errors

    def place_of(self, path: str) -> tuple[forms.Form, str | None]:
        parts = path.replace("[", ".").replace("]", "").split(".")
        if parts[:2] == ["severity", "stages"]:
            ladder = next(each for each in self.ladders if each.prefix == parts[2])
            index = int(parts[3]) if len(parts) > 3 else 0
            return ladder, ladder.filled()[index]
        if parts[:2] == ["priority", "order_value"] and len(parts) > 2:
            row = [each for each in self.values if each.row()][int(parts[2])]
            return row, "points" if parts[-1] == "points" else "value_currency"
        names = {
            ("severity", "problems"): f"severity-{parts[-1]}",
            ("priority", "severity"): f"points-{parts[-1]}",
            ("priority", "reasons"): f"points-{parts[-1]}",
            ("priority", "customer_tier"): "tiers",
            ("priority", "repeat"): "repeat",
            (ATTEMPTS_KEY,): "attempts",
        }
        return self, names.get(tuple(parts[:2]))

    def weights(self) -> dict[str, Any]:
        """`severity`, `priority` and the tries; what is as usual is left out. Of a form whose fields can be read."""
        said = self.cleaned_data
        stages = {ladder.prefix: steps for ladder in self.ladders if (steps := ladder.steps())}
        problems = {reason: said[f"severity-{reason}"] for reason in PROBLEM_REASONS}
        raises = (self.rules.get("severity") or {}).get("raise")
        severity = without_empty({"stages": stages, "problems": without_empty(problems), "raise": raises})
        levels = {level: number_of(said[f"points-{level}"] or str(SEVERITY_POINTS[level])) for level in SEVERITIES}
        reasons = {reason: number_of(said[f"points-{reason}"]) for reason in REASONS}
        repeat = number_of(said["repeat"] or str(REPEAT_POINTS))
        priority = without_empty(
            {
                "severity": {level: points for level, points in levels.items() if points != SEVERITY_POINTS[level]},
                "reasons": {reason: points for reason, points in reasons.items() if points not in ("", 0)},
                "customer_tier": tiers_json(said["tiers"]),
                "order_value": [row for each in self.values if (row := each.row())],
                "repeat": None if repeat == REPEAT_POINTS else repeat,
            }
        )
        attempts = number_of(said["attempts"] or str(DEFAULT_ATTEMPTS))
        return without_empty({"severity": severity, "priority": priority, ATTEMPTS_KEY: attempts})

    def policy(self) -> dict[str, Any]:
        """The whole draft with these weights."""
        kept = {key: value for key, value in self.rules.items() if key not in ("severity", "priority", ATTEMPTS_KEY)}
        return kept | self.weights()


def choice(label: str) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=[USUAL, *LEVELS])


def number(label: str) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=NUMBER)


def tiers_json(text: str) -> dict[str, Any]:
    """`gold 20`; a tier without points is refused with a sentence."""
    pairs = [word.rpartition(" ") for word in words_of(text)]
    return {(tier or points).strip(): number_of(points) if tier else "" for tier, _, points in pairs}


def row_initial(values: Sequence[Mapping[str, Any]], index: int) -> dict[str, str]:
    if index >= len(values):
        return {}
    return {**value_initial(values[index]), "points": text_of(values[index].get("points"))}


def weights_initial(
    rules: Mapping[str, Any], severity: Mapping[str, Any], priority: Mapping[str, Any]
) -> dict[str, Any]:
    levels = {**SEVERITY_POINTS, **(priority.get("severity") or {})}
    repeat = priority.get("repeat")
    return {
        **{f"severity-{reason}": level for reason, level in (severity.get("problems") or {}).items()},
        **{f"points-{name}": text_of(points) for name, points in levels.items()},
        **{f"points-{name}": text_of(points) for name, points in (priority.get("reasons") or {}).items()},
        "tiers": ", ".join(
            f"{tier} {text_of(points)}" for tier, points in (priority.get("customer_tier") or {}).items()
        ),
        "repeat": text_of(REPEAT_POINTS if repeat is None else repeat),
        "attempts": text_of(rules.get(ATTEMPTS_KEY) or DEFAULT_ATTEMPTS),
    }
