"""Rules in the tables: warned by the radar, raised by the breach, saved, weighed, explained; equal to the fold all the way."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_tenants.utils import schema_context

from e2a.postgresql.raw import database_now, raw_connection
from exceptions.services import resolve_exception
from orders import radar
from orders.ingest import ingest
from tenants.models import SlaPolicy, Tenant
from tests.orders.door_cast import event, rows, said, send
from tests.orders.equal_state import judge_again, versions
from tests.orders.test_door_properties import read
from tests.programs import program

pytestmark = pytest.mark.django_db
RULES = {
    "rules": [
        {
            "name": "Express",
            "when": {"shipping_service": "express"},
            "targets": {"order_fulfillment": {"minutes": 60, "warn": {"share": 0.5, "open_exception": True}}},
        },
        {"name": "Others", "targets": {"order_fulfillment": {"minutes": 60, "warn": {"before_minutes": 15}}}},
    ],
    "priority": {"customer_tier": {"gold": 20}, "order_value": [{"currency": "EUR", "at_least_cents": 10_000, "points": 15}]},
}  # fmt: skip
EXCEPTION = "SELECT id, status, verdict, severity, resolution, occurrence_count, priority FROM {s}.exceptions_record"
KINDS = "SELECT kind FROM {s}.exceptions_timelineentry ORDER BY id"
STAGE = "SELECT severity, breached, judge_at FROM {s}.orders_stage WHERE name = 'order_fulfillment'"


@pytest.fixture
def now(acme: Tenant) -> datetime:
    moment = database_now(raw_connection())
    SlaPolicy.objects.create(tenant=acme, version=2, valid_from=moment - timedelta(days=90), rules=RULES)
    return moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the instant that the radar reads off the database."""

    def set_clock(at: datetime) -> None:
        monkeypatch.setattr(radar, "database_now", lambda _: at)

    return set_clock


def put(
    at: datetime, kind: str = "order_created", number: int = 1, now: datetime | None = None, **payload: Any
) -> None:
    if kind == "order_created":
        payload = {"shipping_service": "Express"} | payload
    body = event(f"{kind}-{number}", event_type=kind, order_id=str(number), occurred_at=at.isoformat(), payload=payload)
    ingest("acme", read([json.dumps(body).encode()], at), now=now or at)


def minute(now: datetime, number: float) -> datetime:
    return now + timedelta(minutes=number)


def test_radar_warns_and_the_breach_raises_the_same_exception(now: datetime, clock: Callable[[datetime], None]) -> None:
    put(now)
    clock(minute(now, 30))
    assert (radar.run_round().judged, rows(EXCEPTION)) == (0, [])
    clock(minute(now, 31))
    assert radar.run_round().judged == 1
    assert rows(STAGE) == [("LOW", False, minute(now, 60))]
    [(number, *warned)] = rows(EXCEPTION)
    assert warned == ["OPEN", "active", "LOW", None, 1, 10]
    clock(minute(now, 61))
    assert radar.run_round().judged == 1
    assert rows(EXCEPTION) == [(number, "OPEN", "active", "MEDIUM", None, 1, 40)]
    assert rows(KINDS) == [("opened",), ("breached",)]
    assert rows("SELECT opened_at FROM {s}.exceptions_record") == [(minute(now, 60),)]
    clock(minute(now, 121))
    assert radar.run_round().judged == 1
    assert [row[3] for row in rows(EXCEPTION)] == ["HIGH"]
    assert rows(EXCEPTION, "globex") == []


def test_warning_without_an_exception_marks_the_stage_only(now: datetime, clock: Callable[[datetime], None]) -> None:
    put(now, shipping_service="standard")
    clock(minute(now, 46))
    assert radar.run_round().judged == 1
    assert (rows(STAGE), rows(EXCEPTION)) == ([("LOW", False, minute(now, 60))], [])
    clock(minute(now, 61))
    radar.run_round()
    assert [row[3] for row in rows(EXCEPTION)] == ["MEDIUM"]


