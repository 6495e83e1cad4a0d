"""What a policy is: rules (for which orders, by when, what stops the clock), calendars, weights; and which version counts. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tenants.calendars import Calendar, calendar_of
from tenants.conditions import ALWAYS, Condition, Traits
from tenants.open_hours import Hours
from tenants.targets import Length, Promise, Target
from tenants.weights import USUAL_PRIORITY, USUAL_SEVERITY, PriorityRules, SeverityRules

HOUR, MINUTE = 3600, 60
MAX_TARGET_SECONDS = 10 * 365 * 24 * HOUR
MAX_ATTEMPTS = 100
ATTEMPTS_KEY = "max_resolution_attempts"
DEFAULT_ATTEMPTS = 3

STAGE_NAMES = ("payment_processing", "inventory_check", "shipping_preparation", "order_fulfillment", "delivery")
PROBLEM_REASONS = ("PAYMENT_FAILED", "INVENTORY_SHORTAGE", "SHIPPING_DELAY", "DELIVERY_FAILED", "ADDRESS_INVALID")


@dataclass(frozen=True, slots=True)
class Pausing:
    """What stops the clocks of an order. Reasons of holds are kept and compared in lower case.

    `only`: holds of these reasons alone (None: of any); `never`: these never; `problems`: while one of these is active.
    """

    only: frozenset[str] | None = None
    never: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()

    def counts(self, reasons: Iterable[str]) -> bool:
        """Whether a hold stops the clock. `reasons`: all that it was given; one that counts is enough."""
        said = {reason.casefold() for reason in reasons} or {""}
        return bool((said if self.only is None else said & self.only) - self.never)

    @property
    def takes_every_hold(self) -> bool:
        return self.only is None and not self.never


EVERY_HOLD = Pausing()


@dataclass(frozen=True, slots=True)
class Rule:
    """`targets`: by stage; one left out has no deadline. `excluded`: why such orders have no deadline at all."""

    name: str = ""
    when: Condition = ALWAYS
    targets: Mapping[str, Target] = field(default_factory=dict)
    pausing: Pausing = EVERY_HOLD
    excluded: str = ""


NO_RULE = Rule()


class PolicyError(ValueError):
    """The policy cannot be used. `errors`: {path: [sentence, …]}."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        self.errors = dict(errors)
        super().__init__(" ".join(f"{key}: {text}" for key, texts in self.errors.items() for text in texts))


@dataclass(frozen=True, slots=True)
class Policy:
    """`targets`: the flat form's, stage → whole seconds. With `rules` the first that takes an order counts.

    `calendars`: by name; `warehouses`: warehouse, in lower case → the name of its calendar.
    """

    targets: Mapping[str, int] = field(default_factory=dict)
    max_resolution_attempts: int = DEFAULT_ATTEMPTS
    rules: tuple[Rule, ...] = ()
    calendars: Mapping[str, Hours] = field(default_factory=dict)
    default_calendar: str = ""
    warehouses: Mapping[str, str] = field(default_factory=dict)
    severity: SeverityRules = USUAL_SEVERITY
    priority: PriorityRules = USUAL_PRIORITY
    flat: Rule = field(init=False, compare=False, repr=False, default=NO_RULE)

    def __post_init__(self) -> None:
        lengths: dict[str, Target] = {stage: Length(seconds) for stage, seconds in self.targets.items()}
        object.__setattr__(self, "flat", Rule(targets=lengths | {"delivery": Promise()}))

    def rule_of(self, traits: Traits) -> Rule:
        """An order that no rule takes has no deadlines."""
        if not self.rules:
            return self.flat
        for rule in self.rules:
            if rule.when.holds(traits):
                return rule
        return NO_RULE

    def calendar_of(self, target: Target, warehouse: str) -> Calendar | None:
        """The calendar that a target names, or that of the order's warehouse; None for calendar time."""
        if isinstance(target, Promise) or target.calendar is None:
            return None
        return calendar_of(self.calendars[self.calendar_name(target.calendar, warehouse)])

    def calendar_name(self, name: str, warehouse: str) -> str:
        return name or self.warehouses.get(warehouse.casefold(), self.default_calendar)


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A published policy. An order keeps the version that it began under."""

    id: int
    valid_from: datetime
    policy: Policy


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
