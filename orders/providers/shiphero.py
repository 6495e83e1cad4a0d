"""ShipHero: the type is `webhook_type` in the body, and times carry no zone: they are in that of the source.

A delivery counts as taken only if the body of the answer says so too. Two types ask for an answer of their own before goods may
leave, and must not be pointed here: “Capture Payment” (what we answer says: go on) and “Generate Label” (it wants a label).
Order numbers that somebody typed may hold spaces, which no order id may: `Order #243` is known here as `Order_#243`.

Source: developer.shiphero.com/webhooks, a page for each type.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from orders.providers.delivery import Delivery, Reading, Unusable
from orders.providers.reading import body_of, dig, event, identity, instant, objects, visible
from orders.providers.signatures import hmac_matches

TYPES = {
    "order allocated": "inventory_allocated",
    "order deallocated": "inventory_shortage",
    "order packed out": "order_packed",
    "package added": "order_packed",
    "shipment update": "order_fulfilled",
    "order canceled": "order_cancelled",
    "capture payment": "payment_requested",
    "return update": "return_updated",
}
IGNORED = (
    "inventory update",
    "inventory change",
    "product update",
    "po update",
    "shipment asn",
    "work order status update",
    "tote complete",
    "tote cleared",
    "generate label",
    "print barcode",
    "automation rules",
)
TIMES = ("allocated_at", "deallocated_at", "package_added_at", "created_at", "packed_at", "timestamp", "date")
NO_NUMBERS = ("", "pickup", "none", "n/a")  # what stands for a tracking number where there is none


class ShipHero:
    kept_headers: Sequence[str] = ("x-shiphero-message-id",)
    receipt: Mapping[str, str] = {"code": "200", "Message": "Success"}
    setup = (
        "Subscribe to Order Allocated, Order Deallocated, Package Added, Shipment Update, Order Canceled and Return Update. Never to "
        "Capture Payment or Generate Label: goods wait for the answer to those, and there is none here. Its times are in the source's zone."
    )

    def verify(self, delivery: Delivery, secrets: Sequence[str]) -> bool:
        return hmac_matches(delivery.body, delivery.header("x-shiphero-hmac-sha256"), secrets)

    def topic(self, delivery: Delivery) -> str:
        return ""

    def survives_uninstall(self, topic: str) -> bool:
        return False

    def read(self, delivery: Delivery) -> Reading:
        body = body_of(delivery)
        word = str(body.get("webhook_type") or dig(body, "fulfillment.webhook_type") or "").lower()
        kind = TYPES.get(word)
        if word in IGNORED or body.get("test") in ("1", 1, True):
            return Reading(ignored="It says nothing about an order.")
        if kind is None:
            raise Unusable("unmapped", {"webhook_type": [f"ShipHero's type “{word[:64]}” is not known here."]})
        inner = next(
            (body[key] for key in ("fulfillment", "package", "order") if isinstance(body.get(key), dict)), body
        )
        number = _first(inner, body, "partner_order_id", "order_number", "partner_order_number")
        if not number and word == "order packed out":
            return Reading(ignored="It names the order only by ShipHero's own number, which no shop knows.")
        order = visible("_".join(number.split()) if isinstance(number, str) else number, "order_number")
        shipment = visible(_first(inner, body, "shipment_id", "shipment_uuid"), "shipment_id", required=False)
        at = _when(inner, body, delivery.timezone)
        detail = {"shipment": shipment} if shipment and kind == "order_fulfilled" else None
        happening = delivery.header("x-shiphero-message-id") or blake2b(delivery.body, digest_size=12).hexdigest()
        name = identity(word.replace(" ", "_"), shipment or order, happening)
        parcels = _parcels(kind, shipment, inner, body)
        return Reading(
            [event(delivery, kind, name, at=at, payload=body, order_id=order, detail=detail, parcels=parcels)]
        )


def _first(inner: Mapping[str, Any], body: Mapping[str, Any], *names: str) -> Any:
    return next((source[name] for name in names for source in (inner, body) if source.get(name)), None)


def _when(inner: Mapping[str, Any], body: Mapping[str, Any], zone: str) -> datetime | None:
    """None where a type says no time at all, as a cancelling does."""
    named = next((name for name in TIMES if inner.get(name) or body.get(name)), None)
    return instant(_first(inner, body, named), zone, named) if named else None


def _parcels(kind: str, shipment: str, inner: Mapping[str, Any], body: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    if kind != "order_fulfilled":
        return []
    found: dict[str, str] = {}
    for item in (*objects(inner.get("packages")), *objects(body.get("packages")), inner):
        number = visible(item.get("tracking_number"), "tracking_number", required=False)
        if number.lower() not in NO_NUMBERS:
            found.setdefault(number, str(item.get("shipping_carrier") or inner.get("shipping_carrier") or "")[:64])
    return [(shipment, carrier, number) for number, carrier in found.items()]
