"""Calls that change orders, as an app makes them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from shopify_mock.config import access_token_of
from shopify_mock.desk import Desk
from tests.shopify_mock.receiver import SECRET, desk_of, serving

URL = "/admin/api/2026-10/graphql.json"
TOKEN = {"X-Shopify-Access-Token": access_token_of(SECRET)}
ORDER = """
query ($id: ID!) { order(id: $id) {
  id tags note cancelledAt cancelReason displayFinancialStatus displayFulfillmentStatus
  totalReceivedSet { shopMoney { amount } } totalRefundedSet { shopMoney { amount } }
  shippingAddress { address1 city zip countryCodeV2 } refunds { id note }
  fulfillments { id trackingInfo { number } }
  fulfillmentOrders(first: 5) { nodes { id status fulfillmentHolds { id reason handle heldByRequestingApp } } } } }"""
HOLD = """
mutation ($id: ID!, $hold: FulfillmentOrderHoldInput!) { fulfillmentOrderHold(id: $id, fulfillmentHold: $hold) {
  fulfillmentHold { id handle } userErrors { field message code } } }"""
RELEASE = """
mutation ($id: ID!, $holds: [ID!]) { fulfillmentOrderReleaseHold(id: $id, holdIds: $holds) {
  fulfillmentOrder { status } userErrors { field message code } } }"""
UPDATE = "mutation ($input: OrderInput!) { orderUpdate(input: $input) { order { note } userErrors { field message } } }"
CANCEL = """
mutation ($id: ID!, $back: Boolean!) { orderCancel(orderId: $id, reason: INVENTORY, restock: true,
  refundMethod: { originalPaymentMethodsRefund: $back }, notifyCustomer: true) {
  job { id done } orderCancelUserErrors { field message code } } }"""
REFUND = """
mutation ($input: RefundInput!, $key: String!) { refundCreate(input: $input) @idempotent(key: $key) {
  refund { id totalRefundedSet { shopMoney { amount } } } userErrors { field message } } }"""


class App:
    """An app with the shop's token."""

    def __init__(self, desk: Desk, client: httpx.Client) -> None:
        self.desk, self.client = desk, client

    def post(self, query: str, **variables: Any) -> httpx.Response:
        return self.client.post(URL, json={"query": query, "variables": variables}, headers=TOKEN)

    def call(self, query: str, **variables: Any) -> Any:
        """The data of the only field."""
        body = self.post(query, **variables).json()
        assert "errors" not in body, body["errors"]
        (found,) = body["data"].values()
        return found

    def order(self, number: int) -> Any:
        return self.call(ORDER, id=f"gid://shopify/Order/{number}")

    def find(self, true: Callable[[Any], bool]) -> Any:
        """The first order, as GraphQL gives it, of which this is true."""
        listed = self.desk.orders({"limit": "250"})["orders"]
        return next(order for one in listed if true(order := self.order(one["id"])))

    def life(self, order: Any) -> list[str]:
        """The kinds of all that happened and will."""
        rows = self.desk.store.rows("SELECT kind FROM happening WHERE order_id = ? ORDER BY sequence", (number(order),))
        return [row["kind"] for row in rows]

    def topics(self, order: Any) -> list[str]:
        """Of the webhooks that are still to be sent, in their order."""
        rows = self.desk.store.rows(
            "SELECT topic FROM delivery WHERE order_id = ? AND state = 'planned' ORDER BY due_at, id", (number(order),)
        )
        return [row["topic"] for row in rows]


def number(order: Any) -> int:
    return int(order["id"].rsplit("/", 1)[-1])


def routed(order: Any) -> Any:
    return order["fulfillmentOrders"]["nodes"][0]


def held_for(reason: str) -> Callable[[Any], bool]:
    def true(order: Any) -> bool:
        nodes = order["fulfillmentOrders"]["nodes"]
        return bool(nodes) and [hold["reason"] for hold in nodes[0]["fulfillmentHolds"]] == [reason]

    return true


def is_open(order: Any) -> bool:
    nodes = order["fulfillmentOrders"]["nodes"]
    return bool(nodes) and nodes[0]["status"] == "OPEN" and not order["cancelledAt"]


@contextmanager
def an_app(home: Path, **settings: float) -> Iterator[App]:
    """A shop of 120 orders, many in trouble, whose past webhooks are all sent, and an app of it."""
    desk = desk_of(home)
    desk.change_settings({"problem_share": 0.4, **settings})
    desk.generate({"count": 120})
    with desk.store.writing() as connection:
        connection.execute("UPDATE delivery SET state = 'done' WHERE triggered_at <= unixepoch()")
    with serving(desk) as client:
        yield App(desk, client)
