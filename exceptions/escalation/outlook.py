"""What the chain will do next about one exception, as things stand: for its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from exceptions.choices import Status
from exceptions.escalation.chain import Standing, Unless
from exceptions.escalation.models import EscalationClock
from exceptions.escalation.people import Person
from exceptions.escalation.preview import Foreseen, foreseen
from exceptions.escalation.reading import Plan
from exceptions.escalation.selectors import plan_in_force, team
from exceptions.models import ExceptionRecord


@dataclass(frozen=True, slots=True)
class Outlook:
    """`paused`: it is snoozed, and counts on when it wakes; then there is no time."""

    step: Foreseen | None = None
    paused: bool = False


def outlook_of(record: ExceptionRecord, *, now: datetime) -> Outlook | None:
    """None where no chain waits for it."""
    if record.status == Status.RESOLVED:
        return None
    clock = EscalationClock.objects.filter(pk=record.pk).first()
    if clock is None:
        return None
    if clock.paused_at is not None:
        return Outlook(paused=True)
    standing = Standing(record.status, record.verdict, record.severity, clock.started_at, frozenset(clock.done))
    step = next_step(plan_in_force().plan, standing, team(), now=now)
    return Outlook(step) if step else None


def next_step(plan: Plan, standing: Standing, people: Sequence[Person], *, now: datetime) -> Foreseen | None:
    """The first that was not taken and may still be needed; one that is due already is taken within seconds."""
    if standing.is_over:
        return None
    for step in plan.chains.get(standing.severity, ()):
        needless = step.unless == Unless.ACKNOWLEDGED and standing.status != Status.OPEN
        if not needless and step.key(standing.severity) not in standing.done:
            at = max(standing.started_at + step.after, now)
            return foreseen(step, plan, people, at - step.after)
    return None
