"""The fields of a condition: which orders a rule is about. What they say becomes JSON, which the policy's own rules check."""

from collections.abc import Mapping
from typing import Any

from django import forms

from orders.pages.policy.words_field import line_of, text_of, words_of
from tenants.conditions import LISTS, WORDS
from tenants.currencies import amount_words, minor_units
from tenants.policy_words import CONDITION_WORDS

KEYS = (*WORDS, *LISTS)
HINTS = {
    "source": "Who told of the order first, such as shopify.",
    "destination_country": "Two letters, such as PT.",
    "sku": "One of them in the order is enough.",
    "tag": "One of them on the order is enough.",
}
VALUE_FIELDS = {"at_least_cents": "value_from", "below_cents": "value_below", "currency": "value_currency"}
AMOUNTS = ("value_from", "value_below")


class ValueFields(forms.Form):
    """A range of order values: amounts as people write them."""

    value_from = forms.CharField(label="Order value from", required=False, max_length=20)
    value_below = forms.CharField(label="Order value below", required=False, max_length=20)
    value_currency = forms.CharField(label="Currency", required=False, max_length=3, help_text="Such as EUR.")

    def clean_value_currency(self) -> str:
        return str(self.cleaned_data["value_currency"]).strip().upper()

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = self.cleaned_data
        currency = said.get("value_currency", "")
        amounts = {name: minor_units(said[name], currency) for name in AMOUNTS if said.get(name)}
        for name, minor in amounts.items():
            if minor is None or minor < 0:
                self.add_error(name, f"“{said[name]}” is no amount of {currency or 'money'}; write it such as 129.90.")
        if amounts and not currency:
            self.add_error("value_currency", "Of which currency? Such as EUR.")
        least, below = (amounts.get(name) for name in AMOUNTS)
        if least is not None and below is not None and below <= least:
            self.add_error(
                "value_below", "It must be more than the amount from which it counts, else none lies between."
            )
        return said

    def value_range(self) -> dict[str, Any]:
        """As JSON; empty where nothing is filled in. Of a form whose fields can be read."""
        said = {key: self.cleaned_data[name] for key, name in VALUE_FIELDS.items()}
        currency = said.pop("currency")
        amounts = {key: minor_units(text, currency) for key, text in said.items() if text}
        return {"currency": currency, **amounts} if currency else {}


class ConditionFields(ValueFields):
    """All that is filled in must hold; of several words, one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key in KEYS:
            self.fields[key] = forms.CharField(
                label=CONDITION_WORDS[key],
                required=False,
                max_length=100_000,
                help_text=HINTS.get(key, ""),
                widget=forms.TextInput({"autocomplete": "off", "placeholder": "any"}),
            )

    def condition(self) -> dict[str, Any]:
        """As JSON; empty for every order."""
        words: dict[str, Any] = {key: found for key in KEYS if (found := words_of(self.cleaned_data[key]))}
        span = self.value_range()
        return words | ({"order_value": span} if span else {})

    def condition_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in (*KEYS, *VALUE_FIELDS.values())]


def condition_initial(when: Mapping[str, Any] | None) -> dict[str, str]:
    found = when or {}
    words = {key: line_of(found.get(key)) for key in KEYS}
    return words | value_initial(found.get("order_value") or {})


def value_initial(span: Mapping[str, Any]) -> dict[str, str]:
    currency = span.get("currency", "")
    amounts = {
        VALUE_FIELDS[key]: amount_words(span[key], currency)
        if isinstance(span.get(key), int)
        else text_of(span.get(key))
        for key in ("at_least_cents", "below_cents")
    }
    return amounts | {VALUE_FIELDS["currency"]: currency}


def condition_field_of(path: str) -> str:
    """Of a path below the condition, such as `order_value.below_cents` or `sku[3]`, the field that it is about."""
    head, _, rest = path.partition(".")
    if head == "order_value":
        return VALUE_FIELDS.get(rest, "value_currency")
    key = head.partition("[")[0]
    return key if key in KEYS else ""
