"""What time alone brings people: snoozes that end, steps of escalation, daily summaries, messages that may go out now."""

from dataclasses import dataclass
from datetime import datetime

from e2a.pulse import pulse
from exceptions.escalation.round import escalate_due
from exceptions.notifications.digest import tell_digests
from exceptions.notifications.handing import hand_over
from exceptions.waking import wake_due
from orders.looking import schemas_where
from tenants.models import Tenant

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


def schemas_with_people_waiting(now: datetime) -> list[str]:
    return schemas_where(LOOK, now=now)


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
