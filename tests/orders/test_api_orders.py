"""/api/orders: the list, one order with its history, and what another tenant sees of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django_tenants.utils import schema_context

from orders.models import Event, Order, Parcel, Stage
from tenants.models import Tenant
from tests.exceptions.cast import make_exception, resolved
from tests.programs import program

T0 = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def reader(acme: Tenant) -> Client:
    return program("acme", "read")


def make_order(order_id: str = "1001", merchant: str = "default", minute: int = 0, **columns: Any) -> Order:
    received = T0 + timedelta(minutes=minute)
    return Order.objects.create(order_id=order_id, merchant=merchant, last_received_at=received, **columns)


def make_event(order: Order, event_id: str, event_type: str, minute: int, source: str = "wms") -> Event:
    at = T0 + timedelta(minutes=minute)
    return Event.objects.create(
        order=order,
        source=source,
        event_id=event_id,
        event_type=event_type,
        merchant=order.merchant,
        order_ref=order.order_id,
        occurred_at=at,
        received_at=T0 + timedelta(hours=1),
        effective_at=at,
        payload={"note": event_id},
        content_hash=b"0" * 16,
        correlation_id="c-1",
    )


def test_one_order_with_all_that_is_known_of_it(acme: Tenant, reader: Client) -> None:
    with schema_context("acme"):
        order = make_order(status="PAID", held=True, contradiction="delivered after the cancelling")
        make_event(order, "b", "payment_confirmed", 5)
        make_event(order, "a", "order_created", 0)
        make_event(order, "c", "order_updated", 5, source="shop")
        Stage.objects.create(
            order=order,
            name="order_fulfillment",
            state="RUNNING",
            started_at=T0,
            due_at=T0 + timedelta(hours=24),
            breached=True,
            severity="HIGH",
        )
        Parcel.objects.create(order=order, shipment_id="s1", carrier="ups", tracking_number="1Z9")
        found = make_exception("1001")
        make_exception("1001", reason_code="PAYMENT_DELAY", **resolved(verdict="none"))
    body = reader.get("/api/orders/1001?merchant=default").json()
    assert (body["order_id"], body["merchant"], body["status"], body["held"]) == ("1001", "default", "PAID", True)
    assert body["contradiction"] == "delivered after the cancelling"
    unwarned = {"at_risk_at": None, "at_risk": False, "saved": False}
    pending = {"started_at": None, "ended_at": None, "due_at": None, "breached": False, "severity": None, **unwarned}
    assert body["stages"] == [
        {"name": "payment_processing", "state": "PENDING", **pending},
        {"name": "inventory_check", "state": "PENDING", **pending},
        {"name": "shipping_preparation", "state": "PENDING", **pending},
        {
            "name": "order_fulfillment",
            "state": "RUNNING",
            "started_at": "2026-11-23T10:00:00Z",
            "ended_at": None,
            "due_at": "2026-11-24T10:00:00Z",
            "breached": True,
            "severity": "HIGH",
            **unwarned,
        },
        {"name": "delivery", "state": "PENDING", **pending},
    ]
    assert [(event["source"], event["event_id"]) for event in body["events"]] == [
        ("wms", "a"),
        ("shop", "c"),
        ("wms", "b"),
    ]
    assert body["events"][0] == {
        "source": "wms",
        "event_id": "a",
        "event_type": "order_created",
        "order_id": "1001",
        "occurred_at": "2026-11-23T10:00:00Z",
        "received_at": "2026-11-23T11:00:00Z",
        "effective_at": "2026-11-23T10:00:00Z",
        "payload": {"note": "a"},
        "tracking_number": "",
        "correlation_id": "c-1",
        "history": False,
        "quarantined": False,
    }
    assert body["parcels"] == [{"shipment_id": "s1", "carrier": "ups", "tracking_number": "1Z9"}]
    assert [(one["id"], one["reason_code"]) for one in body["exceptions"]] == [(found.pk, "FULFILLMENT_DELAY")]


@pytest.mark.parametrize("order_id", ["a/b", "/", "1001/", "100%", "?x=1", "#7", "..", "~!@$&'()*+,;=:\"<>\\^`{|}"])
def test_an_order_is_found_whatever_characters_its_id_has(acme: Tenant, reader: Client, order_id: str) -> None:
    with schema_context("acme"):
        make_order(order_id)
    answer = reader.get(f"/api/orders/{quote(order_id, safe='')}")
    assert (answer.status_code, answer.json()["order_id"]) == (200, order_id)


def test_the_address_may_end_in_a_slash(acme: Tenant, reader: Client) -> None:
    with schema_context("acme"):
        make_order("1001")
    assert reader.get("/api/orders/1001/").json()["order_id"] == "1001"
    assert reader.get("/api/orders/").status_code == 200


def test_without_merchant_the_only_order_is_given_and_of_several_none(acme: Tenant, reader: Client) -> None:
    with schema_context("acme"):
        make_order("1001", "north")
    assert reader.get("/api/orders/1001").json()["merchant"] == "north"
    with schema_context("acme"):
        make_order("1001", "south")
    answer = reader.get("/api/orders/1001")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "Several merchants have an order 1001: add ?merchant= with one of north, south.",
    )
    assert reader.get("/api/orders/1001?merchant=south").json()["merchant"] == "south"
    assert reader.get("/api/orders/1001?merchant=west").status_code == 404


@pytest.mark.parametrize("path", ["nope", "1%00", "1?merchant=%00", "%FF"])
def test_an_unknown_order_is_404(acme: Tenant, reader: Client, path: str) -> None:
    assert reader.get(f"/api/orders/{path}").status_code == 404


def test_the_list_is_by_latest_receipt_and_next_leads_through_it(acme: Tenant, reader: Client) -> None:
    with schema_context("acme"):
        for n in range(5):
            make_order(str(n), minute=n)
    seen: list[str] = []
    address = "/api/orders?page_size=2"
    while address:
        body = reader.get(address).json()
        seen += [row["order_id"] for row in body["results"]]
        address = body["next"]
    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize(
    ("query", "orders"),
    [
        ("", ["2", "1001"]),
        ("status=paid", ["2"]),
        ("merchant=north", ["1001"]),
        ("held=true", ["2"]),
        ("held=false", ["1001"]),
        ("search=100", ["1001"]),
        ("search=1Z9", ["2"]),
    ],
)
def test_the_filters_of_the_list(acme: Tenant, reader: Client, query: str, orders: list[str]) -> None:
    with schema_context("acme"):
        make_order("1001", "north")
        paid = make_order("2", "south", minute=1, status="PAID", held=True)
        Parcel.objects.create(order=paid, tracking_number="1Z9")
    assert [row["order_id"] for row in reader.get(f"/api/orders?{query}").json()["results"]] == orders


def test_a_wrong_value_in_the_address_gets_a_sentence(acme: Tenant, reader: Client) -> None:
    answer = reader.get("/api/orders?status=LOST&held=maybe&page_size=0")
    assert answer.status_code == 422
    assert answer.json()["errors"] == {
        "status": [
            "“LOST” is not known here: use CREATED, PAID, ALLOCATED, PACKED, FULFILLED, DELIVERED, RETURNED, CANCELLED."
        ],
        "held": ["Must be a valid boolean."],
        "page_size": ["A whole number from 1 to 1000."],
    }


def test_reading_orders_needs_the_scope(acme: Tenant) -> None:
    assert program("acme", "ingest").get("/api/orders").status_code == 403
    assert program("acme", "ingest").get("/api/orders/1001").status_code == 403
    assert Client(headers={"Host": "127.0.0.1"}).get("/api/orders").status_code == 401


def test_another_tenants_program_sees_no_order(acme: Tenant, globex: Tenant) -> None:
    with schema_context("acme"):
        make_order("1001")
    spy = program("globex", "read")
    assert spy.get("/api/orders").json() == {"next": None, "results": []}
    assert spy.get("/api/orders/1001").status_code == 404
