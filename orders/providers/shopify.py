"""Shopify: webhooks of orders, fulfillments, fulfillment orders, refunds, transactions, and the compliance topics.

An event id is `~topic:resource:event`, so that a retry, a second subscription and a repetition of the same happening
are one event. Times are the resource's own, not the delivery's: whatever the order of webhooks, the facts are the same.
Source: shopify.dev, "Webhooks" and "Privacy law compliance".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from orders.events import Incoming
from orders.providers.delivery import STATUS_SAYS_IT, Delivery, Demand, Reading, Unusable
from orders.providers.reading import (
    body_of,
    dig,
    event,
    first_instant,
    identity,
    instant,
    objects,
    other_type,
    part,
    visible,
)
from orders.providers.shopify_body import fitted, number_of, parcels_of, shipped, waiting_number
from orders.providers.shopify_carries import carrier_of, carries_of, detail_with, place_of, promises_of
from orders.providers.signatures import hmac_matches

FAMILIES = ("orders/", "fulfillment", "order_transactions/", "refunds/")
COMPLIANCE = ("customers/data_request", "customers/redact", "shop/redact")
SHIPMENT_TYPES = {
    "label_printed": "order_packed",
    "label_purchased": "order_packed",
    "carrier_picked_up": "shipment_in_transit",
    "in_transit": "shipment_in_transit",
    "out_for_delivery": "shipment_in_transit",
    "delivered": "order_delivered",
    "delayed": "shipment_delayed",
    "failure": "delivery_failed",
    "attempted_delivery": "delivery_attempted",
}
HOLD_PROBLEMS = {"INCORRECT_ADDRESS": "address_invalid", "INVENTORY_OUT_OF_STOCK": "inventory_shortage"}


@dataclass(frozen=True, slots=True)
class Told:
    """A webhook that is about to be read."""

    delivery: Delivery
    topic: str
    body: dict[str, Any]

    def time(self, *paths: str) -> datetime:
        """The first of these times in the body. Raises: Unusable."""
        return first_instant((dig(self.body, path) for path in paths), self.delivery.timezone, paths[0])

    def make(
        self, event_type: str, resource: str, *suffix: str, order: str, at: datetime | None, **more: Any
    ) -> Incoming:
        more.setdefault("payload", self.body)
        name = identity(self.topic, resource, happening(self.delivery), *suffix)
        return event(self.delivery, event_type, name, order_id=order, at=at, **more)


class Shopify:
    kept_headers: Sequence[str] = tuple(
        mark + name
        for mark in ("x-shopify-", "shopify-")
        for name in ("topic", "event-id", "webhook-id", "triggered-at", "shop-domain", "api-version")
    )
    receipt: Mapping[str, str] = STATUS_SAYS_IT

    @property
    def setup(self) -> str:
        told = [topic for topic, reader in TOPICS.items() if reader not in (stock_changed, personal_data)]
        return f"Subscribe to {', '.join(told)}; {', '.join(COMPLIANCE)} are set in the app itself. Its client secret signs them."

    def verify(self, delivery: Delivery, secrets: Sequence[str]) -> bool:
        return hmac_matches(delivery.body, _header(delivery, "hmac-sha256"), secrets)

    def topic(self, delivery: Delivery) -> str:
        return _header(delivery, "topic").strip().lower()

    def survives_uninstall(self, topic: str) -> bool:
        """Shopify asks for the erasing two days after the app is gone."""
        return topic in COMPLIANCE

    def read(self, delivery: Delivery) -> Reading:
        topic = self.topic(delivery)
        reader = TOPICS.get(topic)
        if reader is None and not topic.startswith(FAMILIES):
            return Reading(ignored="This topic says nothing about an order.")
        if reader is None:
            raise Unusable("unmapped", {"topic": [f"Shopify's topic “{topic[:64]}” is not known here."]})
        body = body_of(delivery, fitted(delivery.body))
        if body.get("test") is True:
            return Reading(ignored="A test delivery.")
        return reader(Told(delivery, topic, body))


def _header(delivery: Delivery, name: str) -> str:
    return delivery.header(f"x-shopify-{name}", f"shopify-{name}")


def happening(delivery: Delivery) -> str:
    """What tells a retry from a new happening: the event id, else the webhook id, else the content."""
    given = _header(delivery, "event-id") or _header(delivery, "webhook-id")
    return given or blake2b(delivery.body, digest_size=16).hexdigest()


def mismatch(told: Told, expects: str) -> Unusable:
    return Unusable("topic_mismatch", {"topic": [f"The topic is {told.topic}, but the body {expects}."]})


def order_of(told: Told, *, status: str = "", value: str = "") -> str:
    """The order's id, once the body is known to be an order in the state that the topic tells. Raises: Unusable."""
    if "financial_status" not in told.body and "line_items" not in told.body:
        raise mismatch(told, "is no order")
    if status and told.body.get(status) != value:
        raise mismatch(told, f"has no {status} “{value}”")
    return visible(told.body.get("id"), "id")


