"""How a tenant's sources do: last delivery, counts, dead letters, missing order numbers, unusual silence. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from e2a.postgresql.raw import database_now, raw_connection
from orders.silence import silent_since
from orders.statements import quoted
from tenants.models import WebhookSource

MOST_GAPS = 100
COUNTS = """
SELECT n.name,
  (SELECT max(e.received_at) FROM {s}.orders_event e WHERE e.source = n.name),
  (SELECT count(*) FROM {s}.orders_event e WHERE e.source = n.name AND e.received_at > %(now)s - interval '24 hours'),
  (SELECT count(*) FROM {s}.orders_deadletter d WHERE d.source = n.name AND d.status = 'waiting'),
  (SELECT max(d.received_at) FROM {s}.orders_deadletter d WHERE d.source = n.name)
FROM unnest(%(names)s::text[]) n(name)"""
GAPS = """
WITH seen AS (
  SELECT (e.payload->>'order_number')::bigint AS number, min(e.received_at) AS received_at
  FROM {s}.orders_event e
  WHERE e.source = %(name)s AND e.event_type = 'order_created' AND e.received_at > %(now)s - interval '7 days'
    AND e.payload->>'order_number' ~ '^[0-9]{{1,15}}$'
  GROUP BY 1),
pairs AS (
  SELECT number, lead(number) OVER w AS next, lead(received_at) OVER w AS next_at
  FROM seen WINDOW w AS (ORDER BY number))
SELECT number + 1, next - 1 FROM pairs
WHERE next > number + 1 AND next_at < %(now)s - interval '5 minutes' ORDER BY number LIMIT %(limit)s"""
RECEIPTS = """
SELECT received_at FROM {s}.orders_event WHERE source = %(name)s ORDER BY received_at DESC LIMIT 1000"""
HOURS = """
SELECT h.hour
FROM generate_series(date_trunc('hour', %(now)s::timestamptz) - interval '14 days', %(now)s, '1 hour') h(hour)
WHERE EXISTS (SELECT 1 FROM {s}.orders_event e WHERE e.source = %(name)s
  AND e.received_at >= h.hour AND e.received_at < h.hour + interval '1 hour') ORDER BY 1"""


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """One source. `gaps` are ranges of order numbers, first and last, that never arrived though later ones did."""

    pk: int
    name: str
    provider: str
    active: bool
    path: str
    reconciled_until: datetime | None
    last_received_at: datetime | None = None
    events_today: int = 0  # of the last 24 hours
    waiting_letters: int = 0
    last_letter_at: datetime | None = None
    silent_since: datetime | None = None
    gaps: Sequence[tuple[int, int]] = field(default=())

    @property
    def missing_orders(self) -> int:
        return sum(last - first + 1 for first, last in self.gaps)

    @property
    def healthy(self) -> bool:
        return self.active and not self.gaps and self.silent_since is None and not self.waiting_letters


def source_health(schema: str, tenant: str) -> list[SourceHealth]:
    """Every source of the tenant (its slug), by name."""
    rows = list(WebhookSource.objects.filter(tenant__schema_name=schema).order_by("name"))
    now = database_now(raw_connection())
    text = COUNTS.format(s=quoted(schema))
    names = [row.name for row in rows]
    counts = {row[0]: row[1:] for row in raw_connection().execute(text, {"names": names, "now": now}).fetchall()}
    return [_health(schema, tenant, row, counts[row.name], now) for row in rows]


def _health(
    schema: str,
    tenant: str,
    row: WebhookSource,
    counts: tuple[datetime | None, int, int, datetime | None],
    now: datetime,
) -> SourceHealth:
    last, today, letters, last_letter = counts
    return SourceHealth(
        pk=row.pk,
        name=row.name,
        provider=row.get_provider_display(),
        active=row.active,
        path=f"/webhooks/{tenant}/{row.name}",
        reconciled_until=row.reconciled_until,
        last_received_at=last,
        events_today=today,
        waiting_letters=letters,
        last_letter_at=last_letter,
        silent_since=silence(schema, row.name, now) if row.active else None,
        gaps=missing_numbers(schema, row.name, now) if row.provider == "shopify" else (),
    )


def missing_numbers(schema: str, name: str, now: datetime) -> list[tuple[int, int]]:
    """Ranges of order numbers that are missing below numbers that arrived over five minutes ago; a hundred at most."""
    wanted = {"name": name, "now": now, "limit": MOST_GAPS}
    rows = raw_connection().execute(GAPS.format(s=quoted(schema)), wanted).fetchall()
    return [(first, last) for first, last in rows]


def silence(schema: str, name: str, now: datetime) -> datetime | None:
    """Since when the source is unusually silent."""
    at = {"name": name, "now": now}
    receipts = [row[0] for row in raw_connection().execute(RECEIPTS.format(s=quoted(schema)), at).fetchall()]
    hours = [row[0] for row in raw_connection().execute(HOURS.format(s=quoted(schema)), at).fetchall()]
    return silent_since(receipts[::-1], hours, now)
