"""What an order's state implies is what its webhooks would have told, at the same instants."""

from typing import Any

from orders.providers.shopify import Shopify
from orders.providers.shopify_state import ShopOrder, implied_events, paid_at
from tests.orders.providers.cast import delivery, told
from tests.orders.providers.shopify_cast import FULFILLMENT, ORDER, order, sent

ID = str(ORDER)
SALE: dict[str, Any] = {
    "id": 61,
    "order_id": ORDER,
    "kind": "sale",
    "status": "success",
    "amount": "59.90",
    "processed_at": "2026-11-23T10:04:00-05:00",
}
STEP: dict[str, Any] = {"id": 31, "fulfillment_id": 4811, "status": "delivered", "happened_at": "2026-11-23T18:00:00Z"}


def implied(state: ShopOrder) -> list[tuple[Any, ...]]:
    return [told(event) for event in implied_events(delivery(b"", source="shopify"), state)]


def test_new_order_implies_its_creation_only() -> None:
    assert implied(ShopOrder(order())) == [("order_created", ID, "11-23T15:00:00Z", None)]


def test_whole_life_is_read_off_the_state() -> None:
    state = order(financial_status="paid", fulfillment_status="fulfilled", fulfillments=[FULFILLMENT])
    goods = {"id": 901, "status": "closed", "created_at": "2026-11-23T15:03:00Z", "updated_at": "2026-11-23T17:00:00Z"}
    assert implied(ShopOrder(state, [SALE], [goods], [STEP])) == [
        ("order_created", ID, "11-23T15:00:00Z", None),
        ("payment_confirmed", ID, "11-23T15:04:00Z", None),
        ("payment_transaction", ID, "11-23T15:04:00Z", None),
        ("inventory_allocated", ID, "11-23T15:03:00Z", None),
        ("order_released", ID, "11-23T17:00:00Z", {"hold_id": "901"}),
        ("address_corrected", ID, "11-23T17:00:00Z", None),
        ("order_fulfilled", ID, "11-23T17:00:00Z", {"shipment": "4811"}),
        ("order_delivered", ID, "11-23T18:00:00Z", {"shipment": "4811", "reason": "delivered"}),
    ]


def test_cancelled_and_refunded_order_implies_both() -> None:
    refund = {"id": 8, "created_at": "2026-11-23T15:15:00Z"}
    state = order(financial_status="refunded", cancelled_at="2026-11-23T15:14:00Z", refunds=[refund])
    kinds = [line[0] for line in implied(ShopOrder(state, [SALE]))]
    assert kinds == [
        "order_created",
        "payment_confirmed",
        "payment_transaction",
        "order_refunded",
        "order_updated",
        "order_refunded",
        "order_cancelled",
    ]


def test_open_hold_is_implied() -> None:
    goods = {
        "id": 901,
        "status": "on_hold",
        "created_at": "2026-11-23T15:03:00Z",
        "updated_at": "2026-11-23T15:05:00Z",
        "fulfillment_holds": [{"id": 1, "reason": "incorrect_address"}],
    }
    assert implied(ShopOrder(order(), (), [goods]))[2:] == [
        ("order_held", ID, "11-23T15:05:00Z", {"hold_id": "901", "reason": "INCORRECT_ADDRESS"}),
        ("address_invalid", ID, "11-23T15:05:00Z", {"reason": "INCORRECT_ADDRESS"}),
    ]


def test_state_tells_the_same_fact_as_the_webhook() -> None:
    [webhook] = Shopify().read(sent("fulfillment_events/create", {"order_id": ORDER, **STEP})).events
    state = implied_events(delivery(b"", source="shopify"), ShopOrder(order(), steps=[STEP]))[-1]
    assert told(state) == told(webhook)
    assert state.event_id == "~fulfillment_events/create:31:reconciled"


def test_payment_is_complete_with_the_capture_that_reaches_the_total() -> None:
    half = {**SALE, "amount": "29.95"}
    second = {**half, "processed_at": "2026-11-23T10:06:00-05:00"}
    extra = {**half, "processed_at": "2026-11-23T10:09:00-05:00"}
    failed = {**SALE, "status": "failure", "processed_at": "2026-11-23T10:01:00-05:00"}
    assert paid_at(order(), [extra, second, half, failed]) == "2026-11-23T10:06:00-05:00"
    assert paid_at(order(), []) == "2026-11-23T10:00:00-05:00"


def test_unreadable_part_does_not_hide_the_rest() -> None:
    assert [line[0] for line in implied(ShopOrder(order(), steps=[{"id": 1, "status": "delivered"}]))] == [
        "order_created"
    ]


def test_holds_that_the_shop_remembers_are_implied_with_their_release() -> None:
    hold = {
        "id": "gid://shopify/FulfillmentHold/11",
        "reason": "INVENTORY_OUT_OF_STOCK",
        "created_at": "2026-11-23T15:05:00Z",
        "released_at": "2026-11-23T16:05:00Z",
    }
    goods = {"id": 901, "status": "open", "created_at": "2026-11-23T15:03:00Z", "released_fulfillment_holds": [hold]}
    assert implied(ShopOrder(order(), (), [goods]))[2:] == [
        ("order_held", ID, "11-23T15:05:00Z", {"hold_id": "901", "reason": "INVENTORY_OUT_OF_STOCK"}),
        ("inventory_shortage", ID, "11-23T15:05:00Z", {"reason": "INVENTORY_OUT_OF_STOCK"}),
        ("order_released", ID, "11-23T16:05:00Z", {"hold_id": "901"}),
    ]
