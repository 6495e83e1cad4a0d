"""Policies, merchants, domains, the tenant itself, and the history that the database keeps of all configuration."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import Error, connection, transaction

from e2a.postgresql.raw import database_now, raw_connection
from tenants import models
from tenants.models import Domain, SlaPolicy, Tenant
from tenants.policy import DEFAULT_RULES, PolicyError
from tenants.services import create_api_key, revoke_api_key
from tenants.services.companies import edit_tenant, set_tenant_active
from tenants.services.domains import LastDomain, add_domain, make_primary, remove_domain
from tenants.services.merchants import create_merchant, rename_merchant
from tenants.services.policies import FIRST_POLICY_FROM, publish_policy
from tenants.services.sources import create_source, rotate_secret
from tests.tenants.cast import make_member, on_host

RULES = {"order_fulfillment_hours": 48}


def test_published_policy_is_the_next_version_from_now_on(acme: Tenant) -> None:
    before = database_now(raw_connection())
    policy = publish_policy(tenant=acme, rules=RULES, note=" two days ", by="user:boss")
    assert (policy.version, policy.rules, policy.note, policy.created_by) == (2, RULES, "two days", "user:boss")
    assert before <= policy.valid_from <= database_now(raw_connection())
    assert SlaPolicy.objects.get(tenant=acme, version=1).valid_from == FIRST_POLICY_FROM


def test_policy_may_start_later(acme: Tenant) -> None:
    later = database_now(raw_connection()) + timedelta(days=3)
    assert publish_policy(tenant=acme, rules=RULES, starts_at=later).valid_from == later


@pytest.mark.parametrize("days", [-1, 367])
def test_policy_starts_neither_in_the_past_nor_in_a_far_future(acme: Tenant, days: int) -> None:
    with pytest.raises(ValidationError) as refused:
        publish_policy(tenant=acme, rules=RULES, starts_at=datetime.now(UTC) + timedelta(days=days))
    assert list(refused.value.message_dict) == ["starts_at"]
    assert SlaPolicy.objects.filter(tenant=acme).count() == 1


def test_bad_rules_are_not_published(acme: Tenant) -> None:
    with pytest.raises(PolicyError):
        publish_policy(tenant=acme, rules={"order_fulfillment_hours": 0})
    assert SlaPolicy.objects.filter(tenant=acme).count() == 1


def test_versions_published_at_once_are_numbered_one_after_the_other(committed: None) -> None:
    acme = Tenant.objects.get(slug="acme")

    def publish() -> None:
        publish_policy(tenant=acme, rules=RULES)
        connection.close()

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(SlaPolicy.objects.filter(tenant=acme).values_list("version", flat=True)) == [5, 4, 3, 2, 1]


def test_merchant_keeps_its_slug(acme: Tenant) -> None:
    merchant = create_merchant(tenant=acme, slug="north-shop")
    assert rename_merchant(merchant=merchant, name="North").slug == "north-shop"
    with pytest.raises(ValidationError):
        create_merchant(tenant=acme, slug="north-shop")
    with pytest.raises(ValidationError):
        create_merchant(tenant=acme, slug="North Shop")


def test_tenant_keeps_one_host_and_one_first_host(acme: Tenant) -> None:
    first = Domain.objects.get(tenant=acme)
    with pytest.raises(LastDomain):
        remove_domain(domain=first)
    second = add_domain(tenant=acme, host=" Ops.Acme.Example ")
    assert (second.domain, second.is_primary) == ("ops.acme.example", False)
    assert on_host("acme", Host="ops.acme.example").get("/login/").status_code == 200
    make_primary(domain=second)
    assert list(Domain.objects.filter(tenant=acme, is_primary=True)) == [second]
    remove_domain(domain=second)
    first.refresh_from_db()
    assert first.is_primary


def test_inactive_tenant_comes_back_as_it_was(acme: Tenant) -> None:
    set_tenant_active(tenant=acme, active=False)
    assert on_host("acme").get("/login/").status_code == 404
    set_tenant_active(tenant=acme, active=True)
    assert on_host("acme").get("/login/").status_code == 200


def test_edited_tenant_is_checked(acme: Tenant) -> None:
    assert edit_tenant(tenant=acme, name=" Acme SA ", timezone="Europe/Lisbon", billing={}).name == "Acme SA"
    with pytest.raises(ValidationError) as refused:
        edit_tenant(tenant=acme, name="Acme", timezone="Mars", billing={})
    assert list(refused.value.message_dict) == ["timezone"]
    assert Tenant.objects.get(slug="acme").timezone == "Europe/Lisbon"


def changes(name: str) -> list[tuple[str, Any]]:
    rows = getattr(models, f"{name}Change").objects.order_by("pgh_id")
    return [(row.pgh_label, row) for row in rows]


def test_history_tells_what_changed_but_no_secret(db: None) -> None:
    call_command("create_tenant", "north", verbosity=0)
    north = Tenant.objects.get(slug="north")
    edit_tenant(tenant=north, name="North", timezone="Europe/Lisbon", billing={})
    make_member(north)
    made = create_api_key(tenant=north, scopes=["read"])
    revoke_api_key(prefix=made.row.prefix)
    source = create_source(tenant=north, name="shop", provider="shopify", secret="a-secret-0123456789").source
    rotate_secret(source=source, secret="another-secret-0123456789")

    assert [label for label, row in changes("Tenant") if row.slug == "north"] == ["added", "changed"]
    assert [label for label, row in changes("Membership") if row.tenant_id == north.pk] == ["added"]
    assert [label for label, row in changes("ApiKey") if row.tenant_id == north.pk] == ["added", "changed"]
    assert [label for label, row in changes("WebhookSecret") if row.source_id == source.pk] == [
        "added",
        "changed",
        "added",
    ]
    (policy,) = (row for _, row in changes("SlaPolicy") if row.tenant_id == north.pk)
    assert policy.rules == dict(DEFAULT_RULES)
    assert policy.pgh_context["command"] == "create_tenant"
    columns = {
        column.name
        for name in ("ApiKey", "WebhookSource", "WebhookSecret", "User", "Invitation")
        for column in getattr(models, f"{name}Change")._meta.get_fields()
    }
    assert not columns & {"digest", "secret", "api_token", "password", "token_digest"}


def test_history_cannot_be_altered(acme: Tenant) -> None:
    make_member(acme)
    for act in (models.UserChange.objects.all().delete, lambda: models.UserChange.objects.update(username="x")):  # type: ignore[attr-defined]
        with pytest.raises(Error), transaction.atomic():
            act()


def test_work_of_the_reconciliation_fills_no_history(acme: Tenant) -> None:
    source = create_source(tenant=acme, name="shop", provider="shopify", secret="a-secret-0123456789").source
    models.WebhookSource.objects.filter(pk=source.pk).update(reconciled_until=datetime.now(UTC))
    assert [label for label, row in changes("WebhookSource") if row.pgh_obj_id == source.pk] == ["added"]