def test_stage_that_ends_in_time_after_all_is_saved(now: datetime, clock: Callable[[datetime], None]) -> None:
    put(now)
    clock(minute(now, 31))
    radar.run_round()
    put(minute(now, 40), "order_fulfilled")
    assert [row[1:6] for row in rows(EXCEPTION)] == [("RESOLVED", "over", "LOW", "saved", 1)]
    stage = said(program("acme", "read").get("/api/orders/1"))[1]["stages"][3]  # type: ignore[arg-type]
    assert (stage["saved"], stage["at_risk"], stage["severity"], stage["breached"]) == (True, False, None, False)
    before = versions()
    judge_again()
    assert versions() == before


def test_breach_reopens_a_warning_that_a_person_has_closed(now: datetime, clock: Callable[[datetime], None]) -> None:
    put(now)
    clock(minute(now, 31))
    radar.run_round()
    [(number, *_)] = rows(EXCEPTION)
    with_schema(lambda: resolve_exception(exception_id=number, resolution="no_action", actor="user:ann", now=now))
    clock(minute(now, 61))
    radar.run_round()
    assert [row[1:6] for row in rows(EXCEPTION)] == [("OPEN", "active", "MEDIUM", None, 2)]


def with_schema(work: Callable[[], object]) -> None:
    with schema_context("acme"):
        work()


def test_proof_that_it_ended_before_the_warning_takes_it_back(now: datetime, clock: Callable[[datetime], None]) -> None:
    put(now)
    clock(minute(now, 31))
    radar.run_round()
    put(minute(now, 20), "order_fulfilled", now=minute(now, 32))
    assert [row[1:5] for row in rows(EXCEPTION)] == [("RESOLVED", "none", "LOW", "false_alarm")]


def test_what_an_order_carries_weighs_its_exceptions(now: datetime) -> None:
    put(minute(now, -90), customer_tier="Gold", order_value_cents=10_000, currency="eur", now=now)
    assert [row[6] for row in rows(EXCEPTION)] == [40 + 20 + 15]
    assert rows("SELECT priority_parts::json FROM {s}.exceptions_record") == [
        ({"severity": 40, "order_value": 15, "customer_tier": 20},)
    ]
    put(minute(now, -10), "order_updated", customer_tier=None, now=now)
    assert [row[6] for row in rows(EXCEPTION)] == [55]
    assert rows("SELECT customer_tier, value_cents, currency, rule FROM {s}.orders_order") == [
        ("", 10_000, "EUR", "Express")
    ]


def test_every_column_that_an_order_carries_is_kept(now: datetime) -> None:
    payload = {
        "sales_channel": "amazon",
        "carrier": " DHL ",
        "warehouse": "LIS1",
        "destination_country": "pt",
        "skus": ["a", "b", "a"],
        "tags": "gift, vip",
        "fulfil_by": "2026-12-01T10:00:00+01:00",
        "promised_delivery_at": "2026-12-03T10:00:00Z",
        "delivery_window": {"from": "2026-12-02T08:00:00Z", "until": "2026-12-02T12:00:00Z"},
    }
    put(now, **payload)
    [found] = rows(
        """SELECT sales_channel, shipping_service, carrier, warehouse, destination_country, skus, tags, fulfil_by, promised_at,
        window_from, window_until, value_cents FROM {s}.orders_order"""
    )
    assert found == (
        "amazon",
        "Express",
        "DHL",
        "LIS1",
        "PT",
        ["a", "b"],
        ["gift", "vip"],
        datetime(2026, 12, 1, 9, tzinfo=UTC),
        datetime(2026, 12, 3, 10, tzinfo=UTC),
        datetime(2026, 12, 2, 8, tzinfo=UTC),
        datetime(2026, 12, 2, 12, tzinfo=UTC),
        None,
    )
    before = versions()
    judge_again()
    assert versions() == before


