"""The form of a rule: its name, which orders, a target for each stage, what pauses. JSON in, JSON out.

The fields only put the JSON together: whether it can be used is said by the policy's own rules, whose sentences are then
shown at the fields that they are about.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from e2a.pages import dressed
from orders.pages.policy.condition_fields import ConditionFields, condition_field_of, condition_initial
from orders.pages.policy.target_fields import FIELD_OF_KEY, TargetFields, target_initial
from orders.pages.policy.words_field import line_of, words_of
from tenants.policy_rules import PROBLEM_REASONS, STAGE_NAMES
from tenants.policy_words import PROBLEM_WORDS

HOLDS = (
    ("all", "Every hold pauses"),
    ("none", "No hold pauses"),
    ("only", "Only holds for these reasons"),
    ("except", "All but for these reasons"),
)
USUAL_DELIVERY = {"promise": "promised_delivery_at"}


class RuleForm(ConditionFields):
    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text="Each its own.",
        error_messages={"required": "A rule needs a name."},
    )
    excluded = forms.CharField(
        label="No deadlines for these orders, because",
        required=False,
        max_length=240,
        help_text="Filled in, none of the deadlines above counts. Such as: Preorders ship when the goods arrive.",
    )
    holds = forms.ChoiceField(choices=HOLDS, initial="all")
    hold_reasons = forms.CharField(
        label="Reasons", required=False, max_length=2_000, help_text="Separated by commas, such as FRAUD, INVENTORY."
    )
    problems = forms.MultipleChoiceField(
        label="The clocks stand still too while",
        required=False,
        choices=[(reason, PROBLEM_WORDS[reason].capitalize()) for reason in PROBLEM_REASONS],
        widget=forms.CheckboxSelectMultiple(),
    )

    def __init__(
        self, data: Any = None, *, rule: Mapping[str, Any] | None = None, calendars: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(data, initial=rule_initial(rule or {}), **kwargs)
        targets = (rule or {}).get("targets") or {}
        usual = {} if rule and (rule.get("excluded") or "delivery" in targets) else {"delivery": USUAL_DELIVERY}
        self.targets = [
            TargetFields(data, prefix=stage, calendars=calendars, initial=target_initial((usual | targets).get(stage)))
            for stage in STAGE_NAMES
        ]
        for form in (self, *self.targets):
            dressed(form)

    def is_valid(self) -> bool:
        return all([super().is_valid(), *(target.is_valid() for target in self.targets)])

    def can_be_read(self) -> bool:
        """Whether there is a rule to check: a name that is missing hides nothing else that is wrong."""
        return self.is_valid() or (set(self.errors) == {"name"} and not any(target.errors for target in self.targets))

    def rule(self) -> dict[str, Any]:
        """As JSON. Without a delivery of its own the key says so, for one that is left out is due at its promise."""
        said = self.cleaned_data
        form: dict[str, Any] = {"name": said.get("name", "").strip()}
        if when := self.condition():
            form["when"] = when
        if excluded := said["excluded"].strip():
            form["excluded"] = excluded
        else:
            found = {stage: target.target() for stage, target in zip(STAGE_NAMES, self.targets, strict=True)}
            form["targets"] = {stage: each for stage, each in found.items() if each or stage == "delivery"}
        pauses = self.pauses()
        return form | ({"pauses": pauses} if pauses else {})

    def pauses(self) -> dict[str, Any]:
        said = self.cleaned_data
        pauses: dict[str, Any] = {}
        if said["holds"] == "none":
            pauses["holds"] = False
        elif said["holds"] != "all":
            pauses["holds"] = {said["holds"]: words_of(said["hold_reasons"])}
        return pauses | ({"problems": said["problems"]} if said["problems"] else {})

    def blame(self, errors: Mapping[str, Sequence[str]], root: str) -> None:
        """What the policy's rules refuse, at the fields. `root`: the path of this rule."""
        for path, sentences in errors.items():
            place = path.removeprefix(root).removeprefix(".")
            stage, field = field_of(place)
            form = next((target for target in self.targets if target.prefix == stage), self)
            if field not in form.errors:
                form.add_error(field or None, list(sentences))


def field_of(path: str) -> tuple[str, str]:
    """Of a path within a rule: the stage, if it is about one, and the field; both empty: the rule as a whole."""
    head, _, rest = path.partition(".")
    if head == "targets" and rest:
        stage, _, key = rest.partition(".")
        return stage, FIELD_OF_KEY.get(key.partition(".")[0], "kind")
    if head == "when":
        return "", condition_field_of(rest)
    if head == "pauses":
        return "", "problems" if rest.startswith("problems") else "hold_reasons"
    return "", head if head in ("name", "excluded") else ""


def rule_initial(rule: Mapping[str, Any]) -> dict[str, Any]:
    pauses = rule.get("pauses") or {}
    return {
        "name": rule.get("name", ""),
        "excluded": rule.get("excluded") or "",
        "problems": pauses.get("problems") or [],
        **holds_initial(pauses.get("holds")),
        **condition_initial(rule.get("when")),
    }


def holds_initial(holds: Any) -> dict[str, str]:
    """Only and except at once is told as the one that is left: the reasons that count."""
    if holds is False:
        return {"holds": "none"}
    if not isinstance(holds, Mapping):
        return {"holds": "all"}
    only, never = (holds.get(key) for key in ("only", "except"))
    if only is None:
        return {"holds": "except", "hold_reasons": line_of(never)}
    out = {word.casefold() for word in ([never] if isinstance(never, str) else never or [])}
    counted = [word for word in ([only] if isinstance(only, str) else only) if word.casefold() not in out]
    return {"holds": "only", "hold_reasons": line_of(counted)}
