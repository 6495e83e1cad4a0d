"""What an order's goods go through: routing, holds, parcels. Pure."""

from collections.abc import Mapping
from typing import Any

from shopify_mock.order_json import address_json, line_json
from shopify_mock.shop import gid, local_iso
from shopify_mock.view import Json, View
from shopify_mock.words import CARRIERS


def routed(found: View, at: int, data: Mapping[str, Any]) -> None:
    goods, identity = found.goods, found.id_of(400)
    place, name = goods["warehouse"]
    found.fulfillment_orders.append(
        {
            "id": identity,
            "admin_graphql_api_id": gid("FulfillmentOrder", identity),
            "order_id": goods["id"],
            "assigned_location_id": place,
            "assigned_location": location(place, name),
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


def held(found: View, at: int, data: Mapping[str, Any]) -> None:
    """One hold more. `handle` and `notes` as the app that holds it wrote them; the shop's own holds have neither."""
    routed = found.fulfillment_orders[0]
    number = len(routed["released_fulfillment_holds"]) + len(routed["fulfillment_holds"])
    hold = {
        "id": gid("FulfillmentHold", found.id_of(410 + number)),
        "reason": data["reason"],
        "reason_notes": data.get("notes", ""),
        "created_at": local_iso(at),
        **({"handle": data["handle"]} if "handle" in data else {}),
    }
    holds = [*routed["fulfillment_holds"], hold]
    routed.update(status="on_hold", updated_at=local_iso(at), fulfillment_holds=holds)
    found.last = hold


def released(found: View, at: int, data: Mapping[str, Any]) -> None:
    """The holds of these ids, or all of them; the order goes on when none is left."""
    routed = found.fulfillment_orders[0]
    names = data.get("holds", [hold["id"] for hold in routed["fulfillment_holds"]])
    gone = [{**hold, "released_at": local_iso(at)} for hold in routed["fulfillment_holds"] if hold["id"] in names]
    left = [hold for hold in routed["fulfillment_holds"] if hold["id"] not in names]
    routed.update(
        status="on_hold" if left else "open",
        updated_at=local_iso(at),
        fulfillment_holds=left,
        released_fulfillment_holds=routed["released_fulfillment_holds"] + gone,
    )
    found.last = gone[0] if gone else {}


def relocated(found: View, at: int, data: Mapping[str, Any]) -> None:
    place, name = data["warehouse"]
    for routed in found.fulfillment_orders:
        routed.update(assigned_location_id=place, assigned_location=location(place, name), updated_at=local_iso(at))


def location(place: int, name: str) -> Json:
    return {"location_id": place, "name": name, "country_code": "PT" if "Maia" in name else "ES"}


def address_changed(found: View, at: int, data: Mapping[str, Any]) -> None:
    """To the address that was written, or to the one that the shop's own people found out."""
    goods = found.goods
    address = address_json(goods, data.get("address", goods["mended"]))
    found.order["shipping_address"] = address
    for routed in found.fulfillment_orders:
        routed["destination"] = {**address, "email": goods["person"]["email"]}


def noted(found: View, at: int, data: Mapping[str, Any]) -> None:
    found.order["note"] = data["note"]


def tagged(found: View, at: int, data: Mapping[str, Any]) -> None:
    """Tags are one comma text, each once, sorted as the shop sorts them."""
    tags = {tag.strip() for tag in found.order["tags"].split(",") if tag.strip()} | set(data["tags"])
    found.order["tags"] = ", ".join(sorted(tags, key=str.lower))


def tracking_updated(found: View, at: int, data: Mapping[str, Any]) -> None:
    part = found.order["fulfillments"][int(data["parcel"])]
    number, url = data.get("number") or part["tracking_number"], data.get("url") or part["tracking_url"]
    part.update(
        tracking_company=data.get("company") or part["tracking_company"],
        tracking_number=number,
        tracking_numbers=[number],
        tracking_url=url,
        tracking_urls=[url],
        updated_at=local_iso(at),
    )
    found.last = part


def _lines_of(goods: Json, parcel: int) -> list[Json]:
    """The last parcel takes what is left, each before it one line."""
    lines: list[Json] = goods["lines"]
    return lines[parcel:] if parcel + 1 == goods["parcels"] else lines[parcel : parcel + 1]


def shipped(found: View, at: int, data: Mapping[str, Any]) -> None:
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


def moved(found: View, at: int, data: Mapping[str, Any]) -> None:
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
