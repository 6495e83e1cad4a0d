"""The daily summary: made at each person's hour, once a day, from what stands in the tables then."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from exceptions.notifications.choosing import next_digest, read_chosen
from exceptions.notifications.models import Preference
from exceptions.notifications.services import Notice, notify
from exceptions.notifications.words import Matter
from tenants.models import Tenant

A_DAY = timedelta(days=1)
COUNTS = """
SELECT count(*) FILTER (WHERE open), count(*) FILTER (WHERE open AND severity = 'CRITICAL'),
  count(*) FILTER (WHERE open AND status = 'OPEN'), count(*) FILTER (WHERE open AND assignee_id = %(user)s),
  count(*) FILTER (WHERE first_seen_at > %(since)s AND NOT history),
  count(*) FILTER (WHERE status = 'RESOLVED' AND resolved_at > %(since)s AND NOT history)
FROM (SELECT *, status <> 'RESOLVED' AS open FROM exceptions_record WHERE verdict <> 'none'
  AND (status <> 'RESOLVED' OR first_seen_at > %(since)s OR resolved_at > %(since)s)) r"""


def tell_digests(tenant: Tenant, *, now: datetime) -> int:
    """Returns how many summaries were due. However late it runs, each person gets one, and then waits for the next day."""
    due = list(Preference.objects.filter(digest_due_at__lte=now).order_by("digest_due_at", "pk"))
    return sum(tell_digest(row, tenant, now) for row in due)


def tell_digest(row: Preference, tenant: Tenant, now: datetime) -> bool:
    """Whether this call was the one that made it."""
    chosen = read_chosen(row, tenant.timezone)
    with transaction.atomic():
        mine = Preference.objects.filter(pk=row.pk, digest_due_at=row.digest_due_at)
        if not mine.update(digest_due_at=next_digest(chosen, now)):
            return False
        day = now.astimezone(ZoneInfo(chosen.timezone)).date()
        text = summary(counts_for(row.user_id, now - A_DAY))
        subject = f"digest:{day.isoformat()}"
        notify([Notice(user_id=row.user_id, matter=Matter.DIGEST, subject=subject, text=text)], now=now)
    return True


def counts_for(user_id: int, since: datetime) -> tuple[int, ...]:
    parameters: dict[str, Any] = {"user": user_id, "since": since}
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, parameters)
        row: tuple[int, ...] = cursor.fetchone()
    return row


def summary(counts: tuple[int, ...]) -> str:
    """`counts`: unresolved, critical, unacknowledged, the person's own; new and resolved in the last day."""
    unresolved, critical, untouched, mine, new, resolved = counts
    return (
        f"{unresolved} unresolved ({critical} critical, {untouched} not acknowledged), {mine} of them yours. "
        f"In the last 24 hours {new} came and {resolved} were resolved."
    )
