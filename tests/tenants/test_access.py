"""API keys at the API and at the door (CONTRACT 2): 401 for nobody, 403 for somebody else or too little."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.http import HttpResponse
from django.test import Client

from e2a.postgresql.raw import raw_connection
from tenants.models import ApiKey, Role, Scope, Tenant
from tenants.services import create_api_key, revoke_api_key
from tests.tenants.cast import make_member, on_host, signed_in

EVENT = {
    "source": "wms",
    "event_type": "order_created",
    "event_id": "1",
    "order_id": "1",
    "occurred_at": "2026-11-23T10:00:00Z",
    "payload": {},
}


def client_of(key: str, slug: str = "acme", host: str = "127.0.0.1") -> Client:
    named = {"X-Tenant-Id": slug} if slug else {}
    return Client(headers={"Authorization": f"Bearer {key}", "Host": host, **named})


def make_key(tenant: Tenant, *scopes: str, **options: Any) -> str:
    return create_api_key(tenant=tenant, scopes=scopes or Scope.values, **options).key


def send(client: Client, **words: str) -> HttpResponse:
    return client.post("/events", EVENT | words, content_type="application/json")


def stored() -> list[str]:
    """The merchants of acme's events."""
    return [merchant for (merchant,) in raw_connection().execute("SELECT merchant FROM acme.orders_event").fetchall()]


def both(client: Client) -> tuple[int, int]:
    """Of the API and of the door."""
    return client.get("/api/orders").status_code, send(client).status_code


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "acme.localhost"])
def test_key_opens_its_tenant_on_every_host_of_ours(acme: Tenant, host: str) -> None:
    assert both(client_of(make_key(acme), host=host)) == (200, 201)


def test_header_alone_opens_nothing(acme: Tenant) -> None:
    assert both(Client(headers={"Host": "127.0.0.1", "X-Tenant-Id": "acme"})) == (401, 401)
    assert both(on_host("acme", **{"X-Tenant-Id": "acme"})) == (401, 401)
    assert stored() == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: "",
        lambda key: "e2a_",
        lambda key: key[:-1],
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: key + "0",
        lambda key: key.upper(),
        lambda key: "e2a_" + "0" * 12 + key[16:],
        lambda key: key + " " + key,
        lambda key: "x" * 4000,
    ],
)
def test_unknown_key_is_401_everywhere(acme: Tenant, spoil: Any) -> None:
    assert both(client_of(spoil(make_key(acme)))) == (401, 401)
    assert stored() == []


def test_key_needs_a_tenant_that_exists(acme: Tenant) -> None:
    key = make_key(acme)
    for slug in ("", "unheard-of", "ACME", 'acme";--', "acme, acme"):
        assert both(client_of(key, slug)) == (401, 401)
    assert stored() == []


def test_key_of_another_tenant_is_403(acme: Tenant, globex: Tenant) -> None:
    assert both(client_of(make_key(globex), "acme")) == (403, 403)
    assert client_of(make_key(globex), "globex", host="acme.localhost").get("/api/orders").status_code == 403
    assert stored() == []


def test_missing_scope_is_403(acme: Tenant) -> None:
    assert both(client_of(make_key(acme, "operate"))) == (403, 403)
    assert both(client_of(make_key(acme, "ingest"))) == (403, 201)
    assert len(stored()) == 1


def test_ended_key_is_401(acme: Tenant) -> None:
    client = client_of(make_key(acme))
    ApiKey.objects.update(expires_at=Now() - timedelta(seconds=1))
    assert both(client) == (401, 401)
    ApiKey.objects.update(expires_at=Now() + timedelta(hours=1))
    assert both(client) == (200, 201)


def test_revoked_key_is_401_from_its_next_request_on(acme: Tenant) -> None:
    client = client_of(make_key(acme))
    assert both(client) == (200, 201)
    revoke_api_key(prefix=ApiKey.objects.get().prefix)
    assert both(client) == (401, 401)


def test_key_of_an_inactive_tenant_is_401(acme: Tenant) -> None:
    client = client_of(make_key(acme))
    Tenant.objects.filter(slug="acme").update(active=False)
    assert both(client) == (401, 401)


def test_inactive_tenant_asked_for_with_a_key_of_another_is_401(acme: Tenant, globex: Tenant) -> None:
    Tenant.objects.filter(slug="acme").update(active=False)
    assert both(client_of(make_key(globex), "acme")) == (401, 401)


def test_key_bound_to_sources_and_a_merchant_sends_for_no_other(acme: Tenant) -> None:
    client = client_of(make_key(acme, "ingest", sources=["wms", "erp"], merchant="north-shop"))
    assert send(client, source="shop").status_code == 403
    assert send(client, merchant="south-shop").status_code == 403
    assert stored() == []
    assert send(client).status_code == 201
    assert stored() == ["north-shop"]


def test_key_outranks_the_session_of_the_same_browser(acme: Tenant, globex: Tenant) -> None:
    """A request that shows a key is that key's: a bad one is not rescued by the signed-in person's rights."""
    client = signed_in(acme, make_member(acme, role=Role.MANAGER))
    assert client.get("/api/orders").status_code == 200
    assert client.get("/api/orders", headers={"Authorization": "Bearer e2a_x"}).status_code == 401


def test_session_of_one_tenant_opens_nothing_at_another(acme: Tenant, globex: Tenant) -> None:
    client = signed_in(acme, make_member(acme, role=Role.MANAGER))
    assert client.get("/api/orders").status_code == 200
    assert client.get("/api/orders", headers={"Host": "globex.localhost"}).status_code == 401
    assert client.get("/api/orders", headers={"Host": "127.0.0.1"}).status_code == 401


def test_session_ends_with_membership_account_and_tenant(acme: Tenant) -> None:
    user = make_member(acme)
    client = signed_in(acme, user)
    user.memberships.update(role=Role.VIEWER)
    assert client.get("/api/orders").status_code == 200
    user.memberships.all().delete()
    assert client.get("/api/orders").status_code == 401
    make_member(acme)
    assert client.get("/api/orders").status_code == 200
    user.is_active = False
    user.save(update_fields=["is_active"])
    assert client.get("/api/orders").status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.localhost", "acme.localhost.evil.example", "10.0.0.1"])
def test_unknown_host_is_404(acme: Tenant, host: str) -> None:
    assert Client(headers={"Host": host}).get("/").status_code == 404
    assert Client(headers={"Host": host, "X-Forwarded-Host": "acme.localhost"}).get("/api/orders").status_code == 404


@pytest.mark.parametrize("host", ["a b", "", "acme.localhost/x", "[::1"])
def test_malformed_host_is_400_or_404(acme: Tenant, host: str) -> None:
    assert Client(headers={"Host": host}).get("/").status_code in (400, 404)


def test_host_of_an_inactive_tenant_is_404(acme: Tenant) -> None:
    Tenant.objects.filter(slug="acme").update(active=False)
    assert on_host("acme").get("/").status_code == 404
