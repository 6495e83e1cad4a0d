"""Cases as the database holds them, a fixed number of queries whatever their number. Reads the schema of the connection."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from exceptions.analyst.case import EVERY_STEP, Case, Subject, Today, make_case, told_of
from exceptions.analyst.signals import traits_of
from exceptions.analyst.telling import Told
from exceptions.choices import Reason
from exceptions.models import ExceptionRecord
from orders import facts
from orders.facts import Fact
from orders.models import Stage
from orders.sla import StageVerdict, Verdict, problems_from_json
from orders.source_watch import MARK

MOST_EVENTS = 400  # of an order; the latest
EVENTS = """
SELECT o.id, e.source, e.event_id, e.event_type, e.effective_at, e.received_at, e.detail::text, e.payload::text
FROM unnest(%s::bigint[]) o(id), LATERAL (
  SELECT * FROM orders_event e WHERE e.order_id = o.id AND NOT e.quarantined ORDER BY e.effective_at DESC LIMIT %s) e"""
ALIKE = """
WITH found AS MATERIALIZED (
  SELECT DISTINCT r.order_id, a.label, a.carrier, a.warehouse, a.gateway, a.skus
  FROM exceptions_analysis a JOIN exceptions_record r ON r.id = a.exception_id
  WHERE a.state = 'done' AND a.finished_at > %(now)s - interval '24 hours' AND r.verdict <> 'none' AND NOT r.history)
SELECT trait, value, label, count(DISTINCT order_id), array_agg(DISTINCT order_id) FILTER (WHERE order_id = ANY(%(orders)s))
FROM found, LATERAL (
  SELECT 'carrier', carrier UNION ALL SELECT 'warehouse', warehouse UNION ALL SELECT 'gateway', gateway
  UNION ALL SELECT 'sku', unnest(skus)) t(trait, value)
WHERE value <> '' GROUP BY trait, value, label"""
SETS_ASIDE = """
SELECT EXISTS (SELECT 1 FROM orders_stage WHERE name = 'shipping_preparation' AND started_at IS NOT NULL)
  OR NOT EXISTS (SELECT 1 FROM orders_order WHERE status IN ('FULFILLED', 'DELIVERED'))"""


@dataclass(frozen=True, slots=True)
class Material:
    """A case, and the payloads that it was made from (for taking people out)."""

    case: Case
    payloads: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many orders of the last day share a trait and a label, and which of those asked about are among them."""

    counts: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    own: Mapping[tuple[str, str, str], frozenset[int]] = field(default_factory=dict)


def read_cases(exception_ids: Iterable[int], *, now: datetime, payloads: bool = False) -> dict[int, Material]:
    """Exception id → its case. One that is gone is left out."""
    records = list(ExceptionRecord.objects.filter(pk__in=list(exception_ids)).select_related("order"))
    orders = sorted({record.order_id for record in records})
    events, raw = events_of(orders, keep=payloads)
    stages = stages_of(orders)
    crowd, silent, reported = crowd_of(orders, now), silent_sources(), reported_steps()
    found = {}
    for record in records:
        verdict = verdict_of(record, stages[record.order_id])
        subject = subject_of(record)
        case = make_case(subject, events[record.order_id], verdict, now=now)
        today = Today(others(case, crowd, record.order_id), reported, silent)
        found[record.pk] = Material(replace(case, today=today), raw[record.order_id])
    return found


def subject_of(record: ExceptionRecord) -> Subject:
    return Subject(
        reason=record.reason_code,
        verdict=record.verdict,
        severity=record.severity,
        opened_at=record.opened_at,
        due_at=record.due_at,
        ended_at=record.ended_at,
        stage=record.stage,
        occurrence=record.occurrence_count,
        history=record.history,
    )


def verdict_of(record: ExceptionRecord, stages: Mapping[str, StageVerdict]) -> Verdict:
    order = record.order
    return Verdict(
        status=order.status,
        held=order.held,
        began_at=order.began_at,
        policy_id=order.policy_id,
        contradiction=order.contradiction,
        settled_at=order.settled_at,
        stages=stages,
        problems=problems_from_json(order.problems),
    )


def events_of(orders: Sequence[int], *, keep: bool) -> tuple[dict[int, list[tuple[Fact, Told]]], dict[int, list[Any]]]:
    """By order: its facts with what their payloads tell, and, if they are to be kept, the payloads themselves."""
    events: dict[int, list[tuple[Fact, Told]]] = defaultdict(list)
    raw: dict[int, list[Any]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, [list(orders), MOST_EVENTS])
        for order, source, event_id, kind, at, received, detail, payload in cursor:
            known = msgspec.json.decode(detail) if detail else None
            body = msgspec.json.decode(payload)
            events[order].append((Fact(source, event_id, kind, at, received, known), told_of(body, known)))
            if keep:
                raw[order].append(body)
    return events, raw


def stages_of(orders: Sequence[int]) -> dict[int, dict[str, StageVerdict]]:
    found: dict[int, dict[str, StageVerdict]] = defaultdict(dict)
    rows = Stage.objects.filter(order_id__in=orders).values_list("order_id", "name", *StageVerdict._fields)
    for order, name, *columns in rows:
        found[order][name] = StageVerdict(*columns)
    return found


def crowd_of(orders: Sequence[int], now: datetime) -> Crowd:
    counts, own = {}, {}
    with connection.cursor() as cursor:
        cursor.execute(ALIKE, {"now": now, "orders": list(orders)})
        for trait, value, label, count, among in cursor.fetchall():
            counts[trait, value, label] = count
            own[trait, value, label] = frozenset(among or ())
    return Crowd(counts, own)


def others(case: Case, crowd: Crowd, order: int) -> dict[tuple[str, str, str], int]:
    """What concerns this case of the crowd, without its own order."""
    traits = set(traits_of(case))
    return {
        key: count - (order in crowd.own[key])
        for key, count in crowd.counts.items()
        if key[:2] in traits and count > (order in crowd.own[key])
    }


def silent_sources() -> frozenset[str]:
    rows = ExceptionRecord.objects.filter(reason_code=Reason.SOURCE_SILENT, verdict="active")
    return frozenset(name.removeprefix(MARK) for name in rows.values_list("order_ref", flat=True))


def reported_steps() -> frozenset[str]:
    """Whether setting goods aside is reported at all; a tenant without any shipped order has yet to show."""
    with connection.cursor() as cursor:
        cursor.execute(SETS_ASIDE)
        (told,) = cursor.fetchone()
    return EVERY_STEP if told else EVERY_STEP - {facts.ALLOCATED}