def detail_of_order(body: Mapping[str, Any]) -> dict[str, Any] | None:
    return detail_with(promises_of(body), carries_of(body))


def order_created(told: Told) -> Reading:
    order = order_of(told)
    return Reading(
        [told.make("order_created", order, order=order, at=told.time("created_at"), detail=detail_of_order(told.body))]
    )


def order_updated(told: Told) -> Reading:
    """A full refund shows in the order's financial status, not in the refund's own webhook."""
    order = order_of(told)
    events = [
        told.make("order_updated", order, order=order, at=told.time("updated_at"), detail=detail_of_order(told.body))
    ]
    refunds = [refund["created_at"] for refund in objects(told.body.get("refunds")) if refund.get("created_at")]
    if told.body.get("financial_status") == "refunded" and refunds:
        at = max(instant(refund, told.delivery.timezone, "refunds.created_at") for refund in refunds)
        payload = {"id": told.body["id"], "financial_status": "refunded"}
        events.append(
            told.make("order_refunded", order, "refund", order=order, at=at, detail={"full": True}, payload=payload)
        )
    return Reading(events)


def order_edited(told: Told) -> Reading:
    edit = part(told.body.get("order_edit"), "order_edit")
    order = visible(edit.get("order_id"), "order_edit.order_id")
    at = told.time("order_edit.committed_at", "order_edit.created_at")
    return Reading([told.make("order_updated", visible(edit.get("id"), "order_edit.id"), order=order, at=at)])


def order_paid(told: Told) -> Reading:
    order = order_of(told)
    if told.body.get("financial_status") not in ("paid", "partially_refunded", "refunded"):
        raise mismatch(told, "has a financial_status that is not “paid”")
    return Reading([told.make("payment_confirmed", order, order=order, at=told.time("updated_at", "processed_at"))])


def order_cancelled(told: Told) -> Reading:
    order = order_of(told)
    if not told.body.get("cancelled_at"):
        raise mismatch(told, "has no cancelled_at")
    return Reading([told.make("order_cancelled", order, order=order, at=told.time("cancelled_at"))])


def order_fulfilled(told: Told) -> Reading:
    """One event for each fulfillment, so that the order is fulfilled with its last parcel."""
    order = order_of(told, status="fulfillment_status", value="fulfilled")
    sent = shipped(told.body.get("fulfillments"))
    if not sent:
        at = told.time("closed_at", "updated_at")
        return Reading([told.make("order_fulfilled", order, order=order, at=at)])
    return Reading(list(_shipments(told, "order_fulfilled", order, sent)))


def order_partially_fulfilled(told: Told) -> Reading:
    order = order_of(told)
    sent = shipped(told.body.get("fulfillments"))
    if not sent:
        raise mismatch(told, "has no fulfillment")
    return Reading(list(_shipments(told, "fulfillment_created", order, sent)))


def _shipments(told: Told, event_type: str, order: str, sent: Sequence[Mapping[str, Any]]) -> Iterable[Incoming]:
    for index, fulfillment in enumerate(sent):
        shipment = visible(fulfillment.get("id"), "fulfillments.id")
        yield told.make(
            event_type,
            order,
            shipment,
            order=order,
            at=instant(fulfillment.get("created_at"), told.delivery.timezone, "fulfillments.created_at"),
            detail=detail_with({"shipment": shipment}, carrier_of(fulfillment)),
            payload=told.body if index == 0 else fulfillment,
            parcels=parcels_of(fulfillment),
        )


