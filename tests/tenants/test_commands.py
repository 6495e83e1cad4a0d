"""`create_tenant`, `create_api_key`, `revoke_api_key` (CONTRACT 1): what they make, what they print, what they refuse."""

import json
import re
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django_tenants.utils import schema_context

from orders.models import Order
from tenants.access import access_by_key
from tenants.management.commands.create_api_key import end_of
from tenants.models import ApiKey, Domain, SlaPolicy, Tenant
from tests.programs import program


def run(*words: str, **options: Any) -> str:
    out = StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def refusal(*words: str) -> str:
    with pytest.raises(CommandError) as refused:
        run(*words)
    return str(refused.value)


def schemas() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace")
        return {name for (name,) in cursor.fetchall()}


def test_create_tenant_makes_row_host_schema_and_policy(db: None) -> None:
    sla = '{"payment_processing_minutes": 30, "order_fulfillment_hours": 24}'
    billing = '{"currency": "EUR"}'
    said = run(
        "create_tenant", "north-3pl", "--name", "North", "--domain", "Ops.North.example", "--timezone", "Europe/Lisbon",
        "--sla", sla, "--billing", billing, "--json",
    )  # fmt: skip

    assert json.loads(said.splitlines()[-1]) == {
        "tenant": "north-3pl", "name": "North", "schema": "north_3pl", "domain": "ops.north.example", "timezone": "Europe/Lisbon",
    }  # fmt: skip
    tenant = Tenant.objects.get(slug="north-3pl")
    assert (tenant.billing, tenant.active) == ({"currency": "EUR"}, True)
    (policy,) = SlaPolicy.objects.filter(tenant=tenant)
    assert (policy.version, policy.rules) == (1, json.loads(sla))
    with schema_context("north_3pl"):
        assert Order.objects.count() == 0


