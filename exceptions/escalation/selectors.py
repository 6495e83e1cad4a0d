"""What is in force, and the team that it reaches. In the tenant's schema."""

from dataclasses import dataclass

from django.db import connection

from exceptions.escalation.models import EscalationPlan
from exceptions.escalation.people import Person
from exceptions.escalation.reading import Plan, read_plan
from exceptions.escalation.rota import Rota
from tenants.models import Membership

LOAD = """SELECT assignee_id, count(*) FROM exceptions_record
WHERE assignee_id IS NOT NULL AND status <> 'RESOLVED' AND verdict = 'active' GROUP BY assignee_id"""


@dataclass(frozen=True, slots=True)
class InForce:
    """`version` 0: nothing was ever saved."""

    version: int
    plan: Plan
    row: EscalationPlan | None = None


def plan_in_force(zone: str = "UTC") -> InForce:
    """`zone`: of an empty rota."""
    row = EscalationPlan.objects.order_by("-version").first()
    if row is None:
        return InForce(0, Plan(rota=Rota(zone)))
    plan, _ = read_plan(row.chains, row.rota)
    return InForce(row.version, plan, row)


def last_plans(*, most: int = 10) -> list[EscalationPlan]:
    """Newest first: who saved a version, and when."""
    return list(EscalationPlan.objects.order_by("-version").only("version", "actor", "created_at")[:most])


def team() -> list[Person]:
    """The members whose accounts are in use, by name."""
    schema = connection.schema_name  # type: ignore[attr-defined]
    members = Membership.objects.filter(tenant__schema_name=schema, user__is_active=True).select_related("user")
    return [
        Person(member.user_id, member.user.username, member.role, member.user.get_full_name())
        for member in members.order_by("user__username")
    ]


def load_of_each() -> dict[int, int]:
    """How many unresolved exceptions each person has."""
    with connection.cursor() as cursor:
        cursor.execute(LOAD)
        return dict(cursor.fetchall())