def fulfillment_changed(told: Told) -> Reading:
    if "order_id" not in told.body or "happened_at" in told.body:
        raise mismatch(told, "is no fulfillment")
    shipment, order = visible(told.body.get("id"), "id"), visible(told.body["order_id"], "order_id")
    gone = told.body.get("status") == "cancelled"
    at = told.time("created_at") if told.topic.endswith("create") else told.time("updated_at", "created_at")
    kind = "fulfillment_cancelled" if gone else "fulfillment_created"
    parcels = [] if gone else parcels_of(told.body)
    detail = detail_with({"shipment": shipment}, {} if gone else carrier_of(told.body))
    return Reading([told.make(kind, shipment, order=order, at=at, detail=detail, parcels=parcels)])


def shipment_moved(told: Told) -> Reading:
    if "fulfillment_id" not in told.body:
        raise mismatch(told, "is no fulfillment event")
    status = visible(told.body.get("status"), "status", length=64)
    shipment = visible(told.body["fulfillment_id"], "fulfillment_id")
    kind = SHIPMENT_TYPES.get(status) or other_type("shipment", status)
    order, resource = visible(told.body.get("order_id"), "order_id"), visible(told.body.get("id"), "id")
    at = told.time("happened_at", "created_at")
    return Reading([told.make(kind, resource, order=order, at=at, detail={"shipment": shipment, "reason": status})])


def routing_complete(told: Told) -> Reading:
    """The shop has decided where the goods come from; a promised delivery comes with it."""
    found = _fulfillment_order(told)
    at = _time_of(told, "fulfillment_order.created_at", "created_at")
    place = detail_with({}, place_of(part(told.body.get("fulfillment_order"), "fulfillment_order")))
    events = [told.make("inventory_allocated", found.resource, at=at, detail=place, **found.aim)]
    if promise := promises_of(told.body):
        events.append(told.make("order_updated", found.resource, "promise", at=at, detail=promise, **found.aim))
    return Reading(events)


def placed_on_hold(told: Told) -> Reading:
    """Holds are known by their fulfillment order: the webhook of the release names no other."""
    found = _fulfillment_order(told)
    reasons = _reasons(told.body)
    at = _time_of(told, "created_fulfillment_hold.created_at", "fulfillment_order.updated_at", "updated_at")
    detail = {"hold_id": found.resource, "reason": ", ".join(reasons) or "OTHER"}
    events = [told.make("order_held", found.resource, at=at, detail=detail, **found.aim)]
    for reason in reasons:
        if kind := HOLD_PROBLEMS.get(reason):
            events.append(told.make(kind, found.resource, kind, at=at, detail={"reason": reason}, **found.aim))
    return Reading(events)


def hold_released(told: Told) -> Reading:
    """The webhook seldom says which hold it was; without a word the address counts as corrected."""
    found = _fulfillment_order(told)
    reasons = _reasons(told.body)
    at = _time_of(told, "released_fulfillment_hold.released_at", "fulfillment_order.updated_at", "updated_at")
    events = [told.make("order_released", found.resource, at=at, detail={"hold_id": found.resource}, **found.aim)]
    if not reasons or "INCORRECT_ADDRESS" in reasons:
        events.append(told.make("address_corrected", found.resource, "address", at=at, **found.aim))
    return Reading(events)


@dataclass(frozen=True, slots=True)
class FulfillmentOrder:
    """`aim` says whose it is: the order's id, or, where the webhook names none, its own global id to wait by."""

    resource: str
    aim: dict[str, str]


def _fulfillment_order(told: Told) -> FulfillmentOrder:
    found = part(told.body.get("fulfillment_order"), "fulfillment_order")
    resource = number_of(visible(found.get("id"), "fulfillment_order.id"))
    order = found.get("order_id") or told.body.get("order_id") or dig(found, "order.id")
    if order:
        return FulfillmentOrder(resource, {"order": number_of(visible(order, "order_id"))})
    return FulfillmentOrder(resource, {"order": "", "tracking_number": waiting_number(resource)})


