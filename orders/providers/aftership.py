"""AfterShip: `tracking_update`. It names a tracking number; its checkpoints often carry the local time without a zone.

Source: aftership.com/docs/tracking, "Webhook" and "Delivery statuses".
"""

from collections.abc import Mapping, Sequence
from typing import Any

from orders.providers.delivery import STATUS_SAYS_IT, Delivery, Reading
from orders.providers.reading import body_of, event, first_instant, identity, objects, other_type, part, visible
from orders.providers.signatures import hmac_matches

TYPES = {
    "InfoReceived": "order_packed",
    "InTransit": "shipment_in_transit",
    "OutForDelivery": "shipment_in_transit",
    "AttemptFail": "delivery_attempted",
    "Delivered": "order_delivered",
    "Exception": "delivery_failed",
}
SUBTYPES = {
    "Exception_004": "shipment_delayed",  # customs
    "Exception_005": "shipment_delayed",  # weather and other outside reasons
    "Exception_007": "address_invalid",
    "Exception_010": "order_returned",
    "Exception_011": "order_returned",
}


class AfterShip:
    kept_headers: Sequence[str] = ()
    receipt: Mapping[str, str] = STATUS_SAYS_IT
    setup = "Add a webhook for tracking updates; the secret is AfterShip's own. Its orders are found by their tracking numbers."

    def verify(self, delivery: Delivery, secrets: Sequence[str]) -> bool:
        return hmac_matches(delivery.body, delivery.header("aftership-hmac-sha256"), secrets)

    def topic(self, delivery: Delivery) -> str:
        return ""

    def survives_uninstall(self, topic: str) -> bool:
        return False

    def read(self, delivery: Delivery) -> Reading:
        body = body_of(delivery)
        if body.get("event") != "tracking_update":
            return Reading(ignored="It is not a tracking update.")
        tracking = part(body.get("msg"), "msg")
        tag, subtag = str(tracking.get("tag") or "Pending"), str(tracking.get("subtag") or "")
        kind = SUBTYPES.get(subtag) or TYPES.get(tag) or other_type("shipment", tag)
        number = visible(tracking.get("tracking_number"), "msg.tracking_number")
        times = [*_checkpoints(tracking, tag), tracking.get("updated_at"), tracking.get("created_at")]
        at = first_instant(times, delivery.timezone, "msg.updated_at")
        name = identity(visible(body.get("event_id") or f"{tracking.get('id')}.{tag}.{body.get('ts')}", "event_id"))
        reason = str(tracking.get("subtag_message") or subtag or tag)[:200]
        return Reading(
            [event(delivery, kind, name, at=at, payload=body, tracking_number=number, detail={"reason": reason})]
        )


def _checkpoints(tracking: Mapping[str, Any], tag: str) -> list[str]:
    """The times of the checkpoints of the present tag: a delivery's first one first, anything else's last one."""
    found = [step for step in objects(tracking.get("checkpoints")) if step.get("tag") == tag]
    times = [step["checkpoint_time"] for step in found if isinstance(step.get("checkpoint_time"), str)]
    return sorted(times, reverse=tag != "Delivered")
