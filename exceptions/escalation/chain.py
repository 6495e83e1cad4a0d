"""A tenant's chain: after how long without what, who is told or gets the exception. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import TextChoices

from exceptions.choices import Severity, Status, Verdict
from tenants.models import Role


class Unless(TextChoices):
    """What makes a step needless."""

    ACKNOWLEDGED = "acknowledged", "unacknowledged"
    RESOLVED = "resolved", "unresolved"


class Effect(TextChoices):
    NOTIFY = "notify", "tell"
    ASSIGN = "assign", "assign it to"


ON_CALL = "on_call"
ROLES: Mapping[str, str] = {
    f"role:{Role.MANAGER}": "the managers",
    f"role:{Role.OPERATOR}": "the operators",
    f"role:{Role.VIEWER}": "the viewers",
}
MOST_MINUTES = 7 * 24 * 60
MOST_STEPS = 10  # of one severity
SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


@dataclass(frozen=True, slots=True)
class Step:
    """`to`: ON_CALL, a key of ROLES, or user:ID."""

    after_minutes: int
    unless: str
    effect: str
    to: str

    @property
    def after(self) -> timedelta:
        return timedelta(minutes=self.after_minutes)

    @property
    def unless_word(self) -> str:
        return str(Unless(self.unless).label)

    def key(self, severity: str) -> str:
        """Says the same of the same step in a later version, so that it is not taken again."""
        return f"{severity}:{self.after_minutes}:{self.unless}:{self.effect}:{self.to}"


Chains = Mapping[str, Sequence[Step]]  # by severity


@dataclass(frozen=True, slots=True)
class Standing:
    """An exception as the chain sees it. `started_at`: since when it waits, snoozes taken out."""

    status: str
    verdict: str
    severity: str
    started_at: datetime
    done: Collection[str]

    @property
    def is_over(self) -> bool:
        return self.status == Status.RESOLVED or self.verdict != Verdict.ACTIVE


def steps_due(chains: Chains, standing: Standing, *, now: datetime) -> list[Step]:
    """Those of its severity whose time has come, that were not taken and are still needed, in order."""
    if standing.is_over:
        return []
    return [
        step
        for step in chains.get(standing.severity, ())
        if standing.started_at + step.after <= now
        and step.key(standing.severity) not in standing.done
        and not (step.unless == Unless.ACKNOWLEDGED and standing.status != Status.OPEN)
    ]


def next_look(chains: Chains, standing: Standing, *, now: datetime) -> datetime | None:
    """When a step may be due next, by the chain of any severity, since the severity may change meanwhile."""
    if standing.is_over:
        return None
    times = {standing.started_at + step.after for steps in chains.values() for step in steps}
    return min((at for at in times if at > now), default=None)


def length(minutes: int) -> str:
    """`1 h 30 min`."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours)
    return " ".join(parts)
