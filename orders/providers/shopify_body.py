"""Shopify's own shapes: parcels of a fulfillment, bodies too large to keep. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from orders.events import MAX_PAYLOAD_BYTES, VISIBLE
from orders.providers.reading import objects

KEPT_OF_ITEM = ("id", "sku", "quantity", "current_quantity", "requires_shipping", "grams")
UNSENT = ("cancelled", "error", "failure")


def fitted(body: bytes) -> bytes:
    """The body itself; one above the limit has its line items cut to what logistics reads (an order of a thousand)."""
    if len(body) <= MAX_PAYLOAD_BYTES:
        return body
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return body
    return msgspec.json.encode(_without_bulk(value)) if isinstance(value, dict) else body


def _without_bulk(order: dict[str, Any]) -> dict[str, Any]:
    slim = {
        key: value
        for key, value in order.items()
        if key not in ("tax_lines", "discount_applications", "note_attributes")
    }
    if "line_items" in slim:
        slim["line_items"] = [{key: item.get(key) for key in KEPT_OF_ITEM} for item in objects(slim["line_items"])]
    for name in ("fulfillments", "refunds"):
        if name in slim:
            slim[name] = [
                {key: value for key, value in item.items() if key not in ("line_items", "refund_line_items")}
                for item in objects(slim[name])
            ]
    return slim


def shipped(fulfillments: object) -> list[dict[str, Any]]:
    """The fulfillments that were handed over, not those that were taken back."""
    return [item for item in objects(fulfillments) if item.get("status") not in UNSENT]


def parcels_of(fulfillment: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(shipment id, carrier, tracking number) for each tracking number."""
    shipment, carrier = str(fulfillment.get("id") or "")[:128], str(fulfillment.get("tracking_company") or "")[:64]
    listed = fulfillment.get("tracking_numbers")
    numbers = [*(listed if isinstance(listed, list) else []), fulfillment.get("tracking_number")]
    good = dict.fromkeys(n for n in numbers if isinstance(n, str) and len(n) <= 128 and VISIBLE.fullmatch(n))
    return [(shipment, carrier.replace("\x00", ""), number) for number in good]


def number_of(identity: str) -> str:
    """`gid://shopify/Order/123` and `123` are the same order: 123."""
    return identity.rsplit("/", 1)[-1].split("?", 1)[0] or identity


def waiting_number(fulfillment_order: str) -> str:
    """What a webhook of a fulfillment order waits by that names no order."""
    return f"gid://shopify/FulfillmentOrder/{number_of(fulfillment_order)}"
