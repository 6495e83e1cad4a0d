"""A chain to begin with, for who has none."""

from datetime import datetime

from exceptions.escalation.chain import ON_CALL, Effect, Unless
from exceptions.escalation.selectors import plan_in_force, team
from exceptions.escalation.services import save_plan
from tenants.models import Role, Tenant

CHAINS = {
    "CRITICAL": [
        {"after_minutes": 10, "unless": Unless.ACKNOWLEDGED.value, "effect": Effect.NOTIFY.value, "to": ON_CALL},
        {"after_minutes": 60, "unless": Unless.RESOLVED.value, "effect": Effect.NOTIFY.value, "to": "role:manager"},
    ],
    "HIGH": [
        {"after_minutes": 30, "unless": Unless.ACKNOWLEDGED.value, "effect": Effect.NOTIFY.value, "to": ON_CALL},
        {"after_minutes": 240, "unless": Unless.RESOLVED.value, "effect": Effect.NOTIFY.value, "to": "role:manager"},
    ],
}


def install_default(*, tenant: Tenant, actor: str, now: datetime) -> bool:
    """In the tenant's schema. The first manager is on call by day; False where there is a plan already."""
    if plan_in_force().version:
        return False
    people = team()
    managers = [person.user_id for person in people if person.role == Role.MANAGER]
    shifts = [{"days": list(range(7)), "from": "08:00", "until": "20:00", "user_id": user} for user in managers[:1]]
    rota = {"timezone": tenant.timezone, "shifts": shifts, "overrides": []}
    members = [person.user_id for person in people]
    save_plan(base=0, chains=CHAINS, rota=rota, members=members, actor=actor, now=now)
    return True
