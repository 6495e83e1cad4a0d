"""How bad an exception is and which comes first: severities by lateness and order, priority as a sum of points. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tenants.conditions import Condition, Traits, ValueRange

LOW, MEDIUM, HIGH, CRITICAL = SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
SEVERITY_POINTS: Mapping[str, int] = {LOW: 10, MEDIUM: 40, HIGH: 70, CRITICAL: 100}
REPEAT_POINTS = 5
MOST_REPEATS = 10  # further ones add nothing


class Step(NamedTuple):
    """A breach by more than this has that severity: seconds, and times the target's length on top of them."""

    severity: str
    after_seconds: int = 0
    after_targets: float = 0


class Raise(NamedTuple):
    """Orders of this condition: every severity so many steps higher."""

    when: Condition
    by: int


@dataclass(frozen=True, slots=True)
class SeverityRules:
    """`ladders`: stage → steps, the first at 0; a stage left out keeps the usual ones. `problems`: reason → severity."""

    ladders: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    raises: Sequence[Raise] = ()


@dataclass(frozen=True, slots=True)
class PriorityRules:
    """Points, added up. `values`: the best of those that hold."""

    severity: Mapping[str, int] = field(default_factory=lambda: SEVERITY_POINTS)
    reasons: Mapping[str, int] = field(default_factory=dict)
    tiers: Mapping[str, int] = field(default_factory=dict)
    values: Sequence[tuple[ValueRange, int]] = ()
    repeat: int = REPEAT_POINTS


class Bearing(NamedTuple):
    """What an order itself adds to each of its exceptions."""

    raised: int = 0  # steps of severity
    tier: int = 0  # points
    value: int = 0  # points


NO_BEARING = Bearing()
USUAL_PRIORITY = PriorityRules()
USUAL_SEVERITY = SeverityRules()


def bearing_of(traits: Traits, severity: SeverityRules, priority: PriorityRules) -> Bearing:
    return Bearing(
        raised=max((rule.by for rule in severity.raises if rule.when.holds(traits)), default=0),
        tier=priority.tiers.get(traits.customer_tier.casefold(), 0),
        value=max((points for span, points in priority.values if span.holds(traits)), default=0),
    )


def raised(severity: str, steps: int) -> str:
    return SEVERITIES[min(SEVERITIES.index(severity) + steps, len(SEVERITIES) - 1)] if steps else severity


def priority_parts(
    rules: PriorityRules, bearing: Bearing, *, severity: str, reason: str, occurrences: int
) -> dict[str, int]:
    """The points of each part that has any; their sum is the priority."""
    parts = {
        "severity": rules.severity.get(severity, 0),
        "reason": rules.reasons.get(reason, 0),
        "customer_tier": bearing.tier,
        "order_value": bearing.value,
        "repeat": rules.repeat * min(occurrences - 1, MOST_REPEATS),
    }
    return {name: points for name, points in parts.items() if points}
