"""What the shop says of an order once some of its happenings are past. Pure; the same happenings give the same bytes.

`View.order` is the order as webhooks and Admin API give it; what hangs on it lies beside.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shopify_mock.batch import Happening
from shopify_mock.goods import money
from shopify_mock.order_json import address_json, line_json, order_json
from shopify_mock.shop import CURRENCY, gid, local_iso
from shopify_mock.words import CARRIERS

Json = dict[str, Any]


@dataclass(slots=True)
class View:
    goods: Json
    created: int
    order: Json
    transactions: list[Json] = field(default_factory=list)
    fulfillment_orders: list[Json] = field(default_factory=list)
    events: dict[int, list[Json]] = field(default_factory=dict)  # by fulfillment id
    last: Json = field(default_factory=dict)  # what the last happening made: a transaction, an event, a hold, a refund

    def id_of(self, place: int) -> int:
        """Ids of what belongs to the order; places: 100 transactions, 200 fulfillments, 300 events, 400 others."""
        return int(self.goods["id"]) + place


def view(goods: Json, happenings: Sequence[Happening]) -> View:
    """The order after these happenings; the first of them is its creation."""
    found = View(goods, happenings[0].at, order_json(goods, happenings[0].at))
    for happening in happenings[1:]:
        found.order["updated_at"] = local_iso(happening.at)
        APPLY[happening.kind](found, happening.at, happening.data)
    return found


def _transaction(found: View, at: int, kind: str, status: str, gateway: Sequence[str], cents: int) -> Json:
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


def _total(found: View) -> int:
    return int(found.goods["subtotal"]) + int(found.goods["shipping"])


def _pending(found: View, at: int, data: Mapping[str, Any]) -> None:
    found.order["payment_gateway_names"] = [found.goods["slow"][0]]
    _transaction(found, at, "sale", "pending", found.goods["slow"], _total(found))


def _failed(found: View, at: int, data: Mapping[str, Any]) -> None:
    _transaction(found, at, "sale", "failure", found.goods["card"], _total(found))


def _paid(found: View, at: int, data: Mapping[str, Any]) -> None:
    _transaction(found, at, "sale", "success", found.goods["slow" if data.get("slow") else "card"], _total(found))
    found.order["financial_status"] = "paid"
    found.order["total_outstanding"] = "0.00"


def _routed(found: View, at: int, data: Mapping[str, Any]) -> None:
    goods, identity = found.goods, found.id_of(400)
    place, name = goods["warehouse"]
    found.fulfillment_orders.append(
        {
            "id": identity,
            "admin_graphql_api_id": gid("FulfillmentOrder", identity),
            "order_id": goods["id"],
            "assigned_location_id": place,
            "assigned_location": {"location_id": place, "name": name, "country_code": "PT" if "Maia" in name else "ES"},
            "request_status": "submitted",
            "status": "open",
            "fulfill_by": local_iso(found.created + 24 * 3600),
            "delivery_method": {
                "id": found.id_of(401),
                "method_type": "shipping",
                "min_delivery_date_time": local_iso(found.created + 20 * 3600),
                "max_delivery_date_time": local_iso(found.created + int(goods["promise"])),
            },
            "destination": {**address_json(goods, goods["address"]), "email": goods["person"]["email"]},
            "line_items": [
                {
                    "id": line["id"] + 2048,
                    "line_item_id": line["id"],
                    "variant_id": line["variant_id"],
                    "quantity": line["quantity"],
                    "fulfillable_quantity": line["quantity"],
                }
                for line in goods["lines"]
            ],
            "fulfillment_holds": [],
            "released_fulfillment_holds": [],
            "created_at": local_iso(at),
            "updated_at": local_iso(at),
        }
    )


def _held(found: View, at: int, data: Mapping[str, Any]) -> None:
    routed, identity = (
        found.fulfillment_orders[0],
        found.id_of(410 + len(found.fulfillment_orders[0]["released_fulfillment_holds"])),
    )
    hold = {
        "id": gid("FulfillmentHold", identity),
        "reason": data["reason"],
        "reason_notes": "",
        "created_at": local_iso(at),
    }
    routed.update(status="on_hold", updated_at=local_iso(at), fulfillment_holds=[hold])
    found.last = hold


def _released(found: View, at: int, data: Mapping[str, Any]) -> None:
    routed = found.fulfillment_orders[0]
    gone = [{**hold, "released_at": local_iso(at)} for hold in routed["fulfillment_holds"]]
    routed.update(
        status="open",
        updated_at=local_iso(at),
        fulfillment_holds=[],
        released_fulfillment_holds=routed["released_fulfillment_holds"] + gone,
    )
    found.last = gone[0] if gone else {}


def _address_changed(found: View, at: int, data: Mapping[str, Any]) -> None:
    found.order["shipping_address"] = address_json(found.goods, found.goods["mended"])
    for routed in found.fulfillment_orders:
        routed["destination"] = {**found.order["shipping_address"], "email": found.goods["person"]["email"]}


def _lines_of(goods: Json, parcel: int) -> list[Json]:
    """The last parcel takes what is left, each before it one line."""
    lines: list[Json] = goods["lines"]
    return lines[parcel:] if parcel + 1 == goods["parcels"] else lines[parcel : parcel + 1]


def _shipped(found: View, at: int, data: Mapping[str, Any]) -> None:
    goods, parcel = found.goods, int(data["parcel"])
    identity, number = found.id_of(200 + parcel), goods["tracking"][parcel]
    carrier, _, _, url = CARRIERS[goods["carrier"]]
    made = {
        "id": identity,
        "admin_graphql_api_id": gid("Fulfillment", identity),
        "order_id": goods["id"],
        "name": f"#{goods['number']}.{parcel + 1}",
        "status": "success",
        "service": "manual",
        "shipment_status": None,
        "location_id": goods["warehouse"][0],
        "tracking_company": carrier,
        "tracking_number": number,
        "tracking_numbers": [number],
        "tracking_url": url + number,
        "tracking_urls": [url + number],
        "receipt": {},
        "line_items": [line_json(line, "fulfilled") for line in _lines_of(goods, parcel)],
        "created_at": local_iso(at),
        "updated_at": local_iso(at),
    }
    found.order["fulfillments"].append(made)
    found.events[identity] = []
    found.last = made
    whole = len(found.order["fulfillments"]) == goods["parcels"]
    sent = {line["id"] for part in found.order["fulfillments"] for line in part["line_items"]}
    for line in found.order["line_items"]:
        if line["id"] in sent:
            line.update(fulfillment_status="fulfilled", fulfillable_quantity=0)
    found.order["fulfillment_status"] = "fulfilled" if whole else "partial"
    for routed in found.fulfillment_orders:
        routed.update(status="closed" if whole else "in_progress", updated_at=local_iso(at))
    if whole:
        found.order["closed_at"] = local_iso(at)


def _moved(found: View, at: int, data: Mapping[str, Any]) -> None:
    part = found.order["fulfillments"][int(data["parcel"])]
    events = found.events[part["id"]]
    identity = found.id_of(300 + 20 * int(data["parcel"]) + len(events))
    home = found.order["shipping_address"]
    made = {
        "id": identity,
        "admin_graphql_api_id": gid("FulfillmentEvent", identity),
        "order_id": found.goods["id"],
        "fulfillment_id": part["id"],
        "status": data["status"],
        "message": None,
        "happened_at": local_iso(at),
        "city": home["city"] if data["status"] not in ("label_printed", "in_transit") else None,
        "country": home["country"],
        "estimated_delivery_at": None,
        "created_at": local_iso(at),
        "updated_at": local_iso(at),
    }
    events.append(made)
    part.update(shipment_status=data["status"], updated_at=local_iso(at))
    found.last = made


def _cancelled(found: View, at: int, data: Mapping[str, Any]) -> None:
    found.order.update(cancelled_at=local_iso(at), cancel_reason=data["reason"], closed_at=local_iso(at))
    if found.order["financial_status"] == "pending":
        found.order["financial_status"] = "voided"
    for routed in found.fulfillment_orders:
        routed.update(status="cancelled", updated_at=local_iso(at))


def _refunded(found: View, at: int, data: Mapping[str, Any]) -> None:
    paid = _transaction(found, at, "refund", "success", found.goods["card"], _total(found))
    identity = found.id_of(450)
    made = {
        "id": identity,
        "admin_graphql_api_id": gid("Refund", identity),
        "order_id": found.goods["id"],
        "created_at": local_iso(at),
        "processed_at": local_iso(at),
        "note": None,
        "restock": True,
        "refund_line_items": [
            {
                "id": line["id"] + 1024,
                "line_item_id": line["id"],
                "quantity": line["quantity"],
                "restock_type": "cancel",
            }
            for line in found.goods["lines"]
        ],
        "transactions": [paid],
        "order_adjustments": [],
    }
    found.order["refunds"].append(made)
    found.order["financial_status"] = "refunded"
    found.last = made


APPLY: dict[str, Callable[[View, int, Mapping[str, Any]], None]] = {
    "payment_pending": _pending,
    "payment_failed": _failed,
    "paid": _paid,
    "routed": _routed,
    "held": _held,
    "released": _released,
    "address_changed": _address_changed,
    "shipped": _shipped,
    "moved": _moved,
    "cancelled": _cancelled,
    "refunded": _refunded,
}
