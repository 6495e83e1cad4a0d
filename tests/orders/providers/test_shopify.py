"""Shopify: each topic gives exactly these events."""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

import pytest

from orders.providers.delivery import Demand, Unusable
from orders.providers.shopify import Shopify
from tests.orders.providers.cast import NOW, told
from tests.orders.providers.shopify_cast import FULFILLMENT, ORDER, held, order, sent

SHOPIFY = Shopify()
ID = str(ORDER)
STEP = {
    "id": 31,
    "fulfillment_id": 4811,
    "order_id": ORDER,
    "happened_at": "2026-11-23T13:00:00-05:00",
    "created_at": "2026-11-23T13:00:05-05:00",
}
SHIPMENT = {"shipment": "4811"}
TABLE: list[tuple[str, dict[str, Any], list[tuple[Any, ...]]]] = [
    ("orders/create", order(), [("order_created", ID, "11-23T15:00:00Z", None)]),
    ("orders/updated", order(), [("order_updated", ID, "11-23T15:20:00Z", None)]),
    (
        "orders/updated",
        order(financial_status="refunded", refunds=[{"created_at": "2026-11-23T10:15:00-05:00"}]),
        [("order_updated", ID, "11-23T15:20:00Z", None), ("order_refunded", ID, "11-23T15:15:00Z", {"full": True})],
    ),
    (
        "orders/edited",
        {"order_edit": {"id": 78, "order_id": ORDER, "committed_at": "2026-11-23T15:02:00Z"}},
        [("order_updated", ID, "11-23T15:02:00Z", None)],
    ),
    ("orders/paid", order(financial_status="paid"), [("payment_confirmed", ID, "11-23T15:20:00Z", None)]),
    (
        "orders/cancelled",
        order(cancelled_at="2026-11-23T10:19:59-05:00"),
        [("order_cancelled", ID, "11-23T15:19:59Z", None)],
    ),
    (
        "orders/fulfilled",
        order(
            fulfillment_status="fulfilled",
            fulfillments=[
                FULFILLMENT,
                {**FULFILLMENT, "id": 4812, "created_at": "2026-11-23T14:00:00-05:00"},
                {**FULFILLMENT, "id": 4813, "status": "cancelled"},
            ],
        ),
        [
            ("order_fulfilled", ID, "11-23T17:00:00Z", SHIPMENT),
            ("order_fulfilled", ID, "11-23T19:00:00Z", {"shipment": "4812"}),
        ],
    ),
    (
        "orders/fulfilled",
        order(fulfillment_status="fulfilled", closed_at="2026-11-23T10:20:01-05:00"),
        [("order_fulfilled", ID, "11-23T15:20:01Z", None)],
    ),
    (
        "orders/partially_fulfilled",
        order(fulfillment_status="partial", fulfillments=[FULFILLMENT]),
        [("fulfillment_created", ID, "11-23T17:00:00Z", SHIPMENT)],
    ),
    ("fulfillments/create", FULFILLMENT, [("fulfillment_created", ID, "11-23T17:00:00Z", SHIPMENT)]),
    ("fulfillments/update", FULFILLMENT, [("fulfillment_created", ID, "11-23T17:05:00Z", SHIPMENT)]),
    (
        "fulfillments/update",
        {**FULFILLMENT, "status": "cancelled"},
        [("fulfillment_cancelled", ID, "11-23T17:05:00Z", SHIPMENT)],
    ),
    *[
        (
            "fulfillment_events/create",
            {**STEP, "status": status},
            [(kind, ID, "11-23T18:00:00Z", {**SHIPMENT, "reason": status})],
        )
        for status, kind in {
            "label_printed": "order_packed",
            "label_purchased": "order_packed",
            "carrier_picked_up": "shipment_in_transit",
            "in_transit": "shipment_in_transit",
            "out_for_delivery": "shipment_in_transit",
            "delivered": "order_delivered",
            "delayed": "shipment_delayed",
            "failure": "delivery_failed",
            "attempted_delivery": "delivery_attempted",
            "confirmed": "shipment_confirmed",
            "ready_for_pickup": "shipment_ready_for_pickup",
        }.items()
    ],
    (
        "fulfillment_orders/order_routing_complete",
        {
            "fulfillment_order": {
                "id": "gid://shopify/FulfillmentOrder/901",
                "order_id": ORDER,
                "created_at": "2026-11-23T10:03:00-05:00",
                "delivery_method": {"max_delivery_date_time": "2026-11-26T20:00:00-05:00"},
            }
        },
        [
            ("inventory_allocated", ID, "11-23T15:03:00Z", None),
            ("order_updated", ID, "11-23T15:03:00Z", {"promise": "2026-11-27T01:00:00+00:00"}),
        ],
    ),
    (
        "fulfillment_orders/placed_on_hold",
        held("INCORRECT_ADDRESS", updated_at="2026-11-23T15:05:00Z"),
        [
            ("order_held", ID, "11-23T15:05:00Z", {"hold_id": "901", "reason": "INCORRECT_ADDRESS"}),
            ("address_invalid", ID, "11-23T15:05:00Z", {"reason": "INCORRECT_ADDRESS"}),
        ],
    ),
    (
        "fulfillment_orders/placed_on_hold",
        held("INVENTORY_OUT_OF_STOCK", updated_at="2026-11-23T15:05:00Z"),
        [
            ("order_held", ID, "11-23T15:05:00Z", {"hold_id": "901", "reason": "INVENTORY_OUT_OF_STOCK"}),
            ("inventory_shortage", ID, "11-23T15:05:00Z", {"reason": "INVENTORY_OUT_OF_STOCK"}),
        ],
    ),
    (
        "fulfillment_orders/placed_on_hold",
        held("HIGH_RISK_OF_FRAUD", updated_at="2026-11-23T15:05:00Z"),
        [("order_held", ID, "11-23T15:05:00Z", {"hold_id": "901", "reason": "HIGH_RISK_OF_FRAUD"})],
    ),
    (
        "fulfillment_orders/hold_released",
        held("INCORRECT_ADDRESS", updated_at="2026-11-23T16:05:00Z"),
        [
            ("order_released", ID, "11-23T16:05:00Z", {"hold_id": "901"}),
            ("address_corrected", ID, "11-23T16:05:00Z", None),
        ],
    ),
    (
        "fulfillment_orders/hold_released",
        held("INVENTORY_OUT_OF_STOCK", updated_at="2026-11-23T16:05:00Z"),
        [("order_released", ID, "11-23T16:05:00Z", {"hold_id": "901"})],
    ),
    (
        "order_transactions/create",
        {"id": 5, "order_id": ORDER, "kind": "sale", "status": "failure", "created_at": "2026-11-23T15:00:30Z"},
        [("payment_failed", ID, "11-23T15:00:30Z", None)],
    ),
    (
        "order_transactions/create",
        {"id": 6, "order_id": ORDER, "kind": "sale", "status": "success", "created_at": "2026-11-23T15:01:30Z"},
        [("payment_transaction", ID, "11-23T15:01:30Z", None)],
    ),
    (
        "refunds/create",
        {"id": 8, "order_id": ORDER, "created_at": "2026-11-23T15:15:00Z", "refund_line_items": []},
        [("order_refunded", ID, "11-23T15:15:00Z", None)],
    ),
]


