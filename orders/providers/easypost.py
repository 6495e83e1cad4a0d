"""EasyPost: `tracker.created` and `tracker.updated`. It names a tracking number; its order is found by the parcel.

Source: docs.easypost.com, "Webhooks" and "Trackers"; the secret is NFKD-normalised before signing.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from orders.providers.delivery import STATUS_SAYS_IT, Delivery, Reading
from orders.providers.reading import body_of, event, identity, instant, objects, other_type, part, visible
from orders.providers.signatures import hmac_matches

TYPES = {
    "pre_transit": "order_packed",
    "in_transit": "shipment_in_transit",
    "out_for_delivery": "shipment_in_transit",
    "delivered": "order_delivered",
    "return_to_sender": "order_returned",
    "failure": "delivery_failed",
    "error": "delivery_failed",
}


class EasyPost:
    kept_headers: Sequence[str] = ()
    receipt: Mapping[str, str] = STATUS_SAYS_IT
    setup = "Add a webhook with this secret as its HMAC secret; “tracker.updated” is what counts. Its orders are found by their tracking numbers."

    def verify(self, delivery: Delivery, secrets: Sequence[str]) -> bool:
        normalised = [unicodedata.normalize("NFKD", secret) for secret in secrets]
        sent = delivery.header("x-hmac-signature")
        return hmac_matches(delivery.body, sent, normalised, encoding="hex", prefix="hmac-sha256-hex=")

    def topic(self, delivery: Delivery) -> str:
        return ""

    def survives_uninstall(self, topic: str) -> bool:
        return False

    def read(self, delivery: Delivery) -> Reading:
        body = body_of(delivery)
        description = str(body.get("description"))
        if not description.startswith("tracker."):
            return Reading(ignored="It is not about a tracker.")
        tracker = part(body.get("result"), "result")
        status = str(tracker.get("status") or "unknown")
        kind = TYPES.get(status) or other_type("shipment", status)
        number = visible(tracker.get("tracking_code"), "result.tracking_code")
        name = identity(visible(body.get("id"), "id"))
        at = happened_at(tracker, status, delivery.timezone)
        detail = {"reason": str(tracker["status_detail"])[:200]} if tracker.get("status_detail") else None
        return Reading([event(delivery, kind, name, at=at, payload=body, tracking_number=number, detail=detail)])


def happened_at(tracker: Mapping[str, Any], status: str, zone: str) -> datetime:
    """When the carrier saw the present status: a delivery the first time, anything else the last. Raises: Unusable."""
    steps = [step for step in objects(tracker.get("tracking_details")) if step.get("status") == status]
    seen = [
        instant(step["datetime"], zone, "result.tracking_details.datetime") for step in steps if step.get("datetime")
    ]
    if not seen:
        return instant(tracker.get("updated_at"), zone, "result.updated_at")
    return min(seen) if status == "delivered" else max(seen)
