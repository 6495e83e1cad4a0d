"""The four numbers of CONTRACT 5, by page and by API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from analytics import selectors
from e2a.postgresql.raw import database_now, raw_connection
from orders.events import incoming
from orders.ingest import ingest, store_unjudged
from orders.models import Event, Order, Stage
from tenants.models import Tenant
from tests.exceptions.cast import make_exception, resolved
from tests.programs import program

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MIDNIGHT = NOON.replace(hour=0)


def make_stage(name: str, *, due: datetime | None, ended: datetime | None = None, breached: bool = False) -> None:
    order = Order.objects.create(order_id=f"{name}-{Order.objects.count()}", merchant="default")
    state = "COMPLETED" if ended else "RUNNING"
    Stage.objects.create(order=order, name=name, state=state, due_at=due, ended_at=ended, breached=breached)


def event(order_id: str, number: int = 1, *, source: str = "wms", at: datetime = NOON) -> Any:
    return incoming(
        source=source,
        event_type="order_created",
        event_id=f"{order_id}-{number}",
        order_id=order_id,
        occurred_at=at,
        payload={},
        merchant="default",
        detail=None,
        raw=b"",
    )


def test_empty_tenant_has_counts_of_zero_and_no_shares(in_acme: Tenant) -> None:
    found = selectors.metrics_of("UTC", NOON)
    assert (found.active_exceptions, found.orders_processed_today) == (0, 0)
    assert (found.sla_compliance_rate, found.ai_analysis_success_rate) == (None, None)
    assert found.why == {
        "sla_compliance_rate": "No deadline ended or fell due today yet.",
        "ai_analysis_success_rate": "No analysis was tried with the AI today.",
    }


def test_active_exceptions_leave_out_the_resolved_and_what_never_was(in_acme: Tenant) -> None:
    make_exception("1", severity="CRITICAL")
    make_exception("2", status="ACKNOWLEDGED")
    make_exception("3", **resolved())
    make_exception("4", verdict="none")
    assert selectors.metrics_of("UTC", NOON).active == {"LOW": 0, "MEDIUM": 1, "HIGH": 0, "CRITICAL": 1}


DAY_CASES = [
    ("due today, still running, late", NOON - timedelta(hours=1), None, True, (1, 0)),
    ("due later today, running", NOON + timedelta(hours=1), None, False, (0, 0)),
    ("due later today, ended today", NOON + timedelta(hours=1), NOON - timedelta(hours=1), False, (1, 1)),
    ("due yesterday, ended today", MIDNIGHT - timedelta(hours=1), NOON, True, (1, 0)),
    ("due today, ended yesterday in time", MIDNIGHT, MIDNIGHT - timedelta(hours=2), False, (1, 1)),
    ("both yesterday", MIDNIGHT - timedelta(seconds=1), MIDNIGHT - timedelta(seconds=1), False, (0, 0)),
    ("no deadline, ended today", None, NOON, False, (0, 0)),
]


@pytest.mark.parametrize(
    ("due", "ended", "breached", "counted"), [case[1:] for case in DAY_CASES], ids=[c[0] for c in DAY_CASES]
)
def test_compliance_counts_what_ended_or_fell_due_today(
    in_acme: Tenant, due: datetime, ended: datetime, breached: bool, counted: tuple[int, int]
) -> None:
    make_stage("payment_processing", due=due, ended=ended, breached=breached)
    found = selectors.metrics_of("UTC", NOON)
    assert (found.deadlines, found.kept) == counted


def test_today_is_the_tenants(in_acme: Tenant) -> None:
    """At noon UTC it is 01:00 of the next day in Auckland: what was due at 10:30 UTC was due yesterday there."""
    make_stage("delivery", due=NOON - timedelta(hours=1, minutes=30))
    assert selectors.metrics_of("UTC", NOON).deadlines == 1
    assert selectors.metrics_of("Pacific/Auckland", NOON).deadlines == 0
    assert selectors.metrics_of("Pacific/Auckland", NOON).day == datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


def test_day_of_a_clock_change_starts_once() -> None:
    """Cairo sprang forward at midnight of 24 April 2026: that day began at 01:00 local, 22:00 UTC."""
    now = datetime(2026, 4, 24, 9, 0, tzinfo=UTC)
    assert selectors.start_of_day(now, "Africa/Cairo").astimezone(UTC) == datetime(2026, 4, 23, 22, 0, tzinfo=UTC)


def test_orders_processed_are_those_with_an_event_received_today(in_acme: Tenant) -> None:
    now = database_now(raw_connection())
    yesterday = now - timedelta(days=1)
    ingest("acme", [event("1"), event("2"), event("3")], now=yesterday)
    Order.objects.update(last_received_at=yesterday)
    ingest("acme", [event("1", 2), event("1", 3), event("4")], now=now)
    ingest("acme", [event("2")], now=now)  # a duplicate
    store_unjudged("acme", [event("3", 2)], now=now, history=True)
    ingest("acme", [event("source:wms", source="e2a")], now=now)  # no order: it stands for a source
    today = selectors.start_of_day(now, "UTC")
    received = Event.objects.filter(received_at__gte=today).exclude(order_ref="source:wms")
    assert received.values("order_id").distinct().count() == 3
    assert selectors.metrics_of("UTC", now).orders_processed_today == 3


def test_due_next_are_the_running_stages_by_deadline(in_acme: Tenant) -> None:
    now = database_now(raw_connection())
    ingest("acme", [event("1", at=now), event("2", at=now - timedelta(minutes=10))], now=now)
    found = selectors.due_next(now)
    assert [(stage.order_id, stage.name) for stage in found] == [
        ("2", "payment_processing"),
        ("1", "payment_processing"),
        ("2", "order_fulfillment"),
        ("1", "order_fulfillment"),
    ]
    assert found[0].due_at == now + timedelta(minutes=20)


def test_sources_show_their_last_receipt(in_acme: Tenant) -> None:
    now = database_now(raw_connection())
    ingest("acme", [event("1"), event("2", source="erp")], now=now)
    assert [(sign.name, sign.last_received_at, sign.troubles) for sign in selectors.source_signs()] == [
        ("erp", now, 0),
        ("wms", now, 0),
    ]


def test_trends_count_each_day_of_a_fortnight(in_acme: Tenant) -> None:
    make_exception("1", opened_at=NOON - timedelta(days=13))
    make_exception("2", opened_at=NOON)
    make_exception("3", opened_at=NOON - timedelta(days=14))
    make_stage("delivery", due=NOON - timedelta(days=1), breached=True)
    opened = selectors.opened_by_day("UTC", NOON)
    assert [day.count for day in opened] == [1, *[0] * 12, 1]
    missed = selectors.deadlines_by_day("UTC", NOON)[-2]
    assert (missed.count, missed.bad, str(missed.date)) == (1, 1, "2026-11-22")


def test_api_gives_the_four_numbers(in_acme: Tenant) -> None:
    now = database_now(raw_connection())
    make_exception("1", severity="HIGH")
    make_stage("delivery", due=now - timedelta(seconds=5), breached=True)
    answer = program("acme", "read").get("/api/dashboard/metrics")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {
        "active_exceptions",
        "sla_compliance_rate",
        "orders_processed_today",
        "ai_analysis_success_rate",
        "why",
        "as_of",
        "day_started_at",
    }
    assert (body["active_exceptions"], body["orders_processed_today"]) == (1, 2)
    assert body["ai_analysis_success_rate"] is None


def test_api_needs_the_scope(acme: Tenant) -> None:
    assert program("acme", "ingest").get("/api/dashboard/metrics").status_code == 403
    assert Client(headers={"Host": "acme.localhost"}).get("/api/dashboard/metrics").status_code == 401


def test_another_tenant_sees_none_of_it(in_acme: Tenant, globex: Tenant) -> None:
    make_exception("1")
    connection.set_schema_to_public()
    assert program("globex", "read").get("/api/dashboard/metrics").json()["active_exceptions"] == 0
    assert program("acme", "read").get("/api/dashboard/metrics").json()["active_exceptions"] == 1
