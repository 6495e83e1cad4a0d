"""What the state of a Shopify order implies: the events that its webhooks would have told. Pure.

Each comes from the same reader as the webhook, with the resource's own times, so that both tell the same facts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from orders.events import Incoming
from orders.providers.delivery import Delivery, Unusable
from orders.providers.reading import objects
from orders.providers.shopify import Shopify
from orders.providers.shopify_body import number_of, shipped

PAID = ("paid", "partially_refunded", "refunded")
SHOPIFY = Shopify()
Json = Mapping[str, Any]
Webhook = tuple[str, Json] | tuple[str, Json, str]  # topic, body, and the hold that it is about


@dataclass(frozen=True, slots=True)
class ShopOrder:
    """An order as the Admin API gives it, with what hangs on it."""

    order: dict[str, Any]
    transactions: Sequence[Json] = ()
    fulfillment_orders: Sequence[Json] = ()
    steps: Sequence[Json] = field(default=())  # fulfillment events of all its fulfillments


def implied_events(told: Delivery, state: ShopOrder) -> list[Incoming]:
    """`told` carries source, merchant, zone and now; what cannot be read is left out, as its webhook would be."""
    events: list[Incoming] = []
    for topic, body, *hold in _webhooks(state):
        headers = {"x-shopify-topic": topic, "x-shopify-event-id": "-".join(["reconciled", *hold])}
        try:
            events += SHOPIFY.read(replace(told, headers=headers, body=msgspec.json.encode(body))).events
        except Unusable:
            continue
    return events


def _webhooks(state: ShopOrder) -> Iterator[Webhook]:
    order = state.order
    yield "orders/create", order
    if order.get("financial_status") in PAID:
        yield "orders/paid", {**order, "updated_at": paid_at(order, state.transactions)}
    for transaction in state.transactions:
        yield "order_transactions/create", transaction
    yield from _goods(order, state)
    for refund in objects(order.get("refunds")):
        yield "refunds/create", {"order_id": order.get("id"), **refund}
    if order.get("financial_status") == "refunded":
        yield "orders/updated", order
    if order.get("cancelled_at"):
        yield "orders/cancelled", order


def _goods(order: Json, state: ShopOrder) -> Iterator[Webhook]:
    for found in state.fulfillment_orders:
        whose = {"order_id": order.get("id"), **found}
        yield "fulfillment_orders/order_routing_complete", {"fulfillment_order": whose}
        yield from _holds(whose)
    if order.get("fulfillment_status") == "fulfilled":
        yield "orders/fulfilled", order
    else:
        for fulfillment in shipped(order.get("fulfillments")):
            yield "fulfillments/create", fulfillment
    for step in state.steps:
        yield "fulfillment_events/create", {"order_id": order.get("id"), **step}


def _holds(found: Json) -> Iterator[Webhook]:
    """Holds that were released, where the shop lists them; those that are open; else that none is open any more."""
    placed, freed = "fulfillment_orders/placed_on_hold", "fulfillment_orders/hold_released"
    past, present = objects(found.get("released_fulfillment_holds")), objects(found.get("fulfillment_holds"))
    for hold in past:
        key = number_of(str(hold.get("id")))
        yield placed, {"fulfillment_order": found, "created_fulfillment_hold": hold}, key
        yield freed, {"fulfillment_order": found, "released_fulfillment_hold": hold}, key
    for hold in present if found.get("status") == "on_hold" else ():
        key = number_of(str(hold.get("id")))
        yield placed, {"fulfillment_order": found, "created_fulfillment_hold": hold}, key
    if found.get("status") != "on_hold" and not past:
        yield freed, {"fulfillment_order": {**found, "fulfillment_holds": []}}


def paid_at(order: Json, transactions: Iterable[Json]) -> Any:
    """When the money was complete: the successful payment that reached the total, else when the order was processed."""
    total, reached = _amount(order.get("total_price")), Decimal(0)
    good = [t for t in transactions if t.get("status") == "success" and t.get("kind") in ("sale", "capture")]
    times = []
    for transaction in sorted(good, key=lambda item: str(item.get("processed_at") or item.get("created_at"))):
        reached += _amount(transaction.get("amount"))
        times.append(transaction.get("processed_at") or transaction.get("created_at"))
        if reached >= total:
            break
    return times[-1] if times else order.get("processed_at") or order.get("updated_at")


def _amount(value: object) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return amount if amount.is_finite() else Decimal(0)


def order_id_of(order: Json) -> str:
    return number_of(str(order.get("id") or ""))
