"""The calls that change an order, as they are sent to Shopify's GraphQL Admin API. Pure.

Source: shopify.dev, "GraphQL Admin API" 2026-10. `userErrors` come with HTTP 200; `refundCreate` needs `@idempotent`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MUTATION_COST = 10
ORDER = """
query E2AOrder($id: ID!) {
  order(id: $id) {
    id name cancelledAt cancelReason closedAt email note tags displayFinancialStatus displayFulfillmentStatus
    currentTotalPriceSet { shopMoney { amount currencyCode } }
    totalReceivedSet { shopMoney { amount currencyCode } }
    totalRefundedSet { shopMoney { amount currencyCode } }
    shippingAddress { firstName lastName company address1 address2 city zip provinceCode countryCodeV2 phone }
    refunds(first: 50) { id note createdAt totalRefundedSet { shopMoney { amount currencyCode } } }
    fulfillments(first: 50) { id status trackingInfo(first: 5) { company number url } }
    fulfillmentOrders(first: 50) {
      nodes { id status fulfillmentHolds { id reason handle heldByRequestingApp } assignedLocation { location { id name } } }
    }
    suggestedRefund(suggestFullRefund: true) {
      amountSet { shopMoney { amount currencyCode } }
      suggestedTransactions { gateway parentTransaction { id } amountSet { shopMoney { amount currencyCode } } }
    }
  }
}"""
JOB = "query E2AJob($id: ID!) { job(id: $id) { id done } }"
UPDATE = """
mutation E2AUpdate($input: OrderInput!) {
  orderUpdate(input: $input) { order { id note } userErrors { field message } }
}"""
TAG = """
mutation E2ATag($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) { node { id } userErrors { field message } }
}"""
HOLD = """
mutation E2AHold($id: ID!, $hold: FulfillmentOrderHoldInput!) {
  fulfillmentOrderHold(id: $id, fulfillmentHold: $hold) {
    fulfillmentHold { id } fulfillmentOrder { id status } userErrors { field message code }
  }
}"""
RELEASE = """
mutation E2ARelease($id: ID!, $holdIds: [ID!]!) {
  fulfillmentOrderReleaseHold(id: $id, holdIds: $holdIds) {
    fulfillmentOrder { id status } userErrors { field message code }
  }
}"""
MOVE = """
mutation E2AMove($id: ID!, $location: ID!) {
  fulfillmentOrderMove(id: $id, newLocationId: $location) { movedFulfillmentOrder { id status } userErrors { field message } }
}"""
RESCHEDULE = """
mutation E2AReschedule($id: ID!, $at: DateTime!) {
  fulfillmentOrderReschedule(id: $id, fulfillAt: $at) { fulfillmentOrder { id status } userErrors { field message } }
}"""
TRACKING = """
mutation E2ATracking($id: ID!, $tracking: FulfillmentTrackingInput!) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $tracking, notifyCustomer: true) {
    fulfillment { id status } userErrors { field message }
  }
}"""
CANCEL = """
mutation E2ACancel($id: ID!, $reason: OrderCancelReason!, $notify: Boolean, $note: String) {
  orderCancel(orderId: $id, reason: $reason, restock: true, refundMethod: { originalPaymentMethodsRefund: true },
      notifyCustomer: $notify, staffNote: $note) {
    job { id done } orderCancelUserErrors { field message code } userErrors { field message }
  }
}"""
REFUND = """
mutation E2ARefund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id totalRefundedSet { shopMoney { amount currencyCode } } } userErrors { field message }
  }
}"""


@dataclass(frozen=True, slots=True)
class ShopRequest:
    """`field` is the mutation or query asked; `cost` in points, as Shopify counts them. `harmless`: may be sent twice."""

    query: str
    variables: Mapping[str, Any]
    field: str
    cost: int = MUTATION_COST
    harmless: bool = False


def gid(kind: str, identity: str) -> str:
    return identity if identity.startswith("gid://") else f"gid://shopify/{kind}/{identity}"


def read_order(order: str) -> ShopRequest:
    return ShopRequest(ORDER, {"id": gid("Order", order)}, "order", cost=12, harmless=True)


def read_job(job: str) -> ShopRequest:
    return ShopRequest(JOB, {"id": job}, "job", cost=1, harmless=True)


def update_order(order: str, **fields: Any) -> ShopRequest:
    """`shippingAddress`, `note`: each overwrites what is there, so it may be sent twice."""
    return ShopRequest(UPDATE, {"input": {"id": gid("Order", order), **fields}}, "orderUpdate", harmless=True)


def add_tags(order: str, tags: Sequence[str]) -> ShopRequest:
    return ShopRequest(TAG, {"id": gid("Order", order), "tags": list(tags)}, "tagsAdd", harmless=True)


def hold(fulfillment_order: str, *, reason: str, note: str, handle: str) -> ShopRequest:
    """`handle` is ours: unique among our holds of the order, so a second one of the same name is refused."""
    placed = {"reason": reason, "reasonNotes": note, "handle": handle, "notifyMerchant": False}
    return ShopRequest(HOLD, {"id": fulfillment_order, "hold": placed}, "fulfillmentOrderHold")


def release(fulfillment_order: str, hold_ids: Sequence[str]) -> ShopRequest:
    """Always by ids: without them the holds of other apps would go too."""
    variables = {"id": fulfillment_order, "holdIds": list(hold_ids)}
    return ShopRequest(RELEASE, variables, "fulfillmentOrderReleaseHold")


def move(fulfillment_order: str, location: str) -> ShopRequest:
    variables = {"id": fulfillment_order, "location": gid("Location", location)}
    return ShopRequest(MOVE, variables, "fulfillmentOrderMove")


def reschedule(fulfillment_order: str, at: str) -> ShopRequest:
    return ShopRequest(RESCHEDULE, {"id": fulfillment_order, "at": at}, "fulfillmentOrderReschedule", harmless=True)


def notify_tracking(fulfillment: str, tracking: Mapping[str, Any]) -> ShopRequest:
    """The numbers that are there, written once more: the shop then tells the customer."""
    return ShopRequest(TRACKING, {"id": fulfillment, "tracking": dict(tracking)}, "fulfillmentTrackingInfoUpdate")


def cancel(order: str, *, reason: str, note: str, notify: bool) -> ShopRequest:
    variables = {"id": gid("Order", order), "reason": reason, "note": note, "notify": notify}
    return ShopRequest(CANCEL, variables, "orderCancel")


def refund(order: str, transactions: Sequence[Mapping[str, Any]], *, note: str, notify: bool, key: str) -> ShopRequest:
    """The key makes it one refund however often it is sent, so it may be."""
    given = {"orderId": gid("Order", order), "note": note, "notify": notify, "transactions": list(transactions)}
    return ShopRequest(REFUND, {"input": given, "key": key}, "refundCreate", harmless=True)
