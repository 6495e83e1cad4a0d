"""Webhook sources: secrets shown once, unique in the installation, two valid ones while a rotation lasts."""

from base64 import b64decode
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models.functions import Now

from orders.sources import find_source
from tenants.models import Provider, Tenant, WebhookSecret, WebhookSource
from tenants.services.sources import (
    create_source,
    edit_source,
    end_old_secrets,
    remove_ended_secrets,
    rotate_secret,
)
from tests.orders.webhook_cast import post, said, signature

BODY = b'{"id": 1}'
GIVEN = "given-by-the-provider-0123456789"


def secrets_of(name: str = "shopify") -> tuple[str, ...]:
    source = find_source("acme", name)
    assert source is not None
    return source.secrets


def make(tenant: Tenant, name: str = "shopify", provider: str = Provider.SHOPIFY, **more: Any) -> WebhookSource:
    return create_source(tenant=tenant, name=name, provider=provider, **{"secret": GIVEN, **more}).source


def deliver(secret: str) -> int:
    headers = {
        "X-Shopify-Topic": "orders/test",
        "X-Shopify-Hmac-Sha256": signature(BODY, secret),
        "X-Shopify-Event-Id": "e",
    }
    return post("acme/shopify", BODY, **headers).status_code


def refused(field: str, act: Any) -> str:
    with pytest.raises(ValidationError) as error:
        act()
    assert list(error.value.message_dict) == [field]
    return str(error.value.message_dict[field][0])


def test_secret_is_encrypted_at_rest_and_opens_the_address(acme: Tenant) -> None:
    made = create_source(tenant=acme, name="shopify", provider="shopify", secret=f" {GIVEN} ")
    assert made.secret == GIVEN
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, digest FROM public.tenants_webhooksecret")
        assert GIVEN not in str(cursor.fetchall())
    assert deliver(GIVEN) == 200


def test_made_secret_has_256_bits_in_the_providers_form(acme: Tenant) -> None:
    standard = create_source(tenant=acme, name="std", provider="standard").secret
    assert len(b64decode(standard.removeprefix("whsec_"))) == 32
    plain = create_source(tenant=acme, name="easypost", provider="easypost").secret
    assert len(plain) == 43
    assert secrets_of("easypost") == (plain,)


def test_rotation_leaves_two_valid_secrets_until_the_grace_ends(acme: Tenant) -> None:
    source = make(acme)
    second = rotate_secret(source=source).secret
    assert (deliver(GIVEN), deliver(second)) == (200, 200)
    third = rotate_secret(source=source, grace=timedelta(hours=1)).secret
    assert (deliver(GIVEN), deliver(second), deliver(third)) == (401, 200, 200)
    WebhookSecret.objects.filter(valid_until__isnull=False).update(valid_until=Now() - timedelta(seconds=1))
    assert (deliver(second), deliver(third)) == (401, 200)
    assert remove_ended_secrets() == 1
    assert WebhookSecret.objects.count() == 1


def test_grace_can_be_nothing_or_ended_early(acme: Tenant) -> None:
    source = make(acme)
    second = rotate_secret(source=source, grace=timedelta(0)).secret
    assert (deliver(GIVEN), deliver(second)) == (401, 200)
    third = rotate_secret(source=source).secret
    assert end_old_secrets(source=source) == 1
    assert (deliver(second), deliver(third)) == (401, 200)


def test_secret_is_unique_among_all_tenants(acme: Tenant, globex: Tenant) -> None:
    source = make(acme)
    assert refused("secret", lambda: make(globex)).startswith("This secret is in use at a source already")
    assert refused("secret", lambda: rotate_secret(source=source, secret=GIVEN)).startswith("This secret is in use")
    assert not WebhookSource.objects.filter(tenant=globex).exists()
    assert secrets_of() == (GIVEN,)
    assert WebhookSecret.objects.get().valid_until is None


@pytest.mark.parametrize(
    ("words", "field", "sentence"),
    [
        ({"name": "Shop!"}, "name", "Use small letters and digits"),
        ({"name": "a" * 17}, "name", "Ensure this value has at most 16"),
        ({"provider": "fax"}, "provider", "Value 'fax' is not a valid choice."),
        ({"timezone": "Mars"}, "timezone", "“Mars” is no zone"),
        ({"merchant": "A B"}, "merchant", "Use small letters and digits"),
        ({"secret": "short"}, "secret", "A secret has 16 to 512 characters."),
        ({"secret": "tab\tinside-of-it-0123456789"}, "secret", "A secret has visible characters only"),
        ({"provider": "json"}, "mapping", "“order_id” is missing"),
        ({"api_url": "ftp:/x"}, "api_url", "Enter a valid URL."),
    ],
)
def test_refused_source_is_not_made(acme: Tenant, words: dict[str, str], field: str, sentence: str) -> None:
    assert refused(field, lambda: make(acme, **words)).startswith(sentence)
    assert (WebhookSource.objects.count(), WebhookSecret.objects.count()) == (0, 0)


def test_name_is_taken_once_a_tenant(acme: Tenant, globex: Tenant) -> None:
    make(acme)
    with pytest.raises(ValidationError):
        make(acme, secret=GIVEN + "x")
    make(globex, secret=GIVEN + "y")
    assert WebhookSecret.objects.count() == 2


def test_edited_source_keeps_what_is_not_named(acme: Tenant) -> None:
    source = make(acme, api_url="https://shop.example.com", api_token="token")
    edit_source(source=source, settle_seconds=60, active=False)
    source.refresh_from_db()
    assert (source.settle_seconds, source.active, source.api_token) == (60, False, "token")
    assert deliver(GIVEN) == 401
    edit_source(source=source, active=True)
    assert deliver(GIVEN) == 200
    assert refused("timezone", lambda: edit_source(source=source, timezone="Mars"))
    source.refresh_from_db()
    assert source.timezone == "UTC"
    with pytest.raises(TypeError):
        edit_source(source=source, tenant=acme)


def test_grace_beyond_a_month_is_refused(acme: Tenant) -> None:
    source = make(acme)
    assert refused("grace", lambda: rotate_secret(source=source, grace=timedelta(days=31)))
    assert said(post("acme/shopify", BODY)) == (401, "There is no such address, or the signature is not valid.")
    assert WebhookSecret.objects.count() == 1
