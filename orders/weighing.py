"""How severe and how urgent a policy makes one late stage or one problem of an order. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from orders.clocks import SEVERITIES, ladder_of
from orders.problems import USUAL_SEVERITIES
from orders.stages import REASONS, severity_of
from tenants.conditions import Traits
from tenants.policy import Policy
from tenants.weights import LOW, Bearing, bearing_of, priority_parts, raised


class Weight(NamedTuple):
    """`parts`: what → points of the priority, which is their sum."""

    severity: str
    parts: Mapping[str, int]

    @property
    def priority(self) -> int:
        return sum(self.parts.values())


def weight_of_stage(
    policy: Policy, traits: Traits, stage: str, *, late: timedelta, target_seconds: int | None, occurrences: int
) -> Weight:
    bearing = bearing_of(traits, policy.severity, policy.priority)
    ladder = ladder_of(stage, policy.severity.ladders.get(stage), bearing.raised, target_seconds)
    severity = severity_of(SEVERITIES[stage], late, target_seconds, ladder)
    return weighed(policy, bearing, severity, REASONS[stage], occurrences)


def weight_of_problem(policy: Policy, traits: Traits, reason: str, *, occurrences: int) -> Weight:
    bearing = bearing_of(traits, policy.severity, policy.priority)
    severity = policy.severity.problems.get(reason, USUAL_SEVERITIES[reason])
    return weighed(policy, bearing, raised(severity, bearing.raised), reason, occurrences)


def weight_of_warning(policy: Policy, traits: Traits, stage: str, *, occurrences: int) -> Weight:
    """Of a stage at risk: always LOW."""
    bearing = bearing_of(traits, policy.severity, policy.priority)
    return weighed(policy, bearing, LOW, REASONS[stage], occurrences)


def weighed(policy: Policy, bearing: Bearing, severity: str, reason: str, occurrences: int) -> Weight:
    parts = priority_parts(policy.priority, bearing, severity=severity, reason=reason, occurrences=occurrences)
    return Weight(severity, parts)
