"""Orders whose exceptions are more severe than others': a condition, and by how many steps. JSON in, JSON out."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from e2a.pages import dressed
from orders.pages.policy.condition_fields import ConditionFields, condition_field_of, condition_initial
from orders.pages.policy.weights_fields import ANY_RULE
from tenants.policy_form import read_what_can_be

PATH = "severity.raise[0]."
STEPS = ((1, "one step more severe"), (2, "two steps"), (3, "three steps"))


class RaiseForm(ConditionFields):
    by = forms.TypedChoiceField(label="Every exception of theirs is", choices=STEPS, coerce=int, initial=1)

    def __init__(self, data: Any = None, *, raised: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        found = raised or {}
        initial = {"by": found.get("by", 1), **condition_initial(found.get("when"))}
        super().__init__(data, initial=initial, **kwargs)
        dressed(self)

    def clean(self) -> dict[str, Any]:
        """What the policy's own rules say stands at the fields."""
        said: dict[str, Any] = self.cleaned_data
        if not self.errors:
            _, errors = read_what_can_be({**ANY_RULE, "severity": {"raise": [self.raised()]}})
            for path, sentences in errors.items():
                place = path.removeprefix(PATH)
                self.add_error(condition_field_of(place.removeprefix("when.")) or None, list(sentences))
        return said

    def raised(self) -> dict[str, Any]:
        return {"when": self.condition(), "by": self.cleaned_data["by"]}


def raises_of(rules: Mapping[str, Any]) -> list[Any]:
    return list((rules.get("severity") or {}).get("raise") or [])


def with_raises(rules: Mapping[str, Any], raises: Sequence[Any]) -> dict[str, Any]:
    severity = {key: value for key, value in (rules.get("severity") or {}).items() if key != "raise"}
    severity |= {"raise": list(raises)} if raises else {}
    return {**rules, "severity": severity}
