"""The steps of a playbook: read from JSON, checked with a sentence for each wrong value, written back. Pure.

A step: {"kind", "parameters", "mode", "approver", "two_people_above_cents", "delay_minutes", "when", "expects", "within_minutes"}.
`when` narrows it to some exceptions: "severity_at_least", "value_at_least_cents", "value_below_cents", "order_status" (a list).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exceptions.choices import Severity
from exceptions.playbooks.catalogue import ACTION_KINDS, ActionKind
from exceptions.playbooks.parameters import parameter_troubles
from exceptions.playbooks.words import Approver, Mode
from orders.models import OrderStatus

MOST_STEPS = 12
LONGEST_MINUTES = 30 * 24 * 60
MOST_CENTS = 10**12
KEYS = (
    "kind",
    "parameters",
    "mode",
    "approver",
    "two_people_above_cents",
    "delay_minutes",
    "when",
    "expects",
    "within_minutes",
)
CONDITIONS = ("severity_at_least", "value_at_least_cents", "value_below_cents", "order_status")
EVENT_TYPES = (  # what an action can be expected to lead to
    "payment_confirmed",
    "inventory_allocated",
    "order_packed",
    "order_fulfilled",
    "shipment_in_transit",
    "order_delivered",
    "order_returned",
    "order_held",
    "order_released",
    "order_updated",
    "order_cancelled",
    "order_refunded",
    "address_corrected",
)
Errors = dict[str, list[str]]


class StepsError(ValueError):
    """The steps cannot be used. `errors`: {"steps.0.mode": [sentence, …]}."""

    def __init__(self, errors: Errors) -> None:
        self.errors = errors
        super().__init__(" ".join(f"{key}: {text}" for key, texts in errors.items() for text in texts))


@dataclass(frozen=True, slots=True)
class Step:
    """`approver` and `two_people_above_cents` count in the mode `approve`; without `expects` an action is done when called."""

    kind: str
    mode: str = Mode.SUGGEST
    parameters: Mapping[str, Any] = field(default_factory=dict)
    approver: str = Approver.OPERATOR
    two_people_above_cents: int | None = None
    delay_minutes: int = 0
    when: Mapping[str, Any] = field(default_factory=dict)
    expects: Sequence[str] = ()
    within_minutes: int | None = None

    @property
    def action(self) -> ActionKind:
        return ACTION_KINDS[self.kind]


def steps_from_json(stored: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Of steps that were checked when they were stored."""
    return tuple(Step(**{key: item[key] for key in KEYS if key in item}) for item in stored)


