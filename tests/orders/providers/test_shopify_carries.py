"""What a Shopify order carries for the policy's rules: channel, service, country, tier, goods, value, warehouse, promises."""

from typing import Any

import pytest

from orders.providers.shopify import Shopify
from orders.providers.shopify_carries import carrier_of, carries_of, place_of, promises_of, tier_of, value_of
from tests.orders.providers.test_shopify_payloads import sent

ORDER = {
    "sales_channel": "web",
    "shipping_service": "Express",
    "destination_country": "IT",
    "tags": ["returning"],
    "skus": ["LMP-TBL-INK", "BRD-OLV-L"],
    "value_cents": 9800,
    "currency": "EUR",
}
# the detail of each event, but for what it says of the course
FILES = [
    ("orders_create", [{"carries": ORDER}]),
    ("orders_updated", [{"carries": ORDER}]),
    ("orders_paid", [{}]),
    ("fulfillments_create", [{"carries": {"carrier": "GLS"}}]),
    ("orders_fulfilled", [{"carries": {"carrier": "GLS"}}]),
    (
        "fulfillment_orders_order_routing_complete",
        [
            {"carries": {"warehouse": "Magatzem Zona Franca"}},
            {
                "fulfil_by": "2026-11-19T10:09:16+00:00",
                "window_from": "2026-11-19T06:09:16+00:00",
                "window_until": "2026-11-20T11:09:16+00:00",
            },
        ],
    ),
]
COURSE = ("shipment", "promise", "hold_id", "reason")


@pytest.mark.parametrize(("name", "details"), FILES)
def test_payload_file_states_exactly_this(name: str, details: list[dict[str, Any]]) -> None:
    found = [event.detail or {} for event in Shopify().read(sent(name)).events]
    assert [{key: value for key, value in detail.items() if key not in COURSE} for detail in found] == details


@pytest.mark.parametrize(
    ("price", "currency", "cents"),
    [
        ("59.90", "EUR", 5990),
        ("10.005", "EUR", 1001),  # half up
        ("0.00", "EUR", 0),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1234),
        ("59.9", "usd", 5990),
        ("NaN", "EUR", None),
        ("Infinity", "EUR", None),
        ("1e1000000000", "EUR", None),
        ("-1.00", "EUR", None),
        ("cheap", "EUR", None),
        (None, "EUR", None),
        ("59.90", "EURO", None),
        ("59.90", None, None),
    ],
)
def test_total_is_whole_minor_units(price: Any, currency: Any, cents: int | None) -> None:
    expected = {} if cents is None else {"value_cents": cents, "currency": currency.upper()}
    assert value_of({"total_price": price, "currency": currency}) == expected


@pytest.mark.parametrize(
    ("order", "tier"),
    [
        ({"customer": {"tags": "tier:gold, vip"}}, "gold"),
        ({"customer": {"tags": "VIP"}}, "vip"),
        ({"customer": {"tags": ""}, "tags": "Tier: Silver"}, "Silver"),
        ({"customer": None, "tags": ["vip"]}, "vip"),
        ({"tags": 7}, ""),
        ({}, ""),
    ],
)
def test_customers_tier_is_read_from_tags(order: dict[str, Any], tier: str) -> None:
    assert tier_of(order) == tier


def test_nulls_and_other_shapes_carry_nothing() -> None:
    junk = {
        "shipping_lines": [None],
        "shipping_address": "x",
        "line_items": [None, {"sku": 7}],
        "source_name": 5,
        "tags": None,
    }
    assert carries_of(junk) == {"tags": [], "skus": []}
    assert (place_of({"assigned_location": 3}), carrier_of({"tracking_company": 3})) == ({}, {})
    assert promises_of({"delivery_method": {"max_delivery_date_time": "soon"}, "fulfill_by": 3}) == {}


def test_removed_tags_are_taken_back() -> None:
    assert carries_of({"tags": ""}) == {"tags": []}


def test_warehouse_without_a_name_is_known_by_its_number() -> None:
    assert place_of({"assigned_location_id": 70114455601}) == {"warehouse": "70114455601"}
