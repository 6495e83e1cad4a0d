"""A carrier names a tracking number: its event finds the order and the parcel, or waits until they are known."""

import hashlib
import hmac
import json
from typing import Any

from e2a.postgresql.raw import raw_connection
from orders.radar import adopt_events
from tenants.models import Tenant
from tests.orders.providers.cast import payload
from tests.orders.providers.shopify_cast import FULFILLMENT, ORDER, order
from tests.orders.webhook_cast import post, said, shopify, source, stored

CARRIER = "carrier-secret-0123456789"
ID = str(ORDER)


def delivered(number: str, event: str = "evt_1") -> Any:
    body = json.loads(payload("easypost/tracker_updated.json"))
    raw = json.dumps({**body, "id": event, "result": {**body["result"], "tracking_code": number}}).encode()
    digest = hmac.new(CARRIER.encode(), raw, hashlib.sha256).hexdigest()
    return said(post("acme/easypost", raw, **{"X-Hmac-Signature": f"hmac-sha256-hex={digest}"}))


def sources(acme: Tenant) -> None:
    source(acme)
    source(acme, "easypost", provider="easypost", secret=CARRIER)


def fulfilled(*fulfillments: dict[str, Any]) -> None:
    shopify("orders/create", order(), **{"X-Shopify-Event-Id": "ev-0"})
    shopify("orders/fulfilled", order(fulfillment_status="fulfilled", fulfillments=list(fulfillments)))


def facts() -> list[tuple[str, int | None, Any]]:
    rows = raw_connection().execute(
        """SELECT event_type, order_id IS NOT NULL, detail->>'shipment' FROM "acme".orders_event
        WHERE source = 'easypost' ORDER BY id"""
    )
    return [tuple(row) for row in rows.fetchall()]


def status() -> list[str]:
    return [row[0] for row in raw_connection().execute('SELECT status FROM "acme".orders_order').fetchall()]


def test_event_finds_its_order_and_its_parcel(acme: Tenant) -> None:
    sources(acme)
    fulfilled(FULFILLMENT)
    assert delivered("1Z1") == (200, "processed")
    assert facts() == [("order_delivered", True, "4811")]
    assert status() == ["DELIVERED"]


def test_order_of_two_parcels_is_delivered_with_the_last(acme: Tenant) -> None:
    sources(acme)
    fulfilled(FULFILLMENT, {**FULFILLMENT, "id": 4812, "tracking_number": "1Z9", "tracking_numbers": ["1Z9"]})
    delivered("1Z1")
    assert status() == ["FULFILLED"]
    delivered("1Z9", "evt_2")
    assert status() == ["DELIVERED"]


def test_event_of_an_unknown_parcel_waits_and_is_adopted(acme: Tenant) -> None:
    sources(acme)
    assert delivered("1Z2") == (200, "processed")
    assert facts() == [("order_delivered", False, None)]
    fulfilled(FULFILLMENT)
    assert adopt_events(raw_connection(), "acme") == 1
    assert facts() == [("order_delivered", True, "4811")]
    assert status() == ["DELIVERED"]


def test_retry_is_a_duplicate_before_and_after_the_parcel_is_known(acme: Tenant) -> None:
    sources(acme)
    assert delivered("1Z1") == (200, "processed")
    fulfilled(FULFILLMENT)
    assert delivered("1Z1") == (200, "duplicate")
    assert [kind for kind, _, _ in stored()].count("order_delivered") == 1
