"""ShipHero: the type is `webhook_type` in the body, and times carry no zone: they are in that of the source.

Source: developer.shiphero.com/webhooks.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from orders.providers.delivery import Delivery, Reading, Unusable
from orders.providers.reading import body_of, dig, event, first_instant, identity, visible
from orders.providers.signatures import hmac_matches

TYPES = {
    "order allocated": "inventory_allocated",
    "order deallocated": "inventory_shortage",
    "order packed out": "order_packed",
    "package added": "fulfillment_created",
    "shipment update": "order_fulfilled",
    "order canceled": "order_cancelled",
    "capture payment": "payment_requested",
    "return update": "return_updated",
}
IGNORED = ("inventory update", "inventory change", "po update", "tote complete", "tote cleared", "automation rules")
TIMES = ("created_at", "order_created_at", "packed_at", "timestamp", "date")


class ShipHero:
    kept_headers: Sequence[str] = ("x-shiphero-message-id",)

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
        order = visible(_first(inner, body, "partner_order_id", "order_number"), "order_number")
        shipment = visible(_first(inner, body, "shipment_id", "shipment_uuid"), "shipment_id", required=False)
        times = [value for name in TIMES for source in (inner, body) if (value := source.get(name))]
        at = first_instant(times, delivery.timezone, "created_at") if times else None
        detail = {"shipment": shipment} if shipment and kind == "order_fulfilled" else None
        happening = delivery.header("x-shiphero-message-id") or blake2b(delivery.body, digest_size=12).hexdigest()
        name = identity(word.replace(" ", "_"), shipment or order, happening)
        parcels = _parcels(kind, shipment, inner)
        return Reading(
            [event(delivery, kind, name, at=at, payload=body, order_id=order, detail=detail, parcels=parcels)]
        )


def _first(inner: Mapping[str, Any], body: Mapping[str, Any], *names: str) -> Any:
    return next((source[name] for name in names for source in (inner, body) if source.get(name)), None)


def _parcels(kind: str, shipment: str, inner: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    packages = inner.get("packages")
    found = [item for item in packages if isinstance(item, dict)] if isinstance(packages, list) else []
    if kind not in ("order_fulfilled", "fulfillment_created"):
        return []
    named = [(item.get("tracking_number"), item.get("shipping_carrier")) for item in [*found, inner]]
    unique = {visible(number, "tracking_number"): carrier for number, carrier in reversed(named) if number}
    return [(shipment, str(carrier or "")[:64], number) for number, carrier in unique.items()]
