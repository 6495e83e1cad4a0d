"""Warehouses at the door: what they are answered, and that an order of two parcels ends with the second, in any order."""

import base64
import hashlib
import hmac
import json
import time
from itertools import permutations
from typing import Any

import pytest

from e2a.postgresql.raw import raw_connection
from tenants.models import Tenant
from tests.orders.providers.cast import payload
from tests.orders.providers.shopify_cast import order
from tests.orders.webhook_cast import SECRET, letters, post, shopify, signature, source

HERO_TAKEN = {"code": "200", "Message": "Success"}
SHIPBOB_KEY = "whsec_" + base64.b64encode(SECRET.encode()).decode()


def shiphero(body: bytes, message: str) -> tuple[int, Any]:
    headers = {"X-Shiphero-Hmac-Sha256": signature(body), "X-Shiphero-Message-Id": message}
    answer = post("acme/shiphero", body, **headers)
    return answer.status_code, json.loads(answer.content)


def test_shiphero_is_told_in_the_body_too_that_all_is_well(acme: Tenant) -> None:
    source(acme, "shiphero", provider="shiphero")
    allocated, inventory = payload("shiphero/order_allocated.json"), b'{"webhook_type": "Inventory Update"}'
    assert shiphero(allocated, "1") == (200, {"status": "processed", **HERO_TAKEN})
    assert shiphero(allocated, "1") == (200, {"status": "duplicate", **HERO_TAKEN})
    assert shiphero(inventory, "2") == (
        200,
        {"status": "ignored", "reason": "It says nothing about an order.", **HERO_TAKEN},
    )
    assert shiphero(b'{"webhook_type": "Order Teleported"}', "3") == (
        200,
        {"status": "dead_letter", "reason": "unmapped", **HERO_TAKEN},
    )
    assert [letter[1] for letter in letters()] == ["unmapped"]


def test_other_providers_are_told_by_the_status_alone(acme: Tenant) -> None:
    source(acme, "shipbob", provider="shipbob", secret=SHIPBOB_KEY)
    assert shipbob("order.shipped", payload("shipbob/order_shipped.json"), "1") == (200, {"status": "processed"})


def shipbob(topic: str, body: bytes, message: str) -> tuple[int, Any]:
    at = str(int(time.time()))
    signed = b".".join((message.encode(), at.encode(), body))
    mac = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    headers = {
        "Webhook-Id": message,
        "Webhook-Timestamp": at,
        "Webhook-Signature": f"v1,{mac}",
        "X-Webhook-Topic": topic,
    }
    answer = post("acme/shipbob", body, **headers)
    return answer.status_code, json.loads(answer.content)


SHIPPED = payload("shipbob/order_shipped.json")
FIRST = payload("shipbob/tracking_updated.json")
SECOND = json.dumps({**json.loads(FIRST), "tracking": {"carrier": "UPS", "tracking_id": "1Z999AA10123456785"}}).encode()
COURSE = [("order.shipped", SHIPPED), *(("order.shipment.tracking.updated", body) for body in (FIRST, SECOND))]


@pytest.mark.parametrize("course", list(permutations(range(3))))
def test_order_of_two_parcels_is_delivered_with_the_second(acme: Tenant, course: tuple[int, ...]) -> None:
    """The tracking topics name no shipment, only the tracking number."""
    source(acme)
    source(acme, "shipbob", provider="shipbob", secret=SHIPBOB_KEY)
    shopify("orders/create", order(id=5823471902915, created_at="2026-11-22T19:58:00Z"))
    delivered = []
    for number in course:
        topic, body = COURSE[number]
        assert shipbob(topic, body, f"msg-{number}")[0] == 200
        delivered.append(state_of_delivery())
    assert delivered[-1] == "COMPLETED"
    if course[:2] in ((0, 1), (0, 2)):
        assert delivered[1] == "RUNNING"  # the other parcel is still on its way


def state_of_delivery() -> str:
    rows = raw_connection().execute("SELECT state FROM acme.orders_stage WHERE name = 'delivery'").fetchall()
    [(state,)] = rows
    return str(state)


FULFILLED = {
    "id": 5823471902915,
    "fulfillment_status": "fulfilled",
    "financial_status": "paid",
    "updated_at": "2026-11-23T18:10:00Z",
    "fulfillments": [
        {"id": 71, "order_id": 5823471902915, "created_at": "2026-11-23T13:25:00Z", "status": "success", **label}
        | {"id": 70 + number}
        for number, label in enumerate(
            (
                {"tracking_company": "USPS", "tracking_numbers": ["9261290306529427911297"]},
                {"tracking_company": "UPS", "tracking_numbers": ["1Z999AA10123456785"]},
            ),
            1,
        )
    ],
}


@pytest.mark.parametrize("first", ["shop", "warehouse"])
def test_parcels_that_the_shop_and_its_warehouse_both_tell_of_are_awaited_once(acme: Tenant, first: str) -> None:
    """Only the warehouse tells of the arrivals; the shop's names of the same parcels must not be waited for."""
    source(acme)
    source(acme, "shipbob", provider="shipbob", secret=SHIPBOB_KEY)
    shopify("orders/create", order(id=5823471902915, created_at="2026-11-22T19:58:00Z"))
    tellers = {
        "shop": lambda: shopify("orders/fulfilled", FULFILLED, **{"X-Shopify-Event-Id": "ev-2"}),
        "warehouse": lambda: shipbob("order.shipped", SHIPPED, "m-0"),
    }
    for name in sorted(tellers, key=lambda name: name != first):
        tellers[name]()
    assert [letter[1] for letter in letters()] == []
    shipbob("order.shipment.tracking.updated", FIRST, "m-1")
    assert state_of_delivery() == "RUNNING"
    shipbob("order.shipment.tracking.updated", SECOND, "m-2")
    assert state_of_delivery() == "COMPLETED"


def test_hold_of_shipbob_ends_with_the_change_that_lifts_it(acme: Tenant) -> None:
    """It tells of no other end; a clock that nothing starts again would never be late."""
    source(acme)
    source(acme, "shipbob", provider="shipbob", secret=SHIPBOB_KEY)
    shopify("orders/create", order(id=5823471902999, created_at="2026-11-23T08:00:00Z"))
    held = json.loads(payload("shipbob/shipment_on_hold.json"))
    shipbob("order.shipment.on_hold", json.dumps(held).encode(), "m-1")
    assert is_held()
    shipbob("order.shipment.address.updated", changed(held, "OnHold", minute=20), "m-2")
    assert is_held()
    shipbob("order.shipment.address.updated", changed(held, "Processing", minute=30), "m-3")
    assert not is_held()


def changed(shipment: dict[str, Any], status: str, *, minute: int) -> bytes:
    return json.dumps({**shipment, "status": status, "last_update_at": f"2026-11-23T09:{minute}:00+00:00"}).encode()


def is_held() -> bool:
    [(held,)] = raw_connection().execute("SELECT held FROM acme.orders_order").fetchall()
    return bool(held)
