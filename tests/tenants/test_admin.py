"""The platform's admin on the public host: the main forms, their refusals at the field, and who may enter."""

import json
import re
from typing import Any

import pytest
from django.contrib import admin
from django.db.models.functions import Now
from django.forms import ModelChoiceField
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from orders.sources import find_source
from tenants.access import access_by_key
from tenants.models import (
    ApiKey,
    Domain,
    Invitation,
    Mail,
    Membership,
    Role,
    SlaPolicy,
    Tenant,
    User,
    WebhookSource,
)
from tenants.services.sources import create_source
from tests.tenants.cast import PASSWORD, make_member, on_host, signed_in

PUBLIC = "e2a.public_urls"
SECRET = "given-by-the-provider-0123456789"


@pytest.fixture
def boss(db: None) -> Client:
    """A superuser on the public host."""
    user = User.objects.create_superuser("root", "root@example.com", PASSWORD)
    client = Client(headers={"Host": "localhost"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def address(model: str, page: str, *args: Any) -> str:
    return reverse(f"admin:tenants_{model}_{page}", urlconf=PUBLIC, args=args)


def errors(response: HttpResponse) -> dict[str, list[str]]:
    assert response.status_code == 200
    return {name: list(texts) for name, texts in response.context["adminform"].form.errors.items()}  # type: ignore[attr-defined]


def text(response: HttpResponse) -> str:
    return response.content.decode()


NEW_TENANT = {
    "slug": "north",
    "name": "North",
    "domain": "",
    "timezone": "Europe/Lisbon",
    "sla": '{"order_fulfillment_hours": 24}',
    "billing": "{}",
}


def test_every_page_opens(boss: Client, acme: Tenant) -> None:
    create_source(tenant=acme, name="shop", provider="shopify", secret=SECRET)
    make_member(acme)
    assert boss.get("/admin/").status_code == 200
    for model, pages in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert boss.get(reverse(f"{name}_changelist", PUBLIC)).status_code == 200, name
        if pages.has_add_permission(boss.get("/admin/").wsgi_request):
            assert boss.get(reverse(f"{name}_add", PUBLIC)).status_code == 200, name
        row = model._default_manager.first()
        if row is not None:
            assert boss.get(reverse(f"{name}_change", PUBLIC, args=[row.pk])).status_code == 200, name


def test_tenant_is_made_with_schema_host_and_policy(boss: Client) -> None:
    made = boss.post(address("tenant", "add"), NEW_TENANT | {"reason": "new contract"})
    assert made.status_code == 302
    tenant = Tenant.objects.get(slug="north")
    assert (tenant.schema_name, tenant.timezone) == ("north", "Europe/Lisbon")
    assert Domain.objects.get(tenant=tenant).domain == "north.localhost"
    assert SlaPolicy.objects.get(tenant=tenant).rules == {"order_fulfillment_hours": 24}
    history = text(boss.get(reverse("admin:pghistory_events_changelist", PUBLIC) + f"?tenant={tenant.pk}"))
    assert "new contract · /admin/tenants/tenant/add/" in history
    assert "user:root" in history


def test_history_tells_what_stood_there_before(boss: Client, acme: Tenant) -> None:
    rename = {"name": "Acme SA", "timezone": "UTC", "billing": "{}", "reason": "new name"}
    boss.post(address("tenant", "change", acme.pk), rename)
    create_source(tenant=acme, name="shop", provider="shopify", secret=SECRET)
    make_member(acme)
    page = text(boss.get(reverse("admin:pghistory_events_changelist", PUBLIC) + "?q=Acme"))
    assert "name: Acme → Acme SA" in page
    everything = text(boss.get(reverse("admin:pghistory_events_changelist", PUBLIC)))
    assert "of shop" in everything
    assert "membership operator of maria" in everything
    assert SECRET not in everything


@pytest.mark.parametrize(
    ("words", "field", "sentence"),
    [
        ({"slug": "North!"}, "slug", "A tenant's name is 3 to 40 characters"),
        ({"slug": "acme"}, "slug", "There is a tenant of this name already; choose another."),
        ({"domain": "acme.localhost"}, "domain", "This host is a tenant's already; choose another."),
        ({"domain": "http://x.example"}, "domain", "A host is a name such as"),
        ({"timezone": "Mars"}, "timezone", "Select a valid choice."),
        ({"sla": "{"}, "sla", "This is not JSON"),
        ({"sla": "[]"}, "sla", "It must be a JSON object"),
        ({"sla": '{"order_fulfillment_hours": 0, "x": 1}'}, "sla", "x: There is no such key"),
        ({"billing": "7"}, "billing", "It must be a JSON object"),
        ({"name": ""}, "name", "This field is required."),
    ],
)
def test_refused_tenant_has_a_sentence_at_its_field(
    boss: Client, words: dict[str, str], field: str, sentence: str
) -> None:
    before = Tenant.objects.count(), Domain.objects.count()
    found = errors(boss.post(address("tenant", "add"), NEW_TENANT | words))
    assert list(found) == [field]
    assert found[field][0].startswith(sentence)
    assert (Tenant.objects.count(), Domain.objects.count()) == before


def test_each_wrong_key_of_a_policy_has_its_sentence(boss: Client, acme: Tenant) -> None:
    rules = {"order_fulfillment_hours": 0, "payment_processing_minutes": "x"}
    found = errors(boss.post(address("slapolicy", "add"), {"tenant": acme.pk, "rules": json.dumps(rules), "note": ""}))
    assert [sentence.partition(":")[0] for sentence in found["rules"]] == list(rules)
    assert SlaPolicy.objects.filter(tenant=acme).count() == 1


def test_policy_is_added_as_the_next_version_and_never_edited(boss: Client, acme: Tenant) -> None:
    words = {"tenant": acme.pk, "rules": '{"order_fulfillment_hours": 48}', "note": "two days"}
    assert boss.post(address("slapolicy", "add"), words).status_code == 302
    policy = SlaPolicy.objects.get(tenant=acme, version=2)
    assert (policy.note, policy.created_by) == ("two days", "user:root")
    page = address("slapolicy", "change", policy.pk)
    assert boss.get(page).status_code == 200
    assert boss.post(page, words | {"note": "other"}).status_code == 403
    assert boss.post(address("slapolicy", "delete", policy.pk), {"post": "yes"}).status_code == 403


def test_tenant_is_edited_and_switched_off_only_after_a_question(boss: Client, acme: Tenant) -> None:
    page = address("tenant", "change", acme.pk)
    assert boss.post(page, {"name": "Acme SA", "timezone": "Europe/Lisbon", "billing": "{}"}).status_code == 302
    acme.refresh_from_db()
    assert (acme.name, acme.active) == ("Acme SA", True)
    switch = f"/admin/tenants/tenant/{acme.pk}/switch/"
    assert "stop working at once" in text(boss.get(switch))
    acme.refresh_from_db()
    assert acme.active
    assert boss.post(switch).status_code == 302
    assert on_host("acme").get("/login/").status_code == 404
    assert boss.post(switch).status_code == 302
    assert on_host("acme").get("/login/").status_code == 200


def test_key_is_shown_once_and_revoked_after_a_question(boss: Client, acme: Tenant) -> None:
    words = {"tenant": acme.pk, "name": "wms", "scopes": ["ingest", "read"], "sources": "wms, erp", "merchant": ""}
    page = boss.post(address("apikey", "add"), words)
    key = re.search(r"e2a_[0-9a-f]{12}_[0-9a-f]{48}", text(page))
    assert key
    assert "no-store" in page["Cache-Control"]
    assert access_by_key(key[0], "acme").sources == {"wms", "erp"}
    row = ApiKey.objects.get()
    for shown in (address("apikey", "change", row.pk), address("apikey", "changelist")):
        assert key[0] not in text(boss.get(shown))
    revoke = f"/admin/tenants/apikey/{row.pk}/revoke/"
    assert "cannot be undone" in text(boss.get(revoke))
    assert ApiKey.objects.get().revoked_at is None
    boss.post(revoke)
    assert ApiKey.objects.get().revoked_at is not None


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"sources": "a b"}, "sources"),
        ({"merchant": "A B"}, "merchant"),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "00:00"}, "expires_at"),
    ],
)
def test_refused_key_is_not_made(boss: Client, acme: Tenant, words: dict[str, Any], field: str) -> None:
    good = {"tenant": acme.pk, "name": "", "scopes": ["read"], "sources": "", "merchant": ""}
    assert list(errors(boss.post(address("apikey", "add"), good | words))) == [field]
    assert not ApiKey.objects.exists()


