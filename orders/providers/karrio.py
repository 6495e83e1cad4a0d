"""Karrio: `tracker_updated`. Webhooks are not signed: the webhook's own secret comes in `X-Event-Id`, and is compared.

The incident reasons of the carrier (carrier, retailer, consignee, customs, weather: who pays) stay in the payload.
Source: karrio's server, events/task_definitions/base/webhook.py; docs.karrio.io, "Tracking".
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from orders.providers.delivery import STATUS_SAYS_IT, Delivery, Reading
from orders.providers.reading import body_of, event, first_instant, identity, objects, other_type, part, visible
from orders.providers.signatures import spend

TYPES = {
    "pending": "order_packed",
    "picked_up": "shipment_in_transit",
    "in_transit": "shipment_in_transit",
    "out_for_delivery": "shipment_in_transit",
    "delivery_delayed": "shipment_delayed",
    "delivery_failed": "delivery_failed",
    "return_to_sender": "order_returned",
    "delivered": "order_delivered",
}
EVENTS = ("tracker_created", "tracker_updated", "tracker.created", "tracker.updated")


class Karrio:
    kept_headers: Sequence[str] = ()  # X-Event-Id is the secret
    receipt: Mapping[str, str] = STATUS_SAYS_IT
    setup = "Add a webhook for “tracker_updated”. Karrio makes the secret itself: enter it here. Its orders are found by their tracking numbers."

    def verify(self, delivery: Delivery, secrets: Sequence[str]) -> bool:
        spend(delivery.body, len(secrets))  # it costs as much as a signature would
        sent = delivery.header("x-event-id").encode("utf-8", "surrogatepass")
        found = False
        for secret in secrets:
            found |= bool(sent) and hmac.compare_digest(secret.encode(), sent)
        return found

    def topic(self, delivery: Delivery) -> str:
        return ""

    def survives_uninstall(self, topic: str) -> bool:
        return False

    def read(self, delivery: Delivery) -> Reading:
        body = body_of(delivery)
        if body.get("event") not in EVENTS:
            return Reading(ignored="It is not about a tracker.")
        tracker = part(body.get("data"), "data")
        status = str(tracker.get("status") or "unknown")
        kind = TYPES.get(status) or other_type("shipment", status)
        number = visible(tracker.get("tracking_number"), "data.tracking_number")
        steps = sorted(_steps(tracker, delivery.timezone), key=lambda step: step[0])
        matching = [at for at, seen in steps if seen == status]
        seen = matching[0 if status == "delivered" else -1] if matching else steps[-1][0] if steps else None
        at = seen or first_instant([tracker.get("updated_at")], delivery.timezone, "data.updated_at")
        content = blake2b(delivery.body, digest_size=12).hexdigest()
        name = identity(number, status, content)  # there is no event id: a retry sends the same bytes
        reason = next(
            (str(step["reason"])[:200] for step in objects(tracker.get("events")) if step.get("reason")), status
        )
        return Reading(
            [event(delivery, kind, name, at=at, payload=body, tracking_number=number, detail={"reason": reason})]
        )


def _steps(tracker: Mapping[str, Any], zone: str) -> list[tuple[datetime, str]]:
    """When each step happened and its status. A step has a `timestamp`, or a `date` and a `time` without a zone."""
    steps = []
    for step in objects(tracker.get("events")):
        clock = str(step.get("time") or "00:00").split(" ")[0]  # "14:02 PM" is what some carriers' plugins write
        local = f"{step.get('date')}T{clock}" if step.get("date") else None
        if step.get("timestamp") or local:
            at = first_instant([step.get("timestamp"), local], zone, "data.events.timestamp")
            steps.append((at, str(step.get("status") or "")))
    return steps
