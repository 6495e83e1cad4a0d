"""A tenant's SLA configuration: read from JSON, checked, chosen by when an order began (CONTRACT 4). Pure.

It has two forms: the flat one, read here, and the one of rules (`tenants.policy_form`). The flat form is a policy of one rule, which
takes every order: each target a length in calendar time, the delivery due at its promise, every hold a pause.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tenants.policy_form import read_policy
from tenants.policy_rules import (
    ATTEMPTS_KEY,
    DEFAULT_ATTEMPTS,
    HOUR,
    MAX_ATTEMPTS,
    MAX_TARGET_SECONDS,
    MINUTE,
    Policy,
    PolicyError,
    PolicyVersion,
    policy_at,
)
from tenants.reading import is_number, shown

__all__ = ["DEFAULT_RULES", "Policy", "PolicyError", "PolicyVersion", "as_rules", "parse_policy", "policy_at"]


class TargetKey(NamedTuple):
    """A key of the flat form: the stage whose target it gives, and its unit."""

    stage: str
    unit: str
    unit_seconds: int


TARGET_KEYS = {
    "order_fulfillment_hours": TargetKey("order_fulfillment", "hours", HOUR),
    "shipping_preparation_hours": TargetKey("shipping_preparation", "hours", HOUR),
    "payment_processing_minutes": TargetKey("payment_processing", "minutes", MINUTE),
    "inventory_check_minutes": TargetKey("inventory_check", "minutes", MINUTE),
}
KEYS = (*TARGET_KEYS, ATTEMPTS_KEY)
EVERY_ORDER = "Every order"  # how the one rule of the flat form is called
DEFAULT_RULES: Mapping[str, float] = {
    "order_fulfillment_hours": 24,
    "shipping_preparation_hours": 4,
    "payment_processing_minutes": 30,
    "inventory_check_minutes": 15,
    "max_resolution_attempts": 3,
}


def parse_policy(rules: Mapping[str, Any]) -> Policy:
    """Either form; one with the key `rules` is that of rules.

    Raises: PolicyError with a sentence for each wrong value, by its path (`rules[0].targets.delivery.warn`).
    """
    if isinstance(rules, Mapping) and "rules" in rules:
        return read_policy(rules)
    return parse_flat_policy(rules)


def parse_flat_policy(rules: Mapping[str, Any]) -> Policy:
    """A target left out or null is none.

    Raises: PolicyError with a sentence for each wrong value.
    """
    if not isinstance(rules, Mapping):
        raise PolicyError({"rules": [f"It must be an object with any of the keys {', '.join(KEYS)}."]})
    errors: dict[str, list[str]] = {
        str(key): [f"There is no such key; the keys are {', '.join(KEYS)}."] for key in rules if key not in KEYS
    }
    targets: dict[str, int] = {}
    for key, meaning in TARGET_KEYS.items():
        if (value := rules.get(key)) is None:
            continue
        if sentence := target_trouble(value, meaning):
            errors[key] = [sentence]
        else:
            targets[meaning.stage] = seconds_of(value, meaning)
    attempts = rules.get(ATTEMPTS_KEY)
    if attempts is not None and not is_attempts(attempts):
        errors[ATTEMPTS_KEY] = [f"It must be a whole number from 1 to {MAX_ATTEMPTS}, not {shown(attempts)}."]
    if errors:
        raise PolicyError(errors)
    return Policy(targets, DEFAULT_ATTEMPTS if attempts is None else int(attempts))


def as_rules(rules: Mapping[str, Any]) -> dict[str, Any]:
    """The same policy in the form of rules: the flat form as its one rule. `rules`: one that can be used."""
    if "rules" in rules:
        return dict(rules)
    targets = {
        meaning.stage: {meaning.unit: value}
        for key, meaning in TARGET_KEYS.items()
        if (value := rules.get(key)) is not None
    }
    form: dict[str, Any] = {"rules": [{"name": EVERY_ORDER, "targets": targets}]}
    if (attempts := rules.get(ATTEMPTS_KEY)) is not None:
        form[ATTEMPTS_KEY] = attempts
    return form


def target_trouble(value: Any, meaning: TargetKey) -> str:
    """A sentence, or nothing."""
    advice = f"give a number of {meaning.unit} greater than 0, or null for no deadline."
    if not is_number(value):
        return f"It must be a number, not {shown(value)}; {advice}"
    if value <= 0:
        return f"It is {shown(value)}; {advice}"
    if value * meaning.unit_seconds > MAX_TARGET_SECONDS:
        return f"It is longer than ten years; give at most {MAX_TARGET_SECONDS // meaning.unit_seconds} {meaning.unit}."
    if seconds_of(value, meaning) < 1:
        return f"It is shorter than a second; {advice}"
    return ""


def seconds_of(value: float, meaning: TargetKey) -> int:
    """Whole seconds, half up: what is stored of a clock must be all that its later judging needs."""
    return int(value * meaning.unit_seconds + 0.5)


def is_attempts(value: Any) -> bool:
    return is_number(value) and 1 <= value <= MAX_ATTEMPTS and value == int(value)
