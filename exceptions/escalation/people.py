"""Who a step reaches, when it is taken. Nobody is reached in vain: where there is no such person, the managers are. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from exceptions.escalation.chain import ON_CALL, ROLES, Effect, Step
from exceptions.escalation.rota import Rota, who_is_on_call
from tenants.models import Role


@dataclass(frozen=True, slots=True)
class Person:
    user_id: int
    name: str
    role: str
    full_name: str = ""

    @property
    def shown(self) -> str:
        return self.full_name or self.name


@dataclass(frozen=True, slots=True)
class Reached:
    """`why`: how they came to be the ones."""

    people: Sequence[Person]
    why: str

    @property
    def names(self) -> str:
        return " and ".join(person.name for person in self.people) or "nobody"


def reached_by(
    step: Step, rota: Rota, team: Sequence[Person], *, at: datetime, load: Mapping[int, int] | None = None
) -> Reached:
    """`load`: how many exceptions each has; of a role, who has the fewest gets the next."""
    found = asked_for(step, rota, team, at)
    if not found.people:
        managers = [person for person in team if person.role == Role.MANAGER]
        found = Reached(managers, f"{found.why}, so the managers")
    if step.effect == Effect.ASSIGN and len(found.people) > 1:
        counts = load or {}
        least = min(found.people, key=lambda person: (counts.get(person.user_id, 0), person.name))
        return Reached([least], f"{found.why}; has the fewest")
    return found


def asked_for(step: Step, rota: Rota, team: Sequence[Person], at: datetime) -> Reached:
    if step.to == ON_CALL:
        user_id = who_is_on_call(rota, at)
        people = [person for person in team if person.user_id == user_id]
        return Reached(people, "on call" if people else "nobody is on call")
    if step.to in ROLES:
        role = step.to.partition(":")[2]
        people = [person for person in team if person.role == role]
        return Reached(people, ROLES[step.to] if people else f"there are no {role}s")
    people = [person for person in team if f"user:{person.user_id}" == step.to]
    return Reached(people, "" if people else "who was chosen has left")
