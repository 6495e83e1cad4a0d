"""How good a tenant's data is: what contradicts itself, lacks its beginning, waits, comes late or from the future. Counted only."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from e2a.postgresql.raw import database_now, raw_connection
from orders.source_health import source_health
from orders.statements import quoted
from tenants.models import Tenant

EXAMPLES = 20
LATE_HOURS = 24

ORDERS = """
SELECT count(*) AS orders,
  count(*) FILTER (WHERE o.contradiction <> '') AS contradicting,
  count(*) FILTER (WHERE NOT c.created) AS without_created,
  count(*) FILTER (WHERE o.fold_error <> '') AS not_judged
FROM {s}.orders_order o
CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM {s}.orders_event e
  WHERE e.order_id = o.id AND e.event_type = 'order_created') AS created) c
WHERE o.order_id NOT LIKE 'source:%%'"""
CONTRADICTING = """
SELECT order_id, merchant, contradiction FROM {s}.orders_order
WHERE contradiction <> '' ORDER BY id LIMIT %(limit)s"""
WITHOUT_CREATED = """
SELECT o.order_id, o.merchant FROM {s}.orders_order o
WHERE o.order_id NOT LIKE 'source:%%' AND NOT EXISTS (
  SELECT 1 FROM {s}.orders_event e WHERE e.order_id = o.id AND e.event_type = 'order_created') ORDER BY o.id LIMIT %(limit)s"""
WAITING = """
SELECT source, count(*) AS events, min(received_at) AS oldest_at,
  extract(epoch FROM %(now)s - min(received_at))::bigint AS oldest_seconds
FROM {s}.orders_event WHERE order_id IS NULL GROUP BY source ORDER BY source"""
EVENTS = """
SELECT source, count(*) AS events, min(occurred_at) AS first_at, max(received_at) AS last_received_at,
  count(*) FILTER (WHERE occurred_at > received_at) AS from_the_future,
  coalesce(extract(epoch FROM max(occurred_at - received_at) FILTER (WHERE occurred_at > received_at))::bigint, 0)
    AS furthest_ahead_seconds,
  count(*) FILTER (WHERE NOT history AND received_at - occurred_at > make_interval(hours => %(late)s)) AS late,
  count(*) FILTER (WHERE history) AS history,
  count(*) FILTER (WHERE quarantined) AS quarantined,
  count(*) - count(DISTINCT (merchant, order_ref, tracking_number, event_type, occurred_at, detail)) AS told_again
FROM {s}.orders_event GROUP BY source ORDER BY source"""
LETTERS = """
SELECT source, reason, status, count(*) AS letters, sum(occurrences)::bigint AS refusals
FROM {s}.orders_deadletter GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Quality:
    """`late`: received over a day after it happened, and no history. `told_again`: the same fact under another event id
    (the same event id again is ignored at the door and counted nowhere). `refusals`: how often a letter's content came.
    """

    tenant: str
    measured_at: datetime
    orders: Row
    contradictions: list[Row]
    without_created: list[Row]
    waiting_events: list[Row]
    events: list[Row]
    dead_letters: list[Row]
    silent_sources: list[Row] = field(default_factory=list)
    missing_numbers: list[Row] = field(default_factory=list)

    @property
    def troubles(self) -> int:
        """How many of the things that somebody should look at there are."""
        waiting = sum(row["letters"] for row in self.dead_letters if row["status"] == "waiting")
        odd = sum(row["from_the_future"] + row["quarantined"] for row in self.events)
        orders = self.orders["contradicting"] + self.orders["without_created"] + self.orders["not_judged"]
        missing = sum(row["orders"] for row in self.missing_numbers)
        stuck = sum(row["events"] for row in self.waiting_events)
        return int(waiting + odd + orders + missing + stuck + len(self.silent_sources))


def measure_quality(tenant: Tenant) -> Quality:
    """Reads one schema, each table about once."""
    schema = tenant.schema_name
    now = database_now(raw_connection())
    found = source_health(schema, tenant.slug)
    return Quality(
        tenant=tenant.slug,
        measured_at=now,
        orders=rows(schema, ORDERS)[0],
        contradictions=rows(schema, CONTRADICTING, limit=EXAMPLES),
        without_created=rows(schema, WITHOUT_CREATED, limit=EXAMPLES),
        waiting_events=rows(schema, WAITING, now=now),
        events=rows(schema, EVENTS, late=LATE_HOURS),
        dead_letters=rows(schema, LETTERS),
        silent_sources=[{"source": each.name, "since": each.silent_since} for each in found if each.silent_since],
        missing_numbers=[
            {"source": each.name, "orders": each.missing_orders, "ranges": [list(gap) for gap in each.gaps]}
            for each in found
            if each.gaps
        ],
    )


def rows(schema: str, text: str, **wanted: Any) -> list[Row]:
    cursor = raw_connection().cursor(row_factory=dict_row)
    return cursor.execute(text.format(s=quoted(schema)), wanted).fetchall()