def _time_of(told: Told, *paths: str) -> datetime | None:
    """Fulfillment orders carry no time of what happened to them; Shopify's own note of it is in a header."""
    given = next((value for path in paths if (value := dig(told.body, path))), "") or _header(
        told.delivery, "triggered-at"
    )
    return instant(given, told.delivery.timezone, paths[0]) if given else None


def _reasons(body: Mapping[str, Any]) -> list[str]:
    holds = [dig(body, "created_fulfillment_hold"), dig(body, "released_fulfillment_hold")]
    holds = [hold for hold in holds if isinstance(hold, dict)] or objects(
        dig(body, "fulfillment_order.fulfillment_holds")
    )
    return sorted({str(hold["reason"]).upper()[:64] for hold in holds if hold.get("reason")})


def transaction_made(told: Told) -> Reading:
    if "kind" not in told.body or "order_id" not in told.body:
        raise mismatch(told, "is no transaction")
    failed = told.body.get("status") in ("failure", "error") and told.body["kind"] in (
        "authorization",
        "sale",
        "capture",
    )
    kind = "payment_failed" if failed else "payment_transaction"
    resource, order = visible(told.body.get("id"), "id"), visible(told.body["order_id"], "order_id")
    return Reading([told.make(kind, resource, order=order, at=told.time("processed_at", "created_at"))])


def refund_made(told: Told) -> Reading:
    """The body seldom tells whether all was refunded: the order's own webhook does (see order_updated)."""
    if "order_id" not in told.body or "kind" in told.body:
        raise mismatch(told, "is no refund")
    resource, order = visible(told.body.get("id"), "id"), visible(told.body["order_id"], "order_id")
    full = "refunded" in (told.body.get("financial_status"), dig(told.body, "order.financial_status"))
    detail = {"full": True} if full else None
    return Reading([told.make("order_refunded", resource, order=order, at=told.time("created_at"), detail=detail)])


def uninstalled(told: Told) -> Reading:
    return Reading(demand=Demand("uninstalled"))


def personal_data(told: Told) -> Reading:
    """`orders_to_redact` and `orders_requested` list orders by their numbers; `shop/redact` means all of them."""
    names = {"customers/redact": "orders_to_redact", "customers/data_request": "orders_requested"}
    kinds = {
        "customers/redact": "redact_orders",
        "customers/data_request": "report_orders",
        "shop/redact": "redact_shop",
    }
    listed = told.body.get(names.get(told.topic, "")) or []
    orders = tuple(str(order) for order in listed) if isinstance(listed, list) else ()
    customer = told.body.get("customer") if isinstance(told.body.get("customer"), dict) else {}
    marks = tuple(str(value) for key in ("email", "phone") if (value := (customer or {}).get(key)))
    return Reading(demand=Demand(kinds[told.topic], orders, marks))


def stock_changed(told: Told) -> Reading:
    return Reading(ignored="A stock level says nothing about an order.")


TOPICS: dict[str, Callable[[Told], Reading]] = {
    "orders/create": order_created,
    "orders/updated": order_updated,
    "orders/edited": order_edited,
    "orders/paid": order_paid,
    "orders/cancelled": order_cancelled,
    "orders/fulfilled": order_fulfilled,
    "orders/partially_fulfilled": order_partially_fulfilled,
    "fulfillments/create": fulfillment_changed,
    "fulfillments/update": fulfillment_changed,
    "fulfillment_events/create": shipment_moved,
    "fulfillment_orders/order_routing_complete": routing_complete,
    "fulfillment_orders/placed_on_hold": placed_on_hold,
    "fulfillment_orders/hold_released": hold_released,
    "order_transactions/create": transaction_made,
    "refunds/create": refund_made,
    "inventory_levels/update": stock_changed,
    "app/uninstalled": uninstalled,
    **dict.fromkeys(COMPLIANCE, personal_data),
}