def test_tenant_without_options_has_the_default_policy_and_host(acme: Tenant) -> None:
    assert Domain.objects.get(tenant=acme).domain == "acme.localhost"
    assert SlaPolicy.objects.get(tenant=acme).rules["order_fulfillment_hours"] == 24


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["Acme"], "TENANT: A tenant's name is 3 to 40 characters"),
        (["a--b"], "TENANT: A tenant's name is 3 to 40 characters"),
        (["public"], "TENANT: “public” is reserved; choose another name."),
        (["pg-catalog"], "TENANT: “pg-catalog” is reserved; choose another name."),
        (["acme"], "TENANT: There is a tenant of this name already; choose another."),
        (["taken"], "TENANT: The database already has a schema “taken”."),
        (
            ["north", "--timezone", "Mars/Base"],
            "--timezone: “Mars/Base” is no zone; use an IANA name such as Europe/Lisbon.",
        ),
        (["north", "--domain", "acme.localhost"], "--domain: This host is a tenant's already; choose another."),
        (["north", "--domain", "http://x.example"], "--domain: A host is a name such as demo-3pl.example.com"),
        (["north", "--domain", "localhost"], "--domain: “localhost” is the platform's own host; choose another."),
        (["north", "--sla", "{"], "--sla is not JSON: Expecting property name"),
        (["north", "--sla", "[1]"], "--sla must be a JSON object"),
        (["north", "--sla", '{"order_fulfillment_hours": NaN}'], "--sla is not JSON: NaN is no JSON number."),
        (
            ["north", "--sla", '{"order_fulfillment_hours": -1}'],
            "--sla: order_fulfillment_hours: It is -1; give a number of hours",
        ),
        (
            ["north", "--sla", '{"speed": 1}'],
            "--sla: speed: There is no such key; the keys are order_fulfillment_hours",
        ),
        (["north", "--billing", "7"], "--billing must be a JSON object"),
        (["north", "--name", "x" * 121], "--name: Ensure this value has at most 120 characters (it has 121)."),
    ],
)
def test_refused_tenant_leaves_neither_row_nor_schema(db: None, words: list[str], sentence: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA taken")
    before = schemas(), Tenant.objects.count(), Domain.objects.count(), SlaPolicy.objects.count()
    assert refusal("create_tenant", *words).startswith(sentence)
    assert (schemas(), Tenant.objects.count(), Domain.objects.count(), SlaPolicy.objects.count()) == before


def test_failed_making_of_tables_leaves_neither_row_nor_schema(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise RuntimeError("a table could not be made")

    monkeypatch.setattr("tenants.services.schemas.create_tables", fail)
    with pytest.raises(RuntimeError):
        run("create_tenant", "north")
    assert "north" not in schemas()
    assert not Tenant.objects.filter(slug="north").exists()


def test_created_key_is_alone_on_the_last_line_and_opens_what_it_says(acme: Tenant) -> None:
    said = run(
        "create_api_key", "acme", "--scope", "ingest", "--scope", "read", "--source", "wms", "--merchant", "north-shop"
    )
    key = said.splitlines()[-1]
    assert re.fullmatch(r"e2a_[0-9a-f]{12}_[0-9a-f]{48}", key)
    assert said.count(key) == 1
    access = access_by_key(key, "acme")
    assert (access.scopes, access.sources, access.merchant) == ({"ingest", "read"}, {"wms"}, "north-shop")
    row = ApiKey.objects.get(prefix=key.split("_")[1])
    assert key.split("_")[2] not in str(row.__dict__)


def test_key_as_json_is_one_object_on_the_last_line(acme: Tenant) -> None:
    said = json.loads(
        run("create_api_key", "acme", "--scope", "read", "--expires", "2999-01-31", "--json").splitlines()[-1]
    )
    assert said["expires_at"] == "2999-02-01T00:00:00+00:00"
    assert access_by_key(said["key"], "acme").actor == f"key:{said['prefix']}"


def test_day_of_expiry_lasts_to_its_end_in_the_tenants_zone() -> None:
    assert end_of("2027-01-31", "America/Sao_Paulo") == datetime(2027, 2, 1, 3, tzinfo=UTC)
    assert end_of("2027-01-31T12:00:00+01:00", "UTC") == datetime(2027, 1, 31, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nobody", "--scope", "read"], "There is no active tenant “nobody”."),
        (["acme", "--scope", "root"], "--scope: “root” is no scope; choose among ingest, read, operate, admin."),
        (["acme", "--scope", "read", "--expires", "2020-01-01"], "--expires: The end lies in the past"),
        (["acme", "--scope", "read", "--expires", "soon"], "--expires: “soon” is no date"),
        (
            ["acme", "--scope", "read", "--expires", "2027-01-31T12:00:00"],
            "--expires: “2027-01-31T12:00:00” has no zone",
        ),
        (["acme", "--scope", "read", "--source", "a b"], "--source: “a b” is no source's name: at most 16"),
        (["acme", "--scope", "read", "--merchant", "N S"], "--merchant: Use small letters and digits"),
    ],
)
def test_refused_key_is_not_made(acme: Tenant, words: list[str], sentence: str) -> None:
    assert refusal("create_api_key", *words).startswith(sentence)
    assert not ApiKey.objects.exists()


def test_revoked_key_opens_nothing_at_its_next_request(acme: Tenant) -> None:
    client = program("acme", "read")
    assert client.get("/api/orders").status_code == 200
    row = ApiKey.objects.get()
    said = json.loads(run("revoke_api_key", f"e2a_{row.prefix}", "--json").splitlines()[-1])
    assert (said["tenant"], said["prefix"]) == ("acme", row.prefix)
    assert client.get("/api/orders").status_code == 401
    assert json.loads(run("revoke_api_key", row.prefix, "--json"))["revoked_at"] == said["revoked_at"]


@pytest.mark.parametrize("prefix", ["000000000000", "nonsense", ""])
def test_unknown_prefix_revokes_nothing(acme: Tenant, prefix: str) -> None:
    client = program("acme", "read")
    assert refusal("revoke_api_key", prefix).startswith("There is no API key with this prefix")
    assert client.get("/api/orders").status_code == 200


@pytest.mark.parametrize("command", ["create_tenant", "create_api_key", "revoke_api_key"])
def test_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command(command, "--help")
    assert ended.value.code == 0
    assert "--json" in capsys.readouterr().out
