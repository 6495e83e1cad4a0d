"""An order and what hangs on it, in GraphQL's names. Pure."""

from typing import Any

from shopify_mock.goods import money
from shopify_mock.shop import CURRENCY, gid
from shopify_mock.state_payment import paid_back, received
from shopify_mock.view import View

Json = dict[str, Any]
FULFILLMENT_STATUS = {None: "UNFULFILLED", "partial": "PARTIALLY_FULFILLED", "fulfilled": "FULFILLED"}


def order_of(found: View) -> Json:
    order = found.order
    return {
        "__typename": "Order",
        "id": gid("Order", order["id"]),
        "name": order["name"],
        "createdAt": order["created_at"],
        "updatedAt": order["updated_at"],
        "cancelledAt": order["cancelled_at"],
        "cancelReason": (order["cancel_reason"] or "").upper() or None,
        "closedAt": order["closed_at"],
        "email": order["email"],
        "note": order["note"],
        "tags": [tag.strip() for tag in order["tags"].split(",") if tag.strip()],
        "displayFinancialStatus": order["financial_status"].upper(),
        "displayFulfillmentStatus": display_status(found),
        "currentTotalPriceSet": bag(order["current_total_price"]),
        "totalReceivedSet": bag(money(received(found))),
        "totalRefundedSet": bag(money(paid_back(found))),
        "shippingAddress": address_of(order["shipping_address"]),
        "transactions": [transaction_of(one) for one in found.transactions],
        "refunds": [refund_of(one) for one in order["refunds"]],
        "fulfillments": [fulfillment_of(one) for one in order["fulfillments"]],
        "fulfillmentOrders": {"nodes": [fulfillment_order_of(one) for one in found.fulfillment_orders]},
        "suggestedRefund": suggested_refund(found),
    }


def display_status(found: View) -> str:
    held = any(one["status"] == "on_hold" for one in found.fulfillment_orders)
    return "ON_HOLD" if held else FULFILLMENT_STATUS[found.order["fulfillment_status"]]


def bag(amount: str) -> Json:
    return {"shopMoney": {"amount": amount, "currencyCode": CURRENCY}}


def address_of(address: Json) -> Json:
    return {
        "firstName": address["first_name"],
        "lastName": address["last_name"],
        "company": address["company"],
        "address1": address["address1"],
        "address2": address["address2"],
        "city": address["city"],
        "zip": address["zip"],
        "provinceCode": address["province_code"],
        "countryCodeV2": address["country_code"],
        "phone": address["phone"],
    }


def transaction_of(made: Json) -> Json:
    return {
        "__typename": "OrderTransaction",
        "id": made["admin_graphql_api_id"],
        "kind": made["kind"].upper(),
        "status": made["status"].upper(),
        "gateway": made["gateway"],
        "amountSet": bag(made["amount"]),
        "parentTransaction": None,
    }


def refund_of(made: Json) -> Json:
    cents = sum(int(one["amount"].replace(".", "")) for one in made["transactions"])
    return {
        "__typename": "Refund",
        "id": made["admin_graphql_api_id"],
        "note": made["note"],
        "createdAt": made["created_at"],
        "totalRefundedSet": bag(money(cents)),
    }


def suggested_refund(found: View) -> Json:
    """What is left of the successful payment, back the way that it came."""
    rest = money(received(found) - paid_back(found))
    paid = next((one for one in found.transactions if one["kind"] == "sale" and one["status"] == "success"), None)
    way = {"kind": "SUGGESTED_REFUND", "amountSet": bag(rest)}
    ways = [{**way, "gateway": paid["gateway"], "parentTransaction": transaction_of(paid)}] if paid else []
    return {"amountSet": bag(rest), "suggestedTransactions": ways}


def fulfillment_of(made: Json) -> Json:
    return {
        "__typename": "Fulfillment",
        "id": made["admin_graphql_api_id"],
        "status": made["status"].upper(),
        "displayStatus": (made["shipment_status"] or "").upper() or None,
        "trackingInfo": [
            {"company": made["tracking_company"], "number": made["tracking_number"], "url": made["tracking_url"]}
        ],
    }


def fulfillment_order_of(made: Json) -> Json:
    place = made["assigned_location"]
    return {
        "__typename": "FulfillmentOrder",
        "id": made["admin_graphql_api_id"],
        "orderId": gid("Order", made["order_id"]),
        "status": made["status"].upper(),
        "fulfillBy": made["fulfill_by"],
        "fulfillAt": None,
        "fulfillmentHolds": [hold_of(hold) for hold in made["fulfillment_holds"]],
        "assignedLocation": {
            "name": place["name"],
            "location": {"__typename": "Location", "id": gid("Location", place["location_id"]), "name": place["name"]},
        },
    }


def hold_of(hold: Json) -> Json:
    """Holds with a handle were placed by the app that asks: the shop has given out one token only."""
    return {
        "__typename": "FulfillmentHold",
        "id": hold["id"],
        "reason": hold["reason"],
        "reasonNotes": hold["reason_notes"],
        "handle": hold.get("handle"),
        "heldByRequestingApp": "handle" in hold,
    }
