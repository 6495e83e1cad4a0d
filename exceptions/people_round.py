"""What time alone brings people: snoozes that end, steps of escalation, daily summaries, messages that may go out now."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from e2a.postgresql.raw import raw_connection
from e2a.pulse import pulse
from exceptions.escalation.round import escalate_due
from exceptions.notifications.digest import tell_digests
from exceptions.notifications.handing import hand_over
from exceptions.waking import wake_due
from orders.statements import quoted
from tenants.models import Tenant

CHUNK = 500  # tenants in one look
SCHEMAS = 'SELECT schema_name FROM "public".tenants_tenant WHERE active ORDER BY schema_name'
LOOK = """SELECT '{name}' WHERE
  EXISTS (SELECT FROM {s}.exceptions_notification WHERE due_at <= %(now)s)
  OR EXISTS (SELECT FROM {s}.exceptions_escalationclock WHERE due_at <= %(now)s)
  OR EXISTS (SELECT FROM {s}.exceptions_record WHERE snoozed_until <= %(now)s AND status <> 'RESOLVED')
  OR EXISTS (SELECT FROM {s}.exceptions_preference WHERE digest_due_at <= %(now)s)"""


@dataclass(frozen=True, slots=True)
class Done:
    """Of one round."""

    woken: int
    escalated: int
    digests: int
    messages: int

    @property
    def total(self) -> int:
        return self.woken + self.escalated + self.digests + self.messages


@lru_cache(maxsize=64)
def look_text(schemas: tuple[str, ...]) -> str:
    return " UNION ALL ".join(LOOK.format(name=schema, s=quoted(schema)) for schema in schemas)


def schemas_with_people_waiting(now: datetime) -> list[str]:
    connection = raw_connection()
    schemas = [row[0] for row in connection.execute(SCHEMAS).fetchall()]
    found: list[str] = []
    for start in range(0, len(schemas), CHUNK):
        text = look_text(tuple(schemas[start : start + CHUNK]))
        found += [row[0] for row in connection.execute(text, {"now": now}).fetchall()]
    return found


def people_round(tenant: Tenant, *, now: datetime) -> Done:
    """In the tenant's schema. What causes a message comes before what sends it."""
    done = Done(
        woken=wake_due(now=now),
        escalated=escalate_due(now=now),
        digests=tell_digests(tenant, now=now),
        messages=hand_over(tenant, now=now),
    )
    if done.total:
        pulse.touch(tenant.schema_name)
    return done
