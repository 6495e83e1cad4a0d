"""The sources' pages: what each role sees and may do."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from orders import unsigned, webhooks
from orders.reconcile_shop import due_sources, reconcile_source
from orders.unsigned import MOST_NAMES, Unsigned
from tenants.clients import CallError
from tenants.models import Role, Tenant, WebhookSource
from tests.live import eventually
from tests.orders.providers.shopify_cast import order
from tests.orders.test_reconcile_shop import PAID, URL, Shop
from tests.orders.test_source_watch import arrive
from tests.orders.webhook_cast import SECRET, said, shopify, source
from tests.tenants.cast import make_member, signed_in

HTMX = {"HTTP_HX_REQUEST": "true"}
OTHER = "given-by-the-provider-0123456789"
ACTS = ("on", "off", "reconcile", "end-old-secret", "rotate", "edit")
NEW = {"name": "erp", "provider": "json", "settle_seconds": "0", "mapping": "{}"}
MAPPING = json.dumps({"order_id": "order", "event_type": "kind", "occurred_at": "at"})


@pytest.fixture
def shop(acme: Tenant) -> WebhookSource:
    return source(acme, api_url=URL, api_token="tok-of-the-shop")


def client_of(tenant: Tenant, role: str) -> Client:
    return signed_in(tenant, make_member(tenant, role, role=role))


@pytest.fixture
def manager(acme: Tenant) -> Client:
    return client_of(acme, Role.MANAGER)


@pytest.fixture
def viewer(acme: Tenant) -> Client:
    return client_of(acme, Role.VIEWER)


def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content
    return str(answer.content.decode())


def toast(answer: Any) -> str:
    assert answer.status_code == 204, answer.content
    return str(json.loads(answer["HX-Trigger"])["toast"]["text"])


def test_empty_list_says_what_to_do(manager: Client, viewer: Client) -> None:
    assert 'href="/new-source/"' in text_of(manager.get("/sources/"))
    assert "A manager of your team can add one." in text_of(viewer.get("/sources/"))


def test_list_and_page_show_how_it_does(shop: WebhookSource, viewer: Client) -> None:
    for number in (1001, 1003):
        arrive(number, minutes_ago=9)
    shopify("orders/create", b"{")
    page = text_of(viewer.get("/sources/"))
    assert "1 order number missing" in page
    assert 'href="/dead-letters/?source=shopify"' in page
    page = text_of(viewer.get("/sources/shopify/"))
    assert "http://acme.localhost:8000/webhooks/acme/shopify" in page
    for part in ("#1002", "2 events in the last 24 hours", "1 dead letter", "Compared with the shop"):
        assert part in page
    for secret in (SECRET, "tok-of-the-shop", "Rotate", "Switch off"):
        assert secret not in page
    assert viewer.get("/sources/nothing/").status_code == 404


def test_refused_deliveries_are_counted_where_they_claimed_to_come_from(
    shop: WebhookSource, viewer: Client, globex: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Unsigned()
    own.thread = threading.current_thread()  # no other one writes
    monkeypatch.setattr(webhooks, "unsigned", own)
    source(globex, secret=OTHER)
    arrive(1001, minutes_ago=9)
    assert "None was refused for its signature" in text_of(viewer.get("/sources/shopify/"))
    for path in ("acme/shopify", "acme/shopify", "acme/nothing", "nobody/shopify"):
        assert shopify("orders/create", {"id": 1}, secret="wrong-secret-0123456789", path=path).status_code == 401
    own.write()
    own.write()
    page = text_of(viewer.get("/sources/shopify/"))
    assert "2 refused for their signature, the last" in page and "check the secret at the provider" in page
    assert "Wrong signature" in text_of(viewer.get("/sources/"))
    assert list(WebhookSource.objects.order_by("tenant__slug").values_list("tenant__slug", "refused_count")) == [
        ("acme", 2),
        ("globex", 0),
    ]
    WebhookSource.objects.filter(tenant=shop.tenant).update(refused_at=Now() - timedelta(minutes=1))
    arrive(1002, minutes_ago=0)
    page = text_of(viewer.get("/sources/shopify/"))
    assert "2 refused for their signature" in page and "check the secret" not in page
    assert "Wrong signature" not in text_of(viewer.get("/sources/"))


def test_made_up_names_are_bounded() -> None:
    own = Unsigned()
    own.thread = threading.current_thread()
    for number in range(MOST_NAMES + 5):
        own.note("acme", f"s{number}")
    own.note("acme", "s1")
    assert (len(own.counts), own.counts["acme", "s1"]) == (MOST_NAMES, 2)


@pytest.mark.usefixtures("committed")
def test_a_thread_writes_the_count_and_survives_a_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(unsigned, "INTERVAL_SECONDS", 0.01)
    row = source(Tenant.objects.get(slug="acme"), "counted")  # a name that no other test's refusals are noted for
    own = Unsigned()
    monkeypatch.setattr(unsigned, "ADD", "SELECT 1 FROM no_such_table")
    own.note("acme", "counted")
    eventually(lambda: "refused deliveries not counted" in caplog.text, 5, "it was not taken up")
    monkeypatch.undo()
    own.note("acme", "counted")

    def count() -> int:
        row.refresh_from_db()
        return row.refused_count

    eventually(lambda: count() == 1, 5, "it was not written")


def test_queries_do_not_grow_with_the_list(shop: WebhookSource, viewer: Client, acme: Tenant) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as caught:
            viewer.get("/sources/")
        return len(caught)

    one = count()
    for number in range(5):
        source(acme, f"shop-{number}", secret=f"{OTHER}{number}")
    assert count() == one < 20


def test_new_source_shows_its_secret_once(manager: Client, acme: Tenant) -> None:
    answer = manager.post("/new-source/", {**NEW, "mapping": MAPPING})
    page = text_of(answer)
    assert answer["Cache-Control"] == "no-store"
    secret = page.split('id="secret">')[1].split("<")[0]
    row = WebhookSource.objects.get(tenant=acme, name="erp")
    assert [each.secret for each in row.secrets.all()] == [secret]
    assert secret not in text_of(manager.get("/sources/erp/"))


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"name": "No Slug"}, "slug"),
        ({"name": "shopify", "mapping": MAPPING}, "source of this name already"),
        ({"mapping": "{"}, "Enter a valid JSON"),
        ({"mapping": '{"order_id": "a b"}'}, "must be a path of keys"),
        ({"timezone": "Mars/Base", "mapping": MAPPING}, "Mars/Base"),
        ({"secret": "short", "mapping": MAPPING}, "A secret has 16 to 512 characters."),
        ({"secret": SECRET, "mapping": MAPPING}, "in use at a source already"),
        ({"settle_seconds": "-1", "mapping": MAPPING}, "greater than or equal to 0"),
    ],
)
def test_wrong_source_gets_a_sentence_and_is_not_made(
    shop: WebhookSource, manager: Client, form: dict[str, str], sentence: str
) -> None:
    assert sentence in text_of(manager.post("/new-source/", {**NEW, **form}), 422)
    assert WebhookSource.objects.count() == 1


def test_edit_keeps_the_token_that_is_not_given(shop: WebhookSource, manager: Client) -> None:
    form = {"merchant": "north", "timezone": "Europe/Lisbon", "settle_seconds": "60", "mapping": "{}", "api_url": URL}
    assert manager.post("/sources/shopify/edit/", form)["Location"] == "/sources/shopify/"
    shop.refresh_from_db()
    assert (shop.merchant, shop.timezone, shop.settle_seconds, shop.api_token) == (
        "north", "Europe/Lisbon", 60, "tok-of-the-shop",
    )  # fmt: skip
    page = text_of(manager.get("/sources/shopify/edit/"))
    assert ("north" in page, "tok-of-the-shop" in page) == (True, False)
    assert "no slug" in text_of(manager.post("/sources/shopify/edit/", {**form, "merchant": "no slug"}), 422)


def test_rotation_leaves_both_secrets_valid_until_the_old_one_is_ended(shop: WebhookSource, manager: Client) -> None:
    page = text_of(manager.post("/sources/shopify/rotate/", {"secret": OTHER, "grace": "24"}))
    assert OTHER in page
    assert [said(shopify("orders/create", order(), secret=each))[0] for each in (SECRET, OTHER)] == [200, 200]
    assert "the old one works until" in text_of(manager.get("/sources/shopify/"))
    assert toast(manager.post("/sources/shopify/end-old-secret/", **HTMX)).startswith("The old secret")
    assert [said(shopify("orders/create", order(), secret=each))[0] for each in (SECRET, OTHER)] == [401, 200]
    assert manager.post("/sources/shopify/end-old-secret/", **HTMX).status_code == 409
    assert "16 to 512" in text_of(manager.post("/sources/shopify/rotate/", {"secret": "x", "grace": "24"}), 422)


def test_switched_off_and_on(shop: WebhookSource, manager: Client) -> None:
    assert toast(manager.post("/sources/shopify/off/", **HTMX)).startswith("Switched off")
    assert said(shopify("orders/create", order()))[0] == 401
    assert manager.post("/sources/shopify/off/", **HTMX).status_code == 409
    assert "its deliveries are refused" in text_of(manager.get("/sources/shopify/"))
    assert toast(manager.post("/sources/shopify/on/", **HTMX)).startswith("Switched on")
    assert said(shopify("orders/create", order()))[0] == 200


def test_reconciliation_that_is_asked_for_is_done_and_told(shop: WebhookSource, manager: Client) -> None:
    WebhookSource.objects.update(reconciled_until="2999-01-01T00:00:00Z")
    now = shop.created_at
    assert due_sources(now) == []
    assert toast(manager.post("/sources/shopify/reconcile/", **HTMX)).startswith("The shop will be asked")
    assert due_sources(now) == [("acme", "shopify")]
    assert "Asked" in text_of(manager.get("/sources/shopify/"))
    with schema_context("acme"):
        reconcile_source("acme", "shopify", client_of=Shop(PAID).client_of)
    page = text_of(manager.get("/sources/shopify/"))
    assert "events had never arrived and were put through the door" in page
    assert due_sources(now) == []


def test_reconciliation_that_fails_says_why_and_rests(shop: WebhookSource, manager: Client) -> None:
    def broken(row: WebhookSource) -> Any:
        raise CallError("The shop answered 403; check the address and the token of the source.")

    manager.post("/sources/shopify/reconcile/", **HTMX)
    with pytest.raises(CallError):
        reconcile_source("acme", "shopify", client_of=broken)
    assert "The shop answered 403" in text_of(manager.get("/sources/shopify/"))
    shop.refresh_from_db()
    assert (shop.reconcile_asked_at, due_sources(shop.reconcile_tried_at)) == (None, [])


def test_source_without_a_shop_is_not_reconciled(acme: Tenant, manager: Client) -> None:
    source(acme)
    assert manager.post("/sources/shopify/reconcile/", **HTMX).status_code == 409
    assert WebhookSource.objects.filter(reconcile_asked_at=None).count() == 1


def test_only_managers_change_anything(shop: WebhookSource, acme: Tenant, viewer: Client) -> None:
    before = list(WebhookSource.objects.values())
    for client in (viewer, client_of(acme, Role.OPERATOR)):
        assert client.get("/new-source/").status_code == 403
        assert client.post("/new-source/", NEW).status_code == 403
        for act in ACTS:
            assert client.post(f"/sources/shopify/{act}/", NEW).status_code == 403
    assert list(WebhookSource.objects.values()) == before


def test_another_tenants_manager_finds_none_of_it(shop: WebhookSource, globex: Tenant) -> None:
    spy = client_of(globex, Role.MANAGER)
    before = list(WebhookSource.objects.values())
    assert "shopify" not in text_of(spy.get("/sources/"))
    assert spy.get("/sources/shopify/").status_code == 404
    for act in ACTS:
        assert spy.post(f"/sources/shopify/{act}/", NEW).status_code == 404
    assert list(WebhookSource.objects.values()) == before
