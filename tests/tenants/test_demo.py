"""The demo's tenant and logins: made once, found again, and never set back over what somebody changed."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tenants.models import Membership, Tenant, User, WebhookSource
from tenants.services.accounts import change_password

GIVEN = {
    "source": "shopify",
    "secret": "s" * 32,
    "api_url": "http://127.0.0.1:8090",
    "api_token": "shpat_1",
    "password": "first-password-1",
    "admin_password": "other-password-2",
}
pytestmark = pytest.mark.django_db


def prepare(monkeypatch: pytest.MonkeyPatch, **changes: str) -> dict[str, Any]:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({**GIVEN, **changes})))
    out = io.StringIO()
    call_command("prepare_demo", "acme", json=True, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return found


def test_a_second_run_finds_what_the_first_made(monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(monkeypatch)
    assert first == {
        "tenant": "acme", "created": False, "username": "demo", "password_known": True, "admin": "admin", "admin_password_known": True,
    }  # fmt: skip
    assert prepare(monkeypatch) == first
    assert list(Membership.objects.values_list("tenant__slug", "user__username", "role")) == [
        ("acme", "demo", "manager")
    ]
    assert list(User.objects.filter(is_superuser=True).values_list("username", "is_staff")) == [("admin", True)]
    source = WebhookSource.objects.get()
    assert (source.tenant.slug, source.provider, source.api_url, source.api_token) == (
        "acme",
        "shopify",
        GIVEN["api_url"],
        "shpat_1",
    )
    assert [row.secret for row in source.secrets.all()] == [GIVEN["secret"]]


def test_a_moved_shop_and_a_new_secret_are_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch)
    prepare(monkeypatch, api_url="http://127.0.0.1:9090", secret="t" * 32)
    source = WebhookSource.objects.get()
    assert source.api_url == "http://127.0.0.1:9090"
    assert {row.secret: row.valid_until is None for row in source.secrets.all()} == {"t" * 32: True, "s" * 32: False}


def test_a_password_that_somebody_changed_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch)
    change_password(user=User.objects.get(username="demo"), password="chosen-by-dana-3")
    assert prepare(monkeypatch)["password_known"] is False
    assert User.objects.get(username="demo").check_password("chosen-by-dana-3")


def test_input_without_its_keys_makes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"source": "shopify"}'))
    with pytest.raises(CommandError, match="must be a JSON object with the texts source, secret"):
        call_command("prepare_demo", "nobody")
    assert not User.objects.exists() and not Tenant.objects.filter(slug="nobody").exists()