@pytest.mark.parametrize(("topic", "body", "expected"), TABLE)
def test_topic_gives_exactly_these_events(topic: str, body: dict[str, Any], expected: list[tuple[Any, ...]]) -> None:
    events = SHOPIFY.read(sent(topic, body)).events
    assert [told(event) for event in events] == expected
    assert len({event.event_id for event in events}) == len(events)
    assert all(event.event_id.startswith("~") and len(event.event_id) <= 128 for event in events)
    assert all(event.source == "shopify" and event.merchant == "default" for event in events)


def test_event_is_keyed_by_topic_resource_and_happening() -> None:
    [event] = SHOPIFY.read(sent("orders/create", order())).events
    assert event.event_id == f"~orders/create:{ORDER}:ev-1"


def test_webhook_id_is_the_key_where_the_event_id_is_missing() -> None:
    delivery = sent("orders/create", order())
    del delivery.headers["x-shopify-event-id"]  # type: ignore[attr-defined]
    assert SHOPIFY.read(delivery).events[0].event_id == f"~orders/create:{ORDER}:wh-1"


def test_a_retry_is_the_same_event_with_the_same_content() -> None:
    first, again = (SHOPIFY.read(sent("orders/create", order())).events[0] for _ in range(2))
    assert (first.identity, first.content_hash) == (again.identity, again.content_hash)


def test_a_retry_without_any_time_has_the_same_content_though_it_happened_now() -> None:
    body = held("OTHER")
    first = sent("fulfillment_orders/placed_on_hold", body)
    later = type(first)(first.source, first.body, first.headers, datetime(2026, 11, 24, 9, 30, tzinfo=NOW.tzinfo))
    one, two = SHOPIFY.read(first).events[0], SHOPIFY.read(later).events[0]
    assert (one.occurred_at, two.occurred_at) == (NOW, later.now)
    assert one.content_hash == two.content_hash


def test_hold_without_a_time_takes_the_moment_that_shopify_notes() -> None:
    headers = {"x-shopify-triggered-at": "2026-11-23T15:06:07.123456789Z"}
    [event] = SHOPIFY.read(sent("fulfillment_orders/placed_on_hold", held("OTHER"), **headers)).events
    assert event.occurred_at.isoformat() == "2026-11-23T15:06:07.123456+00:00"


def test_fulfillment_order_that_names_no_order_waits_by_its_own_id() -> None:
    body = {"fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/901", "created_at": "2026-11-23T15:03:00Z"}}
    [event] = SHOPIFY.read(sent("fulfillment_orders/order_routing_complete", body)).events
    assert (event.order_id, event.tracking_number) == ("", "gid://shopify/FulfillmentOrder/901")


