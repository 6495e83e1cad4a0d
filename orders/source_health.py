"""How a tenant's sources do: last delivery, counts, dead letters, missing order numbers, unusual silence. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from e2a.postgresql.raw import database_now, raw_connection
from orders.silence import silent_since
from orders.statements import quoted
from tenants.models import WebhookSource

MOST_GAPS = 100
LATEST_RECEIPTS = 1_000
COUNTS = """
SELECT n.name,
  (SELECT max(e.received_at) FROM {s}.orders_event e WHERE e.source = n.name),
  (SELECT count(*) FROM {s}.orders_event e WHERE e.source = n.name AND e.received_at > %(now)s - interval '24 hours'),
  (SELECT count(*) FROM {s}.orders_deadletter d WHERE d.source = n.name AND d.status = 'waiting'),
  (SELECT max(d.received_at) FROM {s}.orders_deadletter d WHERE d.source = n.name),
  ARRAY(SELECT e.received_at FROM {s}.orders_event e WHERE e.source = n.name ORDER BY e.received_at DESC LIMIT %(receipts)s),
  ARRAY(SELECT h.hour
    FROM generate_series(date_trunc('hour', %(now)s::timestamptz) - interval '14 days', %(now)s, '1 hour') h(hour)
    WHERE EXISTS (SELECT 1 FROM {s}.orders_event e WHERE e.source = n.name
      AND e.received_at >= h.hour AND e.received_at < h.hour + interval '1 hour') ORDER BY 1)
FROM unnest(%(names)s::text[]) n(name)"""
GAPS = """
WITH seen AS (
  SELECT e.source, (e.payload->>'order_number')::bigint AS number, min(e.received_at) AS received_at
  FROM {s}.orders_event e
  WHERE e.source = ANY(%(names)s) AND e.event_type = 'order_created' AND e.received_at > %(now)s - interval '7 days'
    AND e.payload->>'order_number' ~ '^[0-9]{{1,15}}$'
  GROUP BY 1, 2),
pairs AS (
  SELECT source, number, lead(number) OVER w AS next, lead(received_at) OVER w AS next_at
  FROM seen WINDOW w AS (PARTITION BY source ORDER BY number)),
gaps AS (
  SELECT source, number + 1 AS first, next - 1 AS last, row_number() OVER (PARTITION BY source ORDER BY number) AS place
  FROM pairs WHERE next > number + 1 AND next_at < %(now)s - interval '5 minutes')
SELECT source, first, last FROM gaps WHERE place <= %(limit)s ORDER BY source, first"""


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
    refused_at: datetime | None = None  # for its signature; `refused` of them so far
    refused: int = 0
    gaps: Sequence[tuple[int, int]] = field(default=())

    @property
    def missing_orders(self) -> int:
        return sum(last - first + 1 for first, last in self.gaps)

    @property
    def refused_lately(self) -> bool:
        """Since the last delivery that was taken: the secret set at the provider may be another."""
        return self.refused_at is not None and (
            self.last_received_at is None or self.refused_at > self.last_received_at
        )

    @property
    def healthy(self) -> bool:
        return self.active and not self.gaps and self.silent_since is None and not self.waiting_letters


def source_health(schema: str, tenant: str, *, name: str = "") -> list[SourceHealth]:
    """Every source of the tenant (its slug), by name, or the one of that name. Three queries, however many there are."""
    rows = WebhookSource.objects.filter(tenant__schema_name=schema).order_by("name")
    found = list(rows.filter(name=name) if name else rows)
    now = database_now(raw_connection())
    wanted = {"names": [row.name for row in found], "now": now, "receipts": LATEST_RECEIPTS}
    counts = {row[0]: row[1:] for row in raw_connection().execute(COUNTS.format(s=quoted(schema)), wanted).fetchall()}
    gaps = missing_numbers(schema, [row.name for row in found if row.provider == "shopify"], now)
    return [_health(tenant, row, counts[row.name], gaps.get(row.name, ()), now) for row in found]


def _health(
    tenant: str, row: WebhookSource, counts: tuple[Any, ...], gaps: Sequence[tuple[int, int]], now: datetime
) -> SourceHealth:
    last, today, letters, last_letter, receipts, hours = counts
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
        refused_at=row.refused_at,
        refused=row.refused_count,
        silent_since=silent_since(receipts[::-1], hours, now) if row.active else None,
        gaps=gaps,
    )


def missing_numbers(schema: str, names: Sequence[str], now: datetime) -> dict[str, list[tuple[int, int]]]:
    """By source, ranges of order numbers that are missing below numbers that arrived over five minutes ago; a hundred each."""
    wanted = {"names": list(names), "now": now, "limit": MOST_GAPS}
    found: dict[str, list[tuple[int, int]]] = {}
    for name, first, last in raw_connection().execute(GAPS.format(s=quoted(schema)), wanted).fetchall():
        found.setdefault(name, []).append((first, last))
    return found