SOURCE = {
    "name": "shop",
    "provider": "shopify",
    "secret": SECRET,
    "timezone": "UTC",
    "settle_seconds": "0",
    "mapping": "{}",
    "api_url": "",
    "api_token": "",
    "merchant": "",
    "active": "on",
}


def secrets_of_shop() -> tuple[str, ...]:
    found = find_source("acme", "shop")
    assert found is not None
    return found.secrets


def test_source_shows_its_address_and_its_secret_once(boss: Client, acme: Tenant) -> None:
    page = text(boss.post(address("webhooksource", "add"), SOURCE | {"tenant": acme.pk}))
    assert SECRET in page
    assert "http://acme.localhost:8000/webhooks/acme/shop" in page
    row = WebhookSource.objects.get()
    later = text(boss.get(address("webhooksource", "change", row.pk)))
    assert SECRET not in later
    assert "Last delivery: never" in later


def test_secret_is_rotated_with_a_grace(boss: Client, acme: Tenant) -> None:
    source = create_source(tenant=acme, name="shop", provider="shopify", secret=SECRET).source
    rotate = f"/admin/tenants/webhooksource/{source.pk}/rotate/"
    assert boss.get(rotate).status_code == 200
    assert "in use at a source already" in text(boss.post(rotate, {"secret": SECRET, "grace": "24"}))
    assert secrets_of_shop() == (SECRET,)
    new = "another-of-the-provider-0123456789"
    assert new in text(boss.post(rotate, {"secret": new, "grace": "24"}))
    assert secrets_of_shop() == (new, SECRET)
    boss.post(f"/admin/tenants/webhooksource/{source.pk}/end-old/")
    assert secrets_of_shop() == (new,)


