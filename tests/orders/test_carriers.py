"""A carrier names a tracking number: its event finds the order and the parcel, or waits until they are known."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2a.postgresql.raw import database_now, raw_connection
from orders import radar
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


def test_event_that_has_waited_for_long_is_adopted_within_ten_minutes(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources(acme)
    delivered("1Z2")
    raw_connection().execute("""UPDATE "acme".orders_event SET received_at = now() - interval '2 days'""")
    fulfilled(FULFILLMENT)
    now = database_now(raw_connection())
    monkeypatch.setattr(radar, "looked_back", {"acme": now})
    assert radar.run_round().adopted == 0
    assert facts() == [("order_delivered", False, None)]
    monkeypatch.setattr(radar, "looked_back", {"acme": now - radar.LOOK_BACK_EVERY})
    assert radar.run_round().adopted == 1
    assert facts() == [("order_delivered", True, "4811")]
    assert radar.looked_back["acme"] >= now


def test_round_reads_of_all_parcels_only_those_that_are_waited_for(acme: Tenant) -> None:
    """A single event that waits, as of a parcel that nobody told us of, made each round sort every parcel."""
    sources(acme)
    delivered("1Z-nobody-knows")
    fulfilled(FULFILLMENT)
    raw_connection().execute(
        """INSERT INTO "acme".orders_parcel (order_id, tracking_number, shipment_id)
        SELECT (SELECT min(id) FROM "acme".orders_order), 'T' || n, 's' || n FROM generate_series(1, 20000) n"""
    )
    raw_connection().execute('ANALYZE "acme".orders_parcel')
    text = radar.PARCELS_NOW_KNOWN.format(s='"acme"')
    plan = raw_connection().execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", {"since": radar.OLDEST}).fetchall()[0][0]
    assert sum(read_of(plan[0]["Plan"])) < 10


def read_of(node: dict[str, Any]) -> Iterator[int]:
    """The rows that each scan of a plan read."""
    if "Scan" in node["Node Type"] and "Relation Name" in node:
        yield (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    for child in node.get("Plans", ()):
        yield from read_of(child)


def test_retry_is_a_duplicate_before_and_after_the_parcel_is_known(acme: Tenant) -> None:
    sources(acme)
    assert delivered("1Z1") == (200, "processed")
    fulfilled(FULFILLMENT)
    assert delivered("1Z1") == (200, "duplicate")
    assert [kind for kind, _, _ in stored()].count("order_delivered") == 1