def steps_to_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Without what is as by default."""
    plain = Step(kind="")
    return [
        {
            key: list(value) if key == "expects" else value
            for key in KEYS
            if (value := getattr(step, key)) != getattr(plain, key) or key in ("kind", "mode")
        }
        for step in steps
    ]


def parse_steps(given: Any) -> tuple[Step, ...]:
    """Raises: StepsError."""
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_STEPS:
        raise StepsError({"steps": [f"Give a list of 1 to {MOST_STEPS} steps."]})
    errors: Errors = {}
    for place, item in enumerate(given):
        for key, text in step_troubles(item):
            errors.setdefault(f"steps.{place}.{key}" if key else f"steps.{place}", []).append(text)
    if errors:
        raise StepsError(errors)
    steps = steps_from_json(given)
    if errors := order_troubles(steps):
        raise StepsError(errors)
    return steps


def order_troubles(steps: Sequence[Step]) -> Errors:
    """What cannot be undone comes last: nothing that changes the order can follow it."""
    last = next((place for place, step in enumerate(steps) if step.kind == "shopify_cancel"), len(steps))
    return {
        f"steps.{place}.kind": ["Nothing can change an order after it was cancelled: cancel it in the last such step."]
        for place, step in enumerate(steps)
        if place > last and step.action.channel in ("shopify", "internal") and step.kind != "assign"
    }


def step_troubles(item: Any) -> list[tuple[str, str]]:
    """(key, sentence)."""
    if not isinstance(item, Mapping):
        return [("", "A step is an object with a kind and a mode.")]
    found = [(str(key), f"There is no such key; the keys are {', '.join(KEYS)}.") for key in item if key not in KEYS]
    kind = ACTION_KINDS.get(item.get("kind", "")) if isinstance(item.get("kind"), str) else None
    if kind is None:
        return [*found, ("kind", f"Choose one of {', '.join(ACTION_KINDS)}.")]
    found += [(f"parameters.{key}", text) for key, text in parameter_troubles(kind, item.get("parameters", {}))]
    found += mode_troubles(kind, item)
    found += time_troubles(kind, item)
    return found + condition_troubles(item.get("when", {}))


def mode_troubles(kind: ActionKind, item: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    if item.get("mode") not in Mode.values:
        found.append(("mode", f"Choose one of {', '.join(Mode.values)}."))
    if item.get("mode") == Mode.AUTOMATIC and kind.irreversible:
        found.append(
            ("mode", f"“{kind.title}” cannot be undone, so it needs a person: suggest it or ask for approval.")
        )
    if item.get("approver", Approver.OPERATOR) not in Approver.values:
        found.append(("approver", f"Choose one of {', '.join(Approver.values)}."))
    above = item.get("two_people_above_cents")
    if above is not None and not is_whole(above, 0, MOST_CENTS):
        found.append(("two_people_above_cents", "Give a sum in cents, or leave it out for one person."))
    return found


def time_troubles(kind: ActionKind, item: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    if not is_whole(item.get("delay_minutes", 0), 0, LONGEST_MINUTES):
        found.append(("delay_minutes", "Give whole minutes from 0 to 30 days."))
    expects, within = item.get("expects", []), item.get("within_minutes")
    if not isinstance(expects, list) or any(one not in EVENT_TYPES for one in expects):
        found.append(("expects", f"Give a list of event types among {', '.join(EVENT_TYPES)}."))
    elif kind.name == "wait" and not expects:
        found.append(("expects", "A step that waits must say for which event."))
    if (within is not None or expects) and not is_whole(within, 1, LONGEST_MINUTES):
        found.append(("within_minutes", "Say within how many whole minutes it is expected, at most 30 days."))
    if within is not None and not expects:
        found.append(("expects", "Say which event is expected within this time."))
    return found


def condition_troubles(when: Any) -> list[tuple[str, str]]:
    if not isinstance(when, Mapping):
        return [("when", "Give an object of conditions.")]
    known = ", ".join(CONDITIONS)
    found = [("when", f"“{key}” is no condition; there are {known}.") for key in when if key not in CONDITIONS]
    if when.get("severity_at_least", Severity.LOW) not in Severity.values:
        found.append(("when.severity_at_least", f"Choose one of {', '.join(Severity.values)}."))
    statuses = when.get("order_status", [])
    if not isinstance(statuses, list) or any(status not in OrderStatus.values for status in statuses):
        found.append(("when.order_status", f"Give a list among {', '.join(OrderStatus.values)}."))
    for key in ("value_at_least_cents", "value_below_cents"):
        if key in when and not is_whole(when[key], 0, MOST_CENTS):
            found.append((f"when.{key}", "Give a sum in cents."))
    return found


def is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def applies(step: Step, *, severity: str, order_status: str, value_cents: int | None) -> bool:
    """Whether the step's conditions hold. An order of unknown value meets no condition on it."""
    when = step.when
    ranks = Severity.values
    if ranks.index(severity) < ranks.index(when.get("severity_at_least", Severity.LOW)):
        return False
    if "order_status" in when and order_status not in when["order_status"]:
        return False
    if value_cents is None:
        return not {"value_at_least_cents", "value_below_cents"} & when.keys()
    return bool(when.get("value_at_least_cents", 0) <= value_cents < when.get("value_below_cents", MOST_CENTS + 1))


def approvals_needed(step: Step, money_cents: int | None) -> int:
    """Two where more is at stake than the step's sum, or where nobody knows how much."""
    if step.mode != Mode.APPROVE:
        return 0
    limit = step.two_people_above_cents
    if limit is None or not step.action.moves_money:
        return 1
    return 2 if money_cents is None or money_cents > limit else 1