def test_edited_source_keeps_its_token_unless_a_new_one_is_given(boss: Client, acme: Tenant) -> None:
    source = create_source(tenant=acme, name="shop", provider="shopify", secret=SECRET, api_token="kept").source
    page = address("webhooksource", "change", source.pk)
    assert boss.post(page, SOURCE | {"settle_seconds": "60"}).status_code == 302
    source.refresh_from_db()
    assert (source.settle_seconds, source.api_token) == (60, "kept")
    assert list(errors(boss.post(page, SOURCE | {"merchant": "A B", "settle_seconds": "0"}))) == ["merchant"]
    source.refresh_from_db()
    assert source.settle_seconds == 60


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"name": "Shop!"}, "name"),
        ({"secret": "short"}, "secret"),
        ({"provider": "json"}, "mapping"),
        ({"mapping": "["}, "mapping"),
    ],
)
def test_refused_source_is_not_made(boss: Client, acme: Tenant, words: dict[str, str], field: str) -> None:
    assert list(errors(boss.post(address("webhooksource", "add"), SOURCE | {"tenant": acme.pk} | words))) == [field]
    assert not WebhookSource.objects.exists()


def test_source_shows_how_it_does(boss: Client, acme: Tenant) -> None:
    made = create_source(tenant=acme, name="shop", provider="shopify", secret=SECRET).source
    page = address("webhooksource", "change", made.pk)
    assert "Last delivery: never. 0 events in 24 hours. 0 dead letters wait. 0 refused for their signature." in text(
        boss.get(page)
    )
    WebhookSource.objects.filter(pk=made.pk).update(refused_count=3, refused_at=Now())
    assert "3 refused for their signature." in text(boss.get(page))


def test_first_manager_is_invited_and_the_last_is_kept(boss: Client, acme: Tenant) -> None:
    words = {"tenant": acme.pk, "email": "first@example.com", "role": "manager"}
    assert boss.post(address("invitation", "add"), words).status_code == 302
    assert list(errors(boss.post(address("invitation", "add"), words))) == ["email"]
    invitation = Invitation.objects.get()
    assert Mail.objects.get().recipient == "first@example.com"
    boss.post(f"/admin/tenants/invitation/{invitation.pk}/resend/")
    assert Mail.objects.filter(due_at__isnull=False).count() == 1
    boss.post(f"/admin/tenants/invitation/{invitation.pk}/revoke/")
    assert Mail.objects.filter(due_at__isnull=False).count() == 0
    membership = Membership.objects.get(user=make_member(acme, role=Role.MANAGER))
    assert list(errors(boss.post(address("membership", "change", membership.pk), {"role": "viewer"}))) == ["__all__"]
    refused = boss.post(address("membership", "delete", membership.pk), {"post": "yes"}, follow=True)
    assert "This is the last manager" in text(refused)
    assert Membership.objects.get().role == Role.MANAGER


