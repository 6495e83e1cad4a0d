"""Reconciliation: what the shop knows and its webhooks never told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from e2a.postgresql.raw import raw_connection
from orders.radar import adopt_events
from orders.reconcile_shop import CannotReconcile, Reconciled, due_sources, is_news, reconcile_source
from tenants.clients import ShopClient
from tenants.models import Tenant, WebhookSource
from tests.orders.providers.shopify_cast import FULFILLMENT, ORDER, order
from tests.orders.webhook_cast import shopify, source, stored

URL = "https://shop.example/admin/api/2026-01"
PAID = order(financial_status="paid", fulfillment_status="fulfilled", fulfillments=[FULFILLMENT])
SALE = {
    "id": 61,
    "order_id": ORDER,
    "kind": "sale",
    "status": "success",
    "amount": "59.90",
    "processed_at": "2026-11-23T15:04:00Z",
}
STEP = {
    "id": 31,
    "fulfillment_id": 4811,
    "order_id": ORDER,
    "status": "delivered",
    "happened_at": "2026-11-23T18:00:00Z",
}
LISTS = {"transactions": [SALE], "fulfillment_orders": [], "events": [STEP]}


class Shop:
    """A shop with these orders; remembers what it was asked."""

    def __init__(self, *orders: dict[str, Any]) -> None:
        self.orders = orders
        self.asked: list[str] = []

    def client_of(self, row: WebhookSource) -> ShopClient:
        return ShopClient(row.api_url, row.api_token, transport=httpx.MockTransport(self.answer), allow_private=True)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.params.get("updated_at_min", ""))
        name = request.url.path.rsplit("/", 1)[-1].removesuffix(".json")
        if name == "orders":
            return httpx.Response(200, json={"orders": list(self.orders)})
        return httpx.Response(200, json={"fulfillment_events" if name == "events" else name: LISTS[name]})


@pytest.fixture
def shop_source(acme: Tenant) -> WebhookSource:
    return source(acme, api_url=URL, api_token="tok")


def kinds() -> list[str]:
    return sorted(kind for kind, _, _ in stored())


def test_what_never_arrived_is_fed_once(shop_source: WebhookSource) -> None:
    shop = Shop(PAID)
    assert reconcile_source("acme", "shopify", client_of=shop.client_of) == Reconciled(orders=1, implied=5, missing=5)
    everything = ["order_created", "order_delivered", "order_fulfilled", "payment_confirmed", "payment_transaction"]
    assert kinds() == everything
    assert reconcile_source("acme", "shopify", client_of=shop.client_of) == Reconciled(orders=1, implied=5, missing=0)
    assert kinds() == everything


def test_what_arrived_is_not_told_again(shop_source: WebhookSource) -> None:
    shopify("orders/create", order())
    shopify("orders/paid", order(financial_status="paid"), **{"X-Shopify-Event-Id": "ev-2"})
    shopify("orders/fulfilled", PAID, **{"X-Shopify-Event-Id": "ev-3"})
    found = reconcile_source("acme", "shopify", client_of=Shop(PAID).client_of)
    assert found == Reconciled(orders=1, implied=5, missing=2)
    assert kinds().count("order_fulfilled") == kinds().count("payment_confirmed") == kinds().count("order_created") == 1


def test_webhook_that_comes_after_all_does_no_harm(shop_source: WebhookSource) -> None:
    reconcile_source("acme", "shopify", client_of=Shop(PAID).client_of)
    assert shopify("orders/create", order()).status_code == 200
    assert kinds().count("order_created") == 2


def test_next_look_begins_where_the_last_one_ended_with_some_overlap(shop_source: WebhookSource) -> None:
    shop = Shop()
    reconcile_source("acme", "shopify", client_of=shop.client_of)
    shop_source.refresh_from_db()
    until = shop_source.reconciled_until
    assert until is not None
    reconcile_source("acme", "shopify", client_of=shop.client_of)
    first, second = (datetime.fromisoformat(text) for text in shop.asked if text)
    assert abs(first - (datetime.now(UTC) - timedelta(days=30, minutes=10))) < timedelta(minutes=1)
    assert second == (until - timedelta(minutes=10)).replace(microsecond=0)


def test_test_orders_are_not_fed(shop_source: WebhookSource) -> None:
    assert reconcile_source("acme", "shopify", client_of=Shop(order(test=True)).client_of) == Reconciled(orders=1)


@pytest.mark.parametrize("change", [{"active": False}, {"api_url": ""}, {"provider": "json"}])
def test_source_without_a_shop_is_refused(shop_source: WebhookSource, change: dict[str, Any]) -> None:
    WebhookSource.objects.filter(pk=shop_source.pk).update(**change)
    with pytest.raises(CannotReconcile):
        reconcile_source("acme", "shopify", client_of=Shop().client_of)


def test_due_are_the_shops_not_asked_for_ten_minutes(shop_source: WebhookSource, globex: Tenant) -> None:
    source(globex, secret="another-secret-0123456789")
    now = datetime.now(UTC)
    assert due_sources(now) == [("acme", "shopify")]
    WebhookSource.objects.filter(pk=shop_source.pk).update(reconciled_until=now - timedelta(minutes=9))
    assert due_sources(now) == []


def test_other_tenant_sees_none_of_it(shop_source: WebhookSource, globex: Tenant) -> None:
    reconcile_source("acme", "shopify", client_of=Shop(PAID).client_of)
    assert stored("globex") == []


def test_release_is_news_only_to_an_order_that_is_held() -> None:
    at = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    held, released = ("order_held", "1", "", at - timedelta(hours=1)), ("order_released", "1", "", at)
    corrected = ("address_corrected", "1", "", at)
    assert not is_news(released, set())
    assert is_news(released, {held})
    assert not is_news(("order_released", "1", "", at + timedelta(hours=1)), {held, released})
    assert is_news(corrected, {held, released})
    assert not is_news(corrected, {held})


def test_cut_run_goes_on_from_the_last_order_it_looked_at(shop_source: WebhookSource) -> None:
    shop = Shop(order(updated_at="2026-11-23T15:20:00Z"))
    reconcile_source("acme", "shopify", client_of=shop.client_of, seconds=-1)
    reconcile_source("acme", "shopify", client_of=shop.client_of, seconds=-1)
    assert [text for text in shop.asked if text][1] == "2026-11-23T15:20:00Z"


def test_webhook_that_waits_by_its_fulfillment_order_is_adopted(
    shop_source: WebhookSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"id": 901, "status": "open", "created_at": "2026-11-23T15:03:00Z", "updated_at": "2026-11-23T15:03:00Z"}
    body = {"fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/901", "created_at": "2026-11-23T15:03:00Z"}}
    shopify("fulfillment_orders/order_routing_complete", body)
    assert [ref for kind, ref, _ in stored() if kind == "inventory_allocated"] == [""]
    monkeypatch.setitem(LISTS, "fulfillment_orders", [found])
    reconcile_source("acme", "shopify", client_of=Shop(order()).client_of)
    assert adopt_events(raw_connection(), "acme") == 1
    rows = raw_connection().execute('SELECT count(*) FROM "acme".orders_event WHERE order_id IS NULL').fetchall()
    assert rows == [(0,)]
