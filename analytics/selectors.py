"""What the overview and `GET /api/dashboard/metrics` say of a tenant (CONTRACT 5). Counted, never made up.

All of it reads the schema that the connection stands in, and each count walks one index from today on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from exceptions.analyst.scoreboard import ai_success_rate
from exceptions.choices import Severity

TREND_DAYS = 14
DUE_NEXT = 8
# An order's last receipt is that of its last event. `source:NAME` stands for a source, not for an order.
COUNTS = """
SELECT
  (SELECT json_object_agg(severity, n) FROM (
    SELECT severity, count(*) AS n FROM exceptions_record
    WHERE NOT verdict = 'none' AND NOT status = 'RESOLVED' GROUP BY 1) a),
  (SELECT json_build_array(count(*), count(*) FILTER (WHERE NOT breached)) FROM orders_stage
    WHERE due_at BETWEEN %(day)s AND %(now)s
      OR (due_at IS NOT NULL AND ended_at IS NOT NULL AND ended_at BETWEEN %(day)s AND %(now)s)),
  (SELECT count(*) FROM orders_order WHERE last_received_at >= %(day)s)
    - (SELECT count(*) FROM orders_order
       WHERE merchant = 'default' AND starts_with(order_id, 'source:') AND last_received_at >= %(day)s)"""
OPENED = """
SELECT (opened_at AT TIME ZONE %(zone)s)::date AS day, count(*) FROM exceptions_record
WHERE NOT verdict = 'none' AND opened_at >= %(first)s AND opened_at <= %(now)s GROUP BY 1"""
DEADLINES = """
SELECT (due_at AT TIME ZONE %(zone)s)::date AS day, count(*), count(*) FILTER (WHERE breached)
FROM orders_stage WHERE due_at >= %(first)s AND due_at <= %(now)s GROUP BY 1"""
DUE = """
SELECT s.name, s.started_at, s.due_at, o.id AS order_pk, o.order_id, o.merchant FROM orders_stage s
JOIN orders_order o ON o.id = s.order_id
WHERE s.due_at > %(now)s AND s.state = 'RUNNING' AND NOT s.breached ORDER BY s.due_at, s.id LIMIT %(limit)s"""
SOURCES = """
WITH RECURSIVE found(source) AS (
  (SELECT min(source) FROM orders_event)
  UNION ALL
  SELECT (SELECT min(e.source) FROM orders_event e WHERE e.source > f.source) FROM found f WHERE f.source IS NOT NULL)
SELECT f.source, (SELECT max(e.received_at) FROM orders_event e WHERE e.source = f.source),
  (SELECT count(*) FROM exceptions_record x JOIN orders_order o ON o.id = x.order_id
    WHERE o.merchant = 'default' AND o.order_id = 'source:' || f.source AND x.verdict = 'active' AND NOT x.status = 'RESOLVED')
FROM found f WHERE f.source IS NOT NULL AND f.source <> 'e2a' LIMIT 20"""
LETTERS = "SELECT count(*) FROM orders_deadletter WHERE status = 'waiting'"
NO_DEADLINE = "No deadline ended or fell due today yet."
NO_ANALYSIS = "No analysis was tried with the AI today."


@dataclass(frozen=True, slots=True)
class Metrics:
    """The four numbers, and what they are made of. A share is null where nothing was counted; `why` says so in a sentence.

    `active` has each severity. `deadlines` of today, of which `kept` were not breached.
    """

    as_of: datetime
    day: datetime
    active: Mapping[str, int]
    deadlines: int
    kept: int
    orders_processed_today: int
    ai_analysis_success_rate: float | None
    why: Mapping[str, str]

    @property
    def active_exceptions(self) -> int:
        return sum(self.active.values())

    @property
    def sla_compliance_rate(self) -> float | None:
        return self.kept / self.deadlines if self.deadlines else None

    @property
    def compliance_percent(self) -> str:
        return percent(self.sla_compliance_rate)

    @property
    def ai_percent(self) -> str:
        return percent(self.ai_analysis_success_rate)


@dataclass(frozen=True, slots=True)
class DueStage:
    name: str
    started_at: datetime
    due_at: datetime
    order_pk: int
    order_id: str
    merchant: str


@dataclass(frozen=True, slots=True)
class SourceSign:
    """A source of events; `troubles` are its open exceptions (silent, numbers missing)."""

    name: str
    last_received_at: datetime
    troubles: int


@dataclass(frozen=True, slots=True)
class Day:
    """Of a trend: the first count, and how many of them were bad."""

    date: date
    count: int
    bad: int = 0


def percent(share: float | None) -> str:
    """One decimal, cut and not rounded, so that only what is whole reads as 100."""
    if share is None:
        return "–"
    return f"{int(share * 1000) / 10:.1f}".removesuffix(".0")


def start_of_day(now: datetime, zone: str) -> datetime:
    """Midnight of that instant's day in the zone. A midnight that a clock change skips is the instant that follows it."""
    return now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)


def metrics_of(zone: str, now: datetime) -> Metrics:
    """`zone` is the tenant's: today is its day."""
    day = start_of_day(now, zone)
    ((active, (deadlines, kept), orders),) = rows(COUNTS, day=day, now=now)
    ai_rate = ai_success_rate(day)
    why = {} if ai_rate is not None else {"ai_analysis_success_rate": NO_ANALYSIS}
    if not deadlines:
        why["sla_compliance_rate"] = NO_DEADLINE
    return Metrics(
        as_of=now,
        day=day,
        active={severity: (active or {}).get(severity, 0) for severity in Severity.values},
        deadlines=deadlines,
        kept=kept,
        orders_processed_today=orders,
        ai_analysis_success_rate=ai_rate,
        why=why,
    )


def due_next(now: datetime) -> list[DueStage]:
    """The running stages that fall due next."""
    return [DueStage(*row) for row in rows(DUE, now=now, limit=DUE_NEXT)]


def source_signs() -> list[SourceSign]:
    return [SourceSign(*row) for row in rows(SOURCES)]


def waiting_letters() -> int:
    ((number,),) = rows(LETTERS)
    return int(number)


def opened_by_day(zone: str, now: datetime) -> list[Day]:
    """Exceptions by the day on which they opened, the last fortnight, oldest first."""
    return trend(OPENED, zone, now)


def deadlines_by_day(zone: str, now: datetime) -> list[Day]:
    """Deadlines by the day on which they fell due, and how many were missed, the last fortnight, oldest first."""
    return trend(DEADLINES, zone, now)


def trend(text: str, zone: str, now: datetime) -> list[Day]:
    today = start_of_day(now, zone)
    days = [(today - timedelta(days=n)).date() for n in reversed(range(TREND_DAYS))]
    first = start_of_day(today - timedelta(days=TREND_DAYS - 1), zone)
    found = {row[0]: row[1:] for row in rows(text, zone=zone, now=now, first=first)}
    return [Day(each, *found.get(each, (0,))) for each in days]


def rows(text: str, **wanted: Any) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, wanted)
        found: Sequence[tuple[Any, ...]] = cursor.fetchall()
    return found