@pytest.mark.parametrize(
    "payload",
    [
        {
            "carrier": {"id": 5},
            "tags": 7,
            "skus": "x",
            "line_items": [3, {"sku": None}],
            "destination_country": "Portugal",
        },
        {"order_value_cents": "12", "currency": "EUR"},
        {"order_value_cents": 12},
        {"order_value_cents": -1, "currency": "EUR", "warehouse": "x" * 65},
        {"sales_channel": "a\nb", "customer_tier": True},
    ],
)
def test_word_meant_otherwise_costs_no_event(now: datetime, payload: dict[str, Any]) -> None:
    body = event(event_type="order_created", occurred_at=now.isoformat(), payload=payload)
    assert send(program("acme", "ingest"), body).status_code == 201
    nothing = "SELECT carrier, value_cents, currency, destination_country, warehouse, sales_channel, tags FROM {s}.orders_order"
    assert rows(nothing) == [("", None, "", "", "", "", [])]


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"fulfil_by": "tomorrow"}, "payload.fulfil_by"),
        ({"fulfil_by": "2026-12-01T10:00:00"}, "payload.fulfil_by"),
        ({"delivery_window": "today"}, "payload.delivery_window"),
        ({"delivery_window": {"from": "2026-12-01T10:00:00Z"}}, "payload.delivery_window"),
        ({"delivery_window": {"until": 5}}, "payload.delivery_window.until"),
    ],
)
def test_promise_that_cannot_be_read_is_refused_with_a_sentence(
    now: datetime, payload: dict[str, Any], field: str
) -> None:
    body = event(event_type="order_created", occurred_at=now.isoformat(), payload=payload)
    status, answer = said(send(program("acme", "ingest"), body))
    assert (status, list(answer["errors"])) == (422, [field])
    assert rows("SELECT count(*) FROM {s}.orders_event") == [(0,)]


def test_published_policy_touches_no_order_that_began_under_another(now: datetime, acme: Tenant) -> None:
    put(minute(now, -20))
    before = versions()
    SlaPolicy.objects.create(tenant=acme, version=3, valid_from=now, rules={"order_fulfillment_hours": 1})
    judge_again()
    assert versions() == before
    put(minute(now, 1), number=2)
    found = rows(
        "SELECT o.order_id, o.rule, p.version FROM {s}.orders_order o JOIN public.tenants_slapolicy p ON p.id = o.policy_id ORDER BY 1"
    )
    assert found == [("1", "Express", 2), ("2", "", 3)]


def test_explanation_of_an_order(now: datetime) -> None:
    put(minute(now, -40), now=now)
    put(minute(now, -30), "order_held", hold_id="h", reason="fraud check", actor="user:ann", now=now)
    put(minute(now, -20), "order_released", hold_id="h", now=now)
    reader = program("acme", "read")
    status, body = said(reader.get("/api/orders/1/explanation?merchant=default&stage=order_fulfillment"))  # type: ignore[arg-type]
    [stage] = body["stages"]
    assert (status, stage["rule"], stage["target"]) == (
        200,
        "Express",
        "1 h, every hour counts; at risk after 50% of it.",
    )
    assert [(each["kind"], each["seconds"], each["actor"]) for each in stage["segments"]] == [
        ("counted", 600.0, ""),
        ("paused", 600.0, "user:ann"),
        ("counted", 3000.0, ""),
    ]
    assert [stage["due_at"], stage["at_risk_at"], stage["unpaused_due_at"]] == [
        at.isoformat().replace("+00:00", "Z") for at in (minute(now, 30), minute(now, 0), minute(now, 20))
    ]
    whole = said(reader.get("/api/orders/1"))[1]  # type: ignore[arg-type]
    assert (whole["contract"], whole["promise"], whole["rule"]) == ("at_risk", "none", "Express")
    [sentence] = whole["difference"]
    assert sentence.startswith(
        "Handover to the carrier: pauses (fraud check) moved the contract's due time by 10 min, from "
    )
    stages = [each["stage"] for each in said(reader.get("/api/orders/1/explanation"))[1]["stages"]]  # type: ignore[arg-type]
    assert stages == ["payment_processing", "order_fulfillment", "delivery"]


@pytest.mark.parametrize(
    ("tenant", "scope", "path", "status"),
    [
        ("acme", "read", "/api/orders/1/explanation?stage=lunch", 422),
        ("acme", "read", "/api/orders/2/explanation", 404),
        ("acme", "ingest", "/api/orders/1/explanation", 403),
        ("globex", "read", "/api/orders/1/explanation", 404),
    ],
)
def test_explanation_is_refused(now: datetime, globex: Tenant, tenant: str, scope: str, path: str, status: int) -> None:
    put(now)
    assert program(tenant, scope).get(path).status_code == status
