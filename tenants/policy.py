"""A tenant's SLA configuration: read from JSON, checked, chosen by when an order began (CONTRACT 4). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any, NamedTuple

HOUR, MINUTE = 3600, 60
MAX_TARGET_SECONDS = 10 * 365 * 24 * HOUR
MAX_ATTEMPTS = 100
ATTEMPTS_KEY = "max_resolution_attempts"
DEFAULT_ATTEMPTS = 3


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
DEFAULT_RULES: Mapping[str, float] = {
    "order_fulfillment_hours": 24,
    "shipping_preparation_hours": 4,
    "payment_processing_minutes": 30,
    "inventory_check_minutes": 15,
    "max_resolution_attempts": 3,
}


class PolicyError(ValueError):
    """The policy cannot be used. `errors`: {key: [sentence, …]}."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        self.errors = dict(errors)
        super().__init__(" ".join(f"{key}: {text}" for key, texts in self.errors.items() for text in texts))


@dataclass(frozen=True, slots=True)
class Policy:
    """`targets`: stage → whole seconds; a stage left out has no deadline. A delivery's promise is the order's own."""

    targets: Mapping[str, int] = field(default_factory=dict)
    max_resolution_attempts: int = DEFAULT_ATTEMPTS


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A published policy. An order keeps the version that it began under."""

    id: int
    valid_from: datetime
    policy: Policy


def parse_policy(rules: Mapping[str, Any]) -> Policy:
    """The flat form. A target left out or null is none.

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


def is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and (isinstance(value, int) or isfinite(value))
    )


def is_attempts(value: Any) -> bool:
    return is_number(value) and 1 <= value <= MAX_ATTEMPTS and value == int(value)


def shown(value: Any) -> str:
    """The value as a sentence quotes it, short whatever was sent."""
    if isinstance(value, int | float) and abs(value) > 10**15:
        return "so large a number"
    text = repr(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"
    return text if len(text) <= 40 else f"{text[:40]}…"


def policy_at(versions: Sequence[PolicyVersion], began_at: datetime) -> PolicyVersion | None:
    """The version in force when the order began: of those started by then the last to start, else the first of all.

    `versions`: ascending by version number.
    """
    if not versions:
        return None
    chosen = versions[0]
    for version in versions[1:]:
        started = version.valid_from <= began_at
        if started and (chosen is versions[0] or version.valid_from >= chosen.valid_from):
            chosen = version
    return chosen
