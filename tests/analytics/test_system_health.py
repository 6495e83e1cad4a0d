"""GET /api/admin/system-health: who may, what runs, and what of this tenant waits."""

from datetime import timedelta
from typing import Any

import pytest
from django_tenants.utils import schema_context

from analytics.api import health
from orders.models import DeadLetter, Order
from tenants.models import Tenant
from tests.exceptions.cast import NOW, make_order
from tests.programs import program

PATH = "/api/admin/system-health"
RUNS = {"postgres": "ok", "redis": "ok", "worker": "ok", "beat": "ok", "radar": "ok"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the installation's parts are said to be."""
    said = dict(RUNS)
    monkeypatch.setattr(health, "health_parts", lambda: said)
    return said


def told(slug: str = "acme") -> dict[str, Any]:
    answer = program(slug, "admin").get(PATH)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def test_a_tenant_at_rest_is_well(acme: Tenant, parts: dict[str, str]) -> None:
    found = told()
    assert found.pop("as_of")
    assert found == {
        "status": "ok", "parts": RUNS, "waiting": {}, "dead_letters": 0, "last_event_received_at": None,
    }  # fmt: skip


def test_what_is_away_is_named(acme: Tenant, parts: dict[str, str]) -> None:
    parts["worker"] = "silent for 90 s"
    found = told()
    assert (found["status"], found["parts"]["worker"]) == ("degraded", "silent for 90 s")


def test_what_waits_is_counted_for_its_own_tenant_only(acme: Tenant, globex: Tenant, parts: dict[str, str]) -> None:
    with schema_context("acme"):
        order = make_order()
        Order.objects.filter(pk=order.pk).update(fold_retry_at=NOW, last_received_at=NOW)
        watched = make_order("source:shopify")
        Order.objects.filter(pk=watched.pk).update(last_received_at=NOW + timedelta(hours=1))
        DeadLetter.objects.create(source="wms", reason="schema", body=b"{", digest=b"1" * 16)
        DeadLetter.objects.create(source="wms", reason="schema", body=b"{", digest=b"2" * 16, status="discarded")
    found = told()
    assert found["waiting"] == {"orders to judge again": 1}
    assert (found["dead_letters"], found["last_event_received_at"]) == (1, "2026-11-23T12:00:00Z")
    assert told("globex")["waiting"] == {} and told("globex")["dead_letters"] == 0


@pytest.mark.parametrize("scope", ["ingest", "read", "operate"])
def test_only_the_scope_admin_may(acme: Tenant, scope: str) -> None:
    assert program("acme", scope).get(PATH).status_code == 403
