"""What a chain would do to an exception that opens now, and who is on call, in sentences. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from exceptions.escalation.chain import ON_CALL, ROLES, SEVERITIES, Effect, Step, length
from exceptions.escalation.people import Person, reached_by
from exceptions.escalation.reading import Plan


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One step: when, whom it reaches as things stand, and unless what."""

    at: datetime
    waited: str
    who: str
    did: str
    unless: str
    why: str


@dataclass(frozen=True, slots=True)
class Course:
    """Of one severity; without steps nobody is told but by their own choice."""

    severity: str
    title: str
    steps: Sequence[Foreseen]


def courses(plan: Plan, team: Sequence[Person], *, now: datetime) -> list[Course]:
    return [
        Course(
            severity.value,
            str(severity.label),
            [foreseen(step, plan, team, now) for step in plan.chains.get(severity.value, ())],
        )
        for severity in SEVERITIES
    ]


def foreseen(step: Step, plan: Plan, team: Sequence[Person], now: datetime) -> Foreseen:
    at = now + step.after
    reached = reached_by(step, plan.rota, team, at=at)
    given = step.effect == Effect.ASSIGN
    did = "gets it" if given else "is told" if len(reached.people) == 1 else "are told"
    who = " and ".join(person.shown for person in reached.people) or "nobody"
    return Foreseen(at, length(step.after_minutes), who, did, step.unless, reached.why)


def choices_of(team: Sequence[Person]) -> list[tuple[str, str]]:
    """Whom a step can name."""
    people = [(f"user:{person.user_id}", person.shown) for person in team]
    return [(ON_CALL, "whoever is on call"), *ROLES.items(), *people]
