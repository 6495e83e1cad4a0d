"""Shopify bodies for tests, in the shapes of its documentation; every time carries the shop's offset."""

from typing import Any

from orders.providers.delivery import Delivery
from tests.orders.providers.cast import delivery

ORDER = 5823471902915
FULFILLMENT: dict[str, Any] = {
    "id": 4811,
    "order_id": ORDER,
    "status": "success",
    "created_at": "2026-11-23T12:00:00-05:00",
    "updated_at": "2026-11-23T12:05:00-05:00",
    "tracking_company": "UPS",
    "tracking_number": "1Z1",
    "tracking_numbers": ["1Z1", "1Z2"],
    "shipment_status": None,
    "location_id": 1,
    "name": "#1001.1",
}


def order(**more: Any) -> dict[str, Any]:
    return {
        "id": ORDER,
        "name": "#1001",
        "order_number": 1001,
        "created_at": "2026-11-23T10:00:00-05:00",
        "processed_at": "2026-11-23T10:00:00-05:00",
        "updated_at": "2026-11-23T10:20:00-05:00",
        "cancelled_at": None,
        "closed_at": None,
        "currency": "USD",
        "total_price": "59.90",
        "financial_status": "pending",
        "fulfillment_status": None,
        "test": False,
        "line_items": [{"id": 1, "sku": "A-1", "quantity": 1, "requires_shipping": True, "grams": 200}],
        "customer": {"id": 7, "email": "ada@example.com", "first_name": "Ada"},
        "email": "ada@example.com",
        "fulfillments": [],
        "refunds": [],
        **more,
    }


def held(reason: str, **more: Any) -> dict[str, Any]:
    return {
        "fulfillment_order": {
            "id": "gid://shopify/FulfillmentOrder/901",
            "order_id": f"gid://shopify/Order/{ORDER}",
            "status": "on_hold",
            "fulfillment_holds": [{"reason": reason.lower(), "reason_notes": ""}],
            **more,
        }
    }


def sent(topic: str, body: dict[str, Any] | bytes, **headers: str) -> Delivery:
    names = {"x-shopify-topic": topic, "x-shopify-event-id": "ev-1", "x-shopify-webhook-id": "wh-1"}
    return delivery(body, {**names, **headers}, source="shopify")