def test_every_tracking_number_becomes_a_parcel() -> None:
    [event] = SHOPIFY.read(sent("fulfillments/create", FULFILLMENT)).events
    assert event.parcels == [("4811", "UPS", "1Z1"), ("4811", "UPS", "1Z2")]


def test_payload_is_the_providers_own_body() -> None:
    [event] = SHOPIFY.read(sent("orders/create", order())).events
    assert json.loads(event.payload) == order()


def test_test_delivery_becomes_nothing() -> None:
    reading = SHOPIFY.read(sent("orders/create", order(test=True, created_at=None, updated_at=None)))
    assert (reading.events, reading.ignored) == ((), "A test delivery.")


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("orders/create", FULFILLMENT),
        ("orders/paid", order()),
        ("orders/cancelled", order()),
        ("orders/fulfilled", order()),
        ("orders/partially_fulfilled", order()),
        ("fulfillments/create", {**STEP, "status": "delivered"}),
        ("fulfillment_events/create", FULFILLMENT),
        ("order_transactions/create", order()),
        ("refunds/create", order()),
    ],
)
def test_topic_that_the_body_belies_is_refused(topic: str, body: dict[str, Any]) -> None:
    with pytest.raises(Unusable) as refused:
        SHOPIFY.read(sent(topic, body))
    assert refused.value.reason == "topic_mismatch"


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        ("orders/create", b"{", "invalid"),
        ("orders/create", b"[]", "invalid"),
        ("orders/create", b'{"id": 1, "line_items": [], "note": "a\\u0000b"}', "invalid"),
        ("orders/create", b'{"id": 1, "line_items": [], "note": "\\ud800"}', "invalid"),
        ("orders/create", b'{"id": 1, "line_items": ' + b"[" * 100 + b"]" * 100 + b"}", "invalid"),
        ("orders/create", b'{"id": 1, "line_items": []}', "invalid"),
        ("orders/create", b'{"id": 1, "line_items": [], "created_at": "2150-01-01T00:00:00Z"}', "invalid"),
        ("orders/created", b"{}", "unmapped"),
        ("fulfillment_orders/moved", b"{}", "unmapped"),
    ],
)
def test_unusable_bodies_are_refused_with_a_reason(topic: str, body: bytes, reason: str) -> None:
    with pytest.raises(Unusable) as refused:
        SHOPIFY.read(sent(topic, body))
    assert refused.value.reason == reason
    assert all(refused.value.errors.values())


@pytest.mark.parametrize("topic", ["inventory_levels/update", "products/update", ""])
def test_topics_about_no_order_are_ignored(topic: str) -> None:
    reading = SHOPIFY.read(sent(topic, {"inventory_item_id": 1, "available": 3}))
    assert reading.ignored
    assert reading.events == ()


def test_order_of_a_thousand_lines_is_kept_with_its_lines_cut() -> None:
    line = {"id": 1, "sku": "A", "quantity": 1, "requires_shipping": True, "grams": 5, "name": "x" * 400}
    [event] = SHOPIFY.read(sent("orders/create", order(line_items=[line] * 1000))).events
    kept = json.loads(event.payload)
    assert len(event.payload) < 256 * 1024
    assert len(kept["line_items"]) == 1000
    assert kept["line_items"][0] == {
        "id": 1, "sku": "A", "quantity": 1, "current_quantity": None, "requires_shipping": True, "grams": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "body", "demand"),
    [
        ("app/uninstalled", {"id": 1, "domain": "acme.myshopify.com"}, Demand("uninstalled")),
        ("shop/redact", {"shop_id": 1, "shop_domain": "acme.myshopify.com"}, Demand("redact_shop")),
        (
            "customers/redact",
            {"customer": {"id": 7, "email": "ada@example.com", "phone": "555"}, "orders_to_redact": [1, 2]},
            Demand("redact_orders", ("1", "2"), ("ada@example.com", "555")),
        ),
        (
            "customers/data_request",
            {"customer": {"id": 7, "email": "ada@example.com", "phone": None}, "orders_requested": [1]},
            Demand("report_orders", ("1",), ("ada@example.com",)),
        ),
    ],
)
def test_compliance_topics_become_demands(topic: str, body: dict[str, Any], demand: Demand) -> None:
    assert SHOPIFY.read(sent(topic, body)).demand == demand


@pytest.mark.parametrize("header", ["x-shopify-hmac-sha256", "shopify-hmac-sha256"])
def test_signature_is_the_base64_hmac_of_the_raw_body(header: str) -> None:
    body = json.dumps(order()).encode()
    signature = base64.b64encode(hmac.new(b"hush", body, hashlib.sha256).digest()).decode()
    delivery = sent("orders/create", body, **{header: signature})
    assert SHOPIFY.verify(delivery, ["other", "hush"])
    assert not SHOPIFY.verify(delivery, ["other"])
    assert not SHOPIFY.verify(sent("orders/create", body + b" ", **{header: signature}), ["hush"])
    assert not SHOPIFY.verify(sent("orders/create", body, **{header: f"{signature},{signature}"}), ["hush"])
    assert not SHOPIFY.verify(sent("orders/create", body), ["hush"])
