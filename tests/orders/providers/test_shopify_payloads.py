"""Shopify's payload files, headers and signatures included: each gives exactly these events."""

import json
from typing import Any

import pytest

from orders.providers.delivery import Delivery
from orders.providers.shopify import TOPICS, Shopify
from shopify_mock.samples import samples
from tests.orders.providers.cast import PAYLOADS, delivery, told

SECRET = "shpss_sample_secret"
FOLDER = PAYLOADS / "shopify"
ID, HELD, FREED, PARTIAL, CANCELLED = (
    "6214504100096",
    "6214504124672",
    "6214504677632",
    "6214504132864",
    "6214504698112",
)
SHIPMENT = {"shipment": "6214504100296"}
HOLD = {"hold_id": "6214504125072", "reason": "INCORRECT_ADDRESS"}
EVENTS: dict[str, list[tuple[Any, ...]]] = {
    "fulfillment_events_create": [("order_packed", ID, "11-18T12:38:47Z", {**SHIPMENT, "reason": "label_printed"})],
    "fulfillment_orders_hold_released": [
        ("order_released", FREED, "11-20T16:42:23Z", {"hold_id": "6214504678032"}),
        ("address_corrected", FREED, "11-20T16:42:23Z", None),
    ],
    "fulfillment_orders_order_routing_complete": [
        ("inventory_allocated", ID, "11-18T10:14:50Z", None),
        ("order_updated", ID, "11-18T10:14:50Z", {"promise": "2026-11-20T11:09:16+00:00"}),
    ],
    "fulfillment_orders_placed_on_hold": [
        ("order_held", HELD, "11-18T17:56:31Z", HOLD),
        ("address_invalid", HELD, "11-18T17:56:31Z", {"reason": "INCORRECT_ADDRESS"}),
    ],
    "fulfillments_create": [("fulfillment_created", ID, "11-18T12:38:47Z", SHIPMENT)],
    "fulfillments_update": [("fulfillment_created", ID, "11-20T16:20:29Z", SHIPMENT)],
    "order_transactions_create": [("payment_transaction", ID, "11-18T10:09:29Z", None)],
    "orders_cancelled": [("order_cancelled", CANCELLED, "11-20T14:13:18Z", None)],
    "orders_create": [("order_created", ID, "11-18T10:09:16Z", None)],
    "orders_edited": [("order_updated", ID, "11-20T18:40:40Z", None)],
    "orders_fulfilled": [("order_fulfilled", ID, "11-18T12:38:47Z", SHIPMENT)],
    "orders_paid": [("payment_confirmed", ID, "11-18T10:09:29Z", None)],
    "orders_partially_fulfilled": [("fulfillment_created", PARTIAL, "11-19T10:24:18Z", {"shipment": "6214504133064"})],
    "orders_updated": [("order_updated", ID, "11-18T10:09:29Z", None)],
    "refunds_create": [("order_refunded", CANCELLED, "11-20T14:13:19Z", None)],
}
DEMANDS = {
    "app_uninstalled": "uninstalled",
    "customers_data_request": "report_orders",
    "customers_redact": "redact_orders",
    "shop_redact": "redact_shop",
}
IGNORED = ["test_delivery", "inventory_levels_update"]


def sent(name: str) -> Delivery:
    headers = json.loads((FOLDER / f"{name}.headers.json").read_text())
    body = (FOLDER / f"{name}.json").read_bytes()
    return delivery(body, {key.lower(): value for key, value in headers.items()}, source="shopify")


@pytest.mark.parametrize("name", EVENTS)
def test_file_is_signed_and_gives_exactly_these_events(name: str) -> None:
    assert Shopify().verify(sent(name), [SECRET])
    assert [told(event) for event in Shopify().read(sent(name)).events] == EVENTS[name]


@pytest.mark.parametrize("name", [*DEMANDS, *IGNORED])
def test_file_is_signed_and_gives_no_event(name: str) -> None:
    reading = Shopify().read(sent(name))
    assert Shopify().verify(sent(name), [SECRET])
    assert reading.events == ()
    assert (reading.demand.kind if reading.demand else None) == DEMANDS.get(name)


def test_every_file_is_tested() -> None:
    files = {path.name.removesuffix(".headers.json") for path in FOLDER.glob("*.headers.json")}
    assert files == {*EVENTS, *DEMANDS, *IGNORED}


def test_every_topic_has_a_file() -> None:
    assert {topic.replace("/", "_") for topic in TOPICS} <= {*EVENTS, *DEMANDS, *IGNORED}


def test_files_are_what_the_mock_writes_today() -> None:
    """`python -m shopify_mock.samples tests/payloads/shopify` makes them anew; then the table above follows."""
    kept = {
        path.stem: (path.read_bytes(), json.loads(path.with_suffix(".headers.json").read_text()))
        for path in FOLDER.glob("*.json")
        if not path.name.endswith(".headers.json")
    }
    assert kept == samples()
