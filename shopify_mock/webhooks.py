"""Which webhooks a happening raises, what they say and how they are signed. Pure."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from shopify_mock.batch import Happening
from shopify_mock.shop import API_VERSION, DOMAIN, utc_iso
from shopify_mock.state import view
from shopify_mock.view import View

Json = dict[str, Any]
TOPICS: Mapping[str, Sequence[str]] = {
    "created": ("orders/create",),
    "payment_pending": ("order_transactions/create",),
    "payment_failed": ("order_transactions/create",),
    "paid": ("order_transactions/create", "orders/paid", "orders/updated"),
    "routed": ("fulfillment_orders/order_routing_complete",),
    "held": ("fulfillment_orders/placed_on_hold",),
    "released": ("fulfillment_orders/hold_released",),
    "address_changed": ("orders/updated",),
    "shipped": ("fulfillments/create", "orders/fulfilled"),
    "moved": ("fulfillment_events/create", "fulfillments/update"),
    "released_part": (),  # the order is still held by others
    "relocated": (),
    "noted": ("orders/updated",),
    "tagged": ("orders/updated",),
    "tracking_updated": ("fulfillments/update",),
    "cancelled": ("orders/cancelled", "orders/updated"),
    "refunded": ("refunds/create", "order_transactions/create", "orders/updated"),
}


def topics_of(happening: Happening, parcels: int) -> list[str]:
    """Of a parcel that is not the last, the order is only partially fulfilled; only arrivals change a fulfillment."""
    topics = list(TOPICS[happening.kind])
    if happening.kind == "shipped" and happening.data["parcel"] + 1 < parcels:
        topics[1] = "orders/partially_fulfilled"
    if happening.kind == "moved" and happening.data["status"] != "delivered":
        topics.remove("fulfillments/update")
    return topics


def body_of(topic: str, goods: Json, happenings: Sequence[Happening]) -> bytes:
    """The webhook of the last of these happenings, to the byte the same each time."""
    return json.dumps(_content(topic, view(goods, happenings), happenings[-1]), ensure_ascii=False).encode()


def _content(topic: str, found: View, happening: Happening) -> Json:
    if topic.startswith("orders/"):
        return found.order
    if topic.startswith("fulfillment_orders/"):
        return _of_fulfillment_order(topic, found)
    if topic == "fulfillments/update":
        part: Json = found.order["fulfillments"][int(happening.data["parcel"])]
        return part
    if topic == "order_transactions/create":
        return found.transactions[-1]
    return found.last


def _of_fulfillment_order(topic: str, found: View) -> Json:
    body: Json = {"fulfillment_order": found.fulfillment_orders[0]}
    if topic.endswith("placed_on_hold"):
        body["created_fulfillment_hold"] = found.last
    if topic.endswith("hold_released"):
        body["released_fulfillment_hold"] = found.last
    return body


def event_id_of(order: int, sequence: int) -> str:
    """One happening, one event id, whatever number of topics it raises."""
    return str(uuid5(NAMESPACE_URL, f"https://{DOMAIN}/orders/{order}/happenings/{sequence}"))


def event_id_of_act(order: int, act: int) -> str:
    """Of what an app's call made happen: such happenings move the places of those that come after them."""
    return str(uuid5(NAMESPACE_URL, f"https://{DOMAIN}/orders/{order}/acts/{act}"))


def webhook_id_of(event_id: str, topic: str, copy: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"https://{DOMAIN}/webhooks/{event_id}/{topic}/{copy}"))


def sign(body: bytes, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def headers_of(
    *, topic: str, event_id: str, webhook_id: str, triggered_at: int, body: bytes, secret: str
) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "Shopify-Captain-Hook",
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": sign(body, secret),
        "X-Shopify-Shop-Domain": DOMAIN,
        "X-Shopify-API-Version": API_VERSION,
        "X-Shopify-Webhook-Id": webhook_id,
        "X-Shopify-Event-Id": event_id,
        "X-Shopify-Triggered-At": utc_iso(triggered_at),
        "X-Shopify-Name": "logistics-" + topic.replace("/", "-").replace("_", "-"),
    }
