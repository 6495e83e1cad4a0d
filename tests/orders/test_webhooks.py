"""`POST /webhooks/TENANT/SOURCE`: who may send, what is answered, what is kept."""

import json
from datetime import timedelta

import psycopg
import pytest
from django.utils import timezone

from orders import webhooks
from orders.sources import find_source, read_again
from tenants.models import Tenant, WebhookSource
from tests.orders.providers.shopify_cast import FULFILLMENT, ORDER, order
from tests.orders.webhook_cast import SECRET, add_secret, letters, post, said, shopify, signature, source, stored

REFUSED = (401, "There is no such address, or the signature is not valid.")
ID = str(ORDER)


def test_signed_delivery_is_stored_once(acme: Tenant, globex: Tenant) -> None:
    source(acme)
    assert said(shopify("orders/create", order())) == (200, "processed")
    assert said(shopify("orders/create", order())) == (200, "duplicate")
    assert stored() == [("order_created", ID, f"~orders/create:{ORDER}:ev-1")]
    assert stored("globex") == letters("globex") == []


def test_same_happening_with_other_content_is_a_dead_letter(acme: Tenant) -> None:
    source(acme)
    shopify("orders/create", order())
    assert said(shopify("orders/create", order(note="other"))) == (200, "dead_letter")
    assert [(letter[0], letter[1]) for letter in letters()] == [("shopify", "conflict")]


def test_each_source_and_tenant_has_its_own_secret(acme: Tenant, globex: Tenant) -> None:
    source(acme)
    source(globex, secret="shop-secret-of-globex-0123456789")
    assert said(shopify("orders/create", order(), path="globex/shopify")) == REFUSED
    assert said(shopify("orders/create", order(), secret="shop-secret-of-globex-0123456789")) == REFUSED
    assert said(shopify("orders/create", order(), secret="")) == REFUSED
    assert stored() == stored("globex") == letters() == letters("globex") == []


@pytest.mark.parametrize(
    "path",
    [
        "acme/nothing",
        "nobody/shopify",
        "public/shopify",
        "ACME/shopify",
        "acme/shop'ify",
        "a\x00b/shopify",
        "acme/" + "x" * 99,
    ],
)
def test_unknown_address_is_answered_like_a_wrong_signature(acme: Tenant, path: str) -> None:
    source(acme)
    assert said(shopify("orders/create", order(), path=path)) == REFUSED
    assert said(shopify("orders/create", order(), secret="wrong")) == REFUSED


def test_inactive_source_or_tenant_is_answered_like_a_wrong_signature(acme: Tenant) -> None:
    source(acme, active=False)
    assert said(shopify("orders/create", order())) == REFUSED
    WebhookSource.objects.update(active=True)
    Tenant.objects.filter(pk=acme.pk).update(active=False)
    assert said(shopify("orders/create", order())) == REFUSED
    assert stored() == []


def test_source_without_a_secret_takes_nothing(acme: Tenant) -> None:
    row = source(acme)
    row.secrets.all().delete()
    assert said(shopify("orders/create", order(), secret="nobody-has-this-secret")) == REFUSED


def test_old_secret_is_valid_until_its_grace_ends(acme: Tenant) -> None:
    row = source(acme, secret="the-new-secret-0123456789")
    add_secret(row, SECRET, valid_until=timezone.now() + timedelta(minutes=1))
    assert said(shopify("orders/create", order())) == (200, "processed")
    assert said(shopify("orders/create", order(), secret="the-new-secret-0123456789")) == (200, "duplicate")
    row.secrets.filter(valid_until__isnull=False).update(valid_until=timezone.now() - timedelta(seconds=1))
    assert said(shopify("orders/create", order())) == REFUSED


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"", b'{"id": 5}', b'{"id": 1, "line_items": [], "x": "\\u0000"}', b"\xff"]
)
def test_signed_rubbish_is_a_dead_letter_with_its_raw_bytes(acme: Tenant, body: bytes) -> None:
    source(acme)
    assert said(shopify("orders/create", body))[0] == 200
    [(name, _reason, topic, headers, kept)] = letters()
    assert (name, topic, kept) == ("shopify", "orders/create", body)
    assert headers == {"x-shopify-topic": "orders/create", "x-shopify-event-id": "ev-1"}
    assert stored() == []


