"""What Shopify demands besides events: that the source stops, and that a person's data is erased."""

import json
from typing import Any

from e2a.postgresql.raw import raw_connection
from orders.privacy import redacted
from tenants.models import Tenant, WebhookSource
from tests.orders.providers.shopify_cast import ORDER, order
from tests.orders.webhook_cast import letters, said, shopify, source, stored

ID = str(ORDER)
PERSON = {"id": 7, "email": "ada@example.com", "phone": None}


def payloads(schema: str = "acme") -> list[dict[str, Any]]:
    rows = raw_connection().execute(f'SELECT payload::json FROM "{schema}".orders_event ORDER BY id')
    return [row[0] for row in rows.fetchall()]


def test_uninstalled_app_switches_its_source_off(acme: Tenant, globex: Tenant) -> None:
    source(acme)
    source(globex, secret="shop-secret-of-globex-0123456789")
    assert said(shopify("app/uninstalled", {"id": 1})) == (200, "processed")
    assert dict(WebhookSource.objects.values_list("tenant__slug", "active")) == {"acme": False, "globex": True}
    assert shopify("orders/create", order()).status_code == 401


def test_erasing_is_still_taken_after_the_app_is_gone(acme: Tenant) -> None:
    source(acme)
    shopify("orders/create", order())
    shopify("app/uninstalled", {"id": 1})
    assert said(shopify("shop/redact", {"shop_id": 1})) == (200, "processed")
    assert payloads()[0]["email"] == "[redacted]"


def test_redacting_a_customer_keeps_the_facts_and_says_so(acme: Tenant) -> None:
    source(acme)
    shopify("orders/create", order())
    shopify("orders/create", order(id=99), **{"X-Shopify-Event-Id": "ev-2"})
    body = {"customer": PERSON, "orders_to_redact": [ORDER]}
    assert said(shopify("customers/redact", body)) == (200, "processed")
    mine, other, proof = payloads()
    assert (mine["email"], mine["customer"], mine["name"]) == ("[redacted]", {"redacted": True}, "#1001")
    assert (mine["order_number"], mine["created_at"]) == (1001, "2026-11-23T10:00:00-05:00")
    assert other["email"] == "ada@example.com"
    assert proof == {"source": "shopify"}
    assert stored()[2][:2] == ("personal_data_redacted", ID)


def test_redacted_delivery_is_still_known_as_a_duplicate(acme: Tenant) -> None:
    source(acme)
    shopify("orders/create", order())
    shopify("customers/redact", {"customer": PERSON, "orders_to_redact": [ORDER]})
    assert said(shopify("orders/create", order())) == (200, "duplicate")


def test_dead_letters_that_name_the_person_are_redacted_too(acme: Tenant) -> None:
    source(acme)
    shopify("orders/cancelled", order())
    shopify("orders/create", b"{ada@example.com")
    shopify("orders/create", b"{grace@example.com")
    shopify("customers/redact", {"customer": PERSON, "orders_to_redact": [ORDER]})
    first, second, third = [letter[4] for letter in letters()]
    assert json.loads(first)["email"] == "[redacted]"
    assert (second, third) == (b"[redacted]", b"{grace@example.com")


def test_other_tenants_keep_theirs(acme: Tenant, globex: Tenant) -> None:
    source(acme)
    source(globex, secret="shop-secret-of-globex-0123456789")
    shopify("orders/create", order(), secret="shop-secret-of-globex-0123456789", path="globex/shopify")
    shopify("shop/redact", {"shop_id": 1})
    assert payloads("globex")[0]["email"] == "ada@example.com"


def test_request_for_data_is_noted_in_the_order(acme: Tenant) -> None:
    source(acme)
    shopify("orders/create", order())
    shopify("customers/data_request", {"customer": PERSON, "orders_requested": [ORDER]})
    assert stored()[1][:2] == ("personal_data_requested", ID)


def test_redacting_twice_changes_nothing() -> None:
    body = order(shipping_address={"name": "Ada", "country_code": "US"}, note="ring twice", phone=None)
    once = redacted(body)
    assert redacted(once) == once
    assert (once["shipping_address"], once["note"], once["phone"]) == ({"redacted": True}, "[redacted]", None)
    assert once["line_items"] == body["line_items"]
