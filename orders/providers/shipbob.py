"""ShipBob: Standard Webhooks with the topic in `x-webhook-topic`. Orders are known by the merchant's `reference_id`.

Source: developer.shipbob.com, "Webhooks", 2025-07 and later.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from orders.events import Incoming
from orders.providers.delivery import STATUS_SAYS_IT, Delivery, Reading, Unusable
from orders.providers.reading import body_of, dig, event, first_instant, identity, objects, visible
from orders.providers.signatures import standard_matches

TYPES = {
    "order.shipped": "order_fulfilled",
    "order.delivered": "order_delivered",
    "order.shipment.delivered": "order_delivered",
    "order.shipment.on_hold": "order_held",
    "order.shipment.exception": "inventory_shortage",
    "order.shipment.cancelled": "shipment_cancelled",
    "order.shipment.tracking_received": "fulfillment_created",
    "order.shipment.tracking.updated": "shipment_tracking",
    "order.shipment.address.updated": "address_corrected",
    "order.shipment.line_item.added": "order_updated",
    "order.shipment.line_item.removed": "order_updated",
    "order.shipment.line_item.updated": "order_updated",
    "order.shipment.shipping_service.updated": "order_updated",
}
TRACKING = {
    "LabelCreated": "order_packed",
    "InTransit": "shipment_in_transit",
    "OutForDelivery": "shipment_in_transit",
    "DeliveryAttempted": "delivery_attempted",
    "Delivered": "order_delivered",
    "Delayed": "shipment_delayed",
    "Exception": "delivery_failed",
    "ReturnToSender": "order_returned",
}
ADDRESS_WORDS = ("address", "zip", "postal")
BY_SHIPMENT = (
    "order_fulfilled",
    "order_delivered",
    "shipment_in_transit",
    "shipment_delayed",
    "delivery_failed",
    "order_returned",
)
NAMING = ("order_fulfilled", "fulfillment_created", "order_packed")  # what names a parcel, so that carriers may find it


class ShipBob:
    kept_headers: Sequence[str] = ("webhook-id", "webhook-timestamp", "x-webhook-topic")
    receipt: Mapping[str, str] = STATUS_SAYS_IT
    setup = f"Subscribe to {', '.join(TYPES)}, of version 2025-07 or later (older ones are not signed)."

    def verify(self, delivery: Delivery, secrets: Sequence[str]) -> bool:
        return standard_matches(delivery, secrets)

    def topic(self, delivery: Delivery) -> str:
        return delivery.header("x-webhook-topic", "shipbob-topic").strip().lower()

    def survives_uninstall(self, topic: str) -> bool:
        return False

    def read(self, delivery: Delivery) -> Reading:
        topic = self.topic(delivery)
        kind = TYPES.get(topic)
        if kind is None and topic.startswith("order."):
            raise Unusable("unmapped", {"topic": [f"ShipBob's topic “{topic[:64]}” is not known here."]})
        if kind is None:
            return Reading(ignored="This topic says nothing about an order.")
        body = body_of(delivery)
        if "shipments" not in body and "status" not in body:
            raise Unusable(
                "topic_mismatch", {"topic": [f"The topic is {topic}, but the body is neither order nor shipment."]}
            )
        return Reading(list(_events(delivery, topic, kind, body)))


def _events(delivery: Delivery, topic: str, kind: str, body: dict[str, Any]) -> Iterable[Incoming]:
    """An order names its shipments; a shipment stands for itself.

    A parcel goes by its tracking number, where it has one: the tracking topics name no shipment.
    """
    order = visible(body.get("reference_id") or body.get("order_number") or body.get("order_id"), "reference_id")
    shipments = objects(body.get("shipments")) or [body]
    for index, shipment in enumerate(shipments):
        name = visible(shipment.get("id") or shipment.get("shipment_id") or body.get("order_id"), "id")
        number = dig(shipment, "tracking.tracking_number") or dig(shipment, "tracking.tracking_id")
        number = visible(number, "tracking.tracking_number", required=False)
        parcel, carrier = number or name, str(dig(shipment, "tracking.carrier") or "")[:64]
        found = TRACKING.get(str(shipment.get("status")), kind) if kind == "shipment_tracking" else kind
        key = identity(topic, name, delivery.header("webhook-id"))
        made = event(
            delivery,
            found,
            key,
            at=_when(found, shipment, body, delivery.timezone),
            payload=body if index == 0 else shipment,
            order_id=order,
            detail=_detail(found, name, parcel, shipment),
            parcels=[(parcel, carrier, number)] if number and found in NAMING else [],
        )
        yield made
        for kind_too, detail in _besides(found, name, shipment):
            yield event(
                delivery,
                kind_too,
                f"{key[:110]}:{kind_too}",
                at=made.occurred_at,
                payload={"shipment": name},
                order_id=order,
                detail=detail,
            )


def _besides(kind: str, shipment: str, body: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any] | None]]:
    """What a word of ShipBob's says besides. It has none for the end of a hold: a change after which it goes on is one."""
    if kind == "order_held" and _about_address(body):
        yield "address_invalid", None
    if kind in ("address_corrected", "order_updated") and body.get("status") != "OnHold":
        yield "order_released", {"hold_id": shipment}


def _when(kind: str, shipment: Mapping[str, Any], body: Mapping[str, Any], zone: str) -> datetime:
    own = {"order_fulfilled": "actual_fulfillment_date", "order_delivered": "delivery_date"}.get(kind, "event_time")
    names = (own, "event_time", "last_update_at", "created_date")
    times = [dig(source, name) for name in names for source in (shipment, body)]
    return first_instant(times, zone, own)


def _detail(kind: str, shipment: str, parcel: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
    if kind == "order_held":
        return {"hold_id": shipment, "reason": _reason(body)}
    return {"shipment": parcel} if kind in BY_SHIPMENT else None


def _reason(shipment: Mapping[str, Any]) -> str:
    details = objects(shipment.get("status_details"))
    words = [str(item.get("description") or item.get("name") or "") for item in details]
    return ", ".join(filter(None, words))[:200] or "on hold"


def _about_address(shipment: Mapping[str, Any]) -> bool:
    return any(word in _reason(shipment).lower() for word in ADDRESS_WORDS)