def test_dead_letter_can_be_read_again_from_what_was_kept(acme: Tenant) -> None:
    source(acme)
    body = json.dumps(order()).encode()
    shopify("orders/cancelled", body)
    [(name, reason, topic, headers, kept)] = letters()
    assert (reason, topic) == ("topic_mismatch", "orders/cancelled")
    mended = read_again("acme", name, kept, {**headers, "x-shopify-topic": "orders/create"})
    assert mended is not None
    assert [event.event_id for event in mended.events] == [f"~orders/create:{ORDER}:ev-1"]
    assert read_again("acme", "gone", kept, headers) is None


def test_adapter_that_stumbles_makes_a_dead_letter_not_a_failure(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    source(acme)
    found = find_source("acme", "shopify")
    assert found is not None
    monkeypatch.setattr(type(found.adapter), "read", lambda self, delivery: 1 / 0)
    assert said(shopify("orders/create", order())) == (200, "dead_letter")
    assert letters()[0][1] == "adapter_failed"


def test_ignored_delivery_leaves_no_trace(acme: Tenant) -> None:
    source(acme)
    assert said(shopify("inventory_levels/update", {"available": 3})) == (200, "ignored")
    assert said(shopify("orders/create", order(test=True, created_at=None))) == (200, "ignored")
    assert stored() == letters() == []


def test_parcels_of_a_fulfilment_let_a_carrier_find_the_order(acme: Tenant) -> None:
    source(acme)
    source(acme, "easypost", provider="json", secret="carrier-secret-0123456789", mapping=MAPPING)
    shopify("fulfillments/create", FULFILLMENT)
    body = b'{"id": "c1", "kind": "order_delivered", "at": "2026-11-23T20:00:00Z", "number": "1Z2"}'
    sig = signature(body, "carrier-secret-0123456789")
    assert said(post("acme/easypost", body, **{"X-Signature": sig})) == (200, "processed")
    assert [(kind, ref) for kind, ref, _ in stored()] == [("fulfillment_created", ID), ("order_delivered", ID)]


MAPPING = {
    "signature": {"encoding": "base64"},
    "event_id": "id",
    "event_type": "kind",
    "occurred_at": "at",
    "order_id": "order",
    "tracking_number": "number",
}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "HEAD", "OPTIONS"])
def test_other_methods_are_refused(acme: Tenant, method: str) -> None:
    answer = post("acme/shopify", b"{}", method=method)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_body_above_five_mebibytes_is_refused(acme: Tenant) -> None:
    source(acme)
    assert post("acme/shopify", b" " * (5 * 1024 * 1024 + 1)).status_code == 413
    assert letters() == []


@pytest.mark.parametrize("headers", [{"Webhook-Id": "a.b"}, {"Webhook-Signature": " ".join(["v1,AAAA"] * 10_000)}])
def test_malformed_signature_headers_are_refused_whoever_they_are_for(acme: Tenant, headers: dict[str, str]) -> None:
    source(acme)
    assert post("acme/shopify", b"{}", **headers).status_code == 400
    assert post("nobody/nothing", b"{}", **headers).status_code == 400


def test_lost_database_is_the_only_503(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    source(acme)

    def down(tenant: str, name: str) -> None:
        raise psycopg.OperationalError("the connection is closed")

    monkeypatch.setattr(webhooks, "find_source", down)
    answer = shopify("orders/create", order())
    monkeypatch.undo()
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_nothing_secret_is_logged(acme: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    source(acme)
    shopify("orders/create", b"{", **{"X-Shopify-Hmac-Sha256": "bm90LXRoZS1zaWduYXR1cmU="})
    shopify("orders/create", b"{ada@example.com")
    assert SECRET not in caplog.text
    assert "bm90LXRoZS1zaWduYXR1cmU=" not in caplog.text
    assert "ada@example.com" not in caplog.text