def test_hosts_are_added_made_first_and_removed_but_for_the_last(boss: Client, acme: Tenant) -> None:
    assert boss.post(address("domain", "add"), {"tenant": acme.pk, "domain": "Ops.Acme.example"}).status_code == 302
    added = Domain.objects.get(domain="ops.acme.example")
    boss.post(f"/admin/tenants/domain/{added.pk}/first/")
    assert Domain.objects.get(tenant=acme, is_primary=True) == added
    assert boss.post(address("domain", "delete", added.pk), {"post": "yes"}).status_code == 302
    last = Domain.objects.get(tenant=acme)
    assert "A tenant needs a host" in text(
        boss.post(address("domain", "delete", last.pk), {"post": "yes"}, follow=True)
    )
    assert Domain.objects.filter(tenant=acme).count() == 1


def test_merchant_is_added_and_renamed(boss: Client, acme: Tenant) -> None:
    words = {"tenant": acme.pk, "slug": "north-shop", "name": "North"}
    assert boss.post(address("merchant", "add"), words).status_code == 302
    merchant = acme.merchants.get()
    assert boss.post(address("merchant", "change", merchant.pk), {"name": "North Shop"}).status_code == 302
    assert acme.merchants.get().name == "North Shop"
    assert list(errors(boss.post(address("merchant", "add"), words | {"slug": "N"}))) == ["slug"]


def test_account_is_switched_off_never_deleted(boss: Client, acme: Tenant) -> None:
    user = make_member(acme)
    client = signed_in(acme, user)
    assert client.get("/api/orders").status_code == 200
    page = address("user", "change", user.pk)
    assert boss.post(page, {"username": "maria", "email": "maria@example.com"}).status_code == 302
    assert not User.objects.get(pk=user.pk).is_active
    assert client.get("/api/orders").status_code == 401
    assert boss.post(address("user", "delete", user.pk), {"post": "yes"}).status_code == 403


def add_pages() -> list[str]:
    listed = [f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry]
    return [reverse(f"admin:{name}_add", urlconf=PUBLIC) for name in sorted(listed)]


@pytest.mark.parametrize("value", ["a\0b", "x" * 20_000], ids=["nul", "long"])
def test_no_form_breaks_over_any_text(boss: Client, acme: Tenant, value: str) -> None:
    """Each field of each form in turn: told at it, or taken; never an error of ours. (Not a choice of a row: a browser
    sends a number of its list only, and Django's own widget breaks over another.)
    """
    tried = 0
    for page in add_pages():
        shown = boss.get(page)
        if shown.status_code != 200:  # what is only looked at has no form
            continue
        fields = shown.context["adminform"].form.fields
        plain = {name: str(field.initial or "") for name, field in fields.items()}
        for name, field in fields.items():
            if isinstance(field, ModelChoiceField):
                continue
            answer = boss.post(page, {**plain, "tenant": acme.pk, name: value})
            assert answer.status_code in (200, 302), (page, name)
            tried += 1
    assert tried > 60


@pytest.mark.parametrize("model", ["tenant", "apikey", "webhooksource", "user", "slapolicy", "mail"])
def test_nobody_but_staff_enters(acme: Tenant, model: str) -> None:
    client = Client(headers={"Host": "localhost"})
    page = address(model, "changelist")
    assert client.get(page).status_code == 302
    client.force_login(make_member(acme, role=Role.MANAGER), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(page).status_code == 302
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    staff = User.objects.create_user("staff", "staff@example.com", PASSWORD, is_staff=True)
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(page).status_code == 403


def test_tenants_host_has_no_admin(acme: Tenant) -> None:
    root = User.objects.create_superuser("root", "root@example.com", PASSWORD)
    client = signed_in(acme, root)
    for path in ("/admin/", "/admin", "/admin/login/", "/admin/tenants/tenant/"):
        assert client.get(path).status_code == 404


def test_superuser_is_no_member_of_any_tenant(acme: Tenant) -> None:
    root = User.objects.create_superuser("root", "root@example.com", PASSWORD)
    assert signed_in(acme, root).get("/api/orders").status_code == 401


def test_guessing_the_admins_password_is_locked(db: None) -> None:
    User.objects.create_superuser("root", "root@example.com", PASSWORD)
    client = Client(headers={"Host": "localhost"})
    words = {"username": "root", "password": "wrong"}
    assert [client.post("/admin/login/", words).status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    locked = client.post("/admin/login/", words | {"password": PASSWORD})
    assert (locked.status_code, locked["Retry-After"]) == (429, "900")
    assert 'href="/admin/"' in text(locked)
