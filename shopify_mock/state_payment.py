"""What an order's money goes through: payments, cancelling, refunds. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from shopify_mock.goods import money
from shopify_mock.shop import CURRENCY, gid, local_iso
from shopify_mock.view import Json, View


def add_transaction(found: View, at: int, kind: str, status: str, gateway: Sequence[str], cents: int) -> Json:
    identity = found.id_of(100 + len(found.transactions))
    made: Json = {
        "id": identity,
        "admin_graphql_api_id": gid("OrderTransaction", identity),
        "order_id": found.goods["id"],
        "kind": kind,
        "status": status,
        "gateway": gateway[0],
        "message": None if status == "success" else f"Transaction {status}",
        "error_code": "card_declined" if status == "failure" else None,
        "amount": money(cents),
        "currency": CURRENCY,
        "payment_details": {"credit_card_company": gateway[1]},
        "source_name": found.goods["source"],
        "test": False,
        "parent_id": None,
        "created_at": local_iso(at),
        "processed_at": local_iso(at),
    }
    found.transactions.append(made)
    found.last = made
    return made


def total(found: View) -> int:
    return int(found.goods["subtotal"]) + int(found.goods["shipping"])


def pending(found: View, at: int, data: Mapping[str, Any]) -> None:
    found.order["payment_gateway_names"] = [found.goods["slow"][0]]
    add_transaction(found, at, "sale", "pending", found.goods["slow"], total(found))


def failed(found: View, at: int, data: Mapping[str, Any]) -> None:
    add_transaction(found, at, "sale", "failure", found.goods["card"], total(found))


def paid(found: View, at: int, data: Mapping[str, Any]) -> None:
    add_transaction(found, at, "sale", "success", found.goods["slow" if data.get("slow") else "card"], total(found))
    found.order["financial_status"] = "paid"
    found.order["total_outstanding"] = "0.00"


def cancelled(found: View, at: int, data: Mapping[str, Any]) -> None:
    found.order.update(cancelled_at=local_iso(at), cancel_reason=data["reason"], closed_at=local_iso(at))
    if found.order["financial_status"] == "pending":
        found.order["financial_status"] = "voided"
    for routed in found.fulfillment_orders:
        routed.update(status="cancelled", updated_at=local_iso(at))


def refunded(found: View, at: int, data: Mapping[str, Any]) -> None:
    """All of it, or `cents`; `note` as whoever refunds writes it."""
    rest = received(found) - paid_back(found)
    cents = min(int(data.get("cents", rest)), rest)
    sent = add_transaction(found, at, "refund", "success", found.goods["card"], cents)
    whole = cents == rest
    identity = found.id_of(450 + len(found.order["refunds"]))
    made = {
        "id": identity,
        "admin_graphql_api_id": gid("Refund", identity),
        "order_id": found.goods["id"],
        "created_at": local_iso(at),
        "processed_at": local_iso(at),
        "note": data.get("note"),
        "restock": whole,
        "refund_line_items": [
            {
                "id": line["id"] + 1024,
                "line_item_id": line["id"],
                "quantity": line["quantity"],
                "restock_type": "cancel",
            }
            for line in (found.goods["lines"] if whole else ())
        ],
        "transactions": [sent],
        "order_adjustments": [],
    }
    found.order["refunds"].append(made)
    found.order["financial_status"] = "refunded" if whole else "partially_refunded"
    found.last = made


def received(found: View) -> int:
    """Cents that the customer paid."""
    return _sum(found, "sale")


def paid_back(found: View) -> int:
    return _sum(found, "refund")


def _sum(found: View, kind: str) -> int:
    good = [one for one in found.transactions if one["kind"] == kind and one["status"] == "success"]
    return sum(int(one["amount"].replace(".", "")) for one in good)
