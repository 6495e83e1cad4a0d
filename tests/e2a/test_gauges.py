"""The gauges of CONTRACT 6, at /metrics."""

import re

import pytest
from django.test import Client
from django_tenants.utils import schema_context

from analytics.gauges import Counted
from e2a.observability.metrics import Words
from orders.models import Order
from tenants.models import Tenant
from tests.orders.door_cast import event, send
from tests.programs import program

CONTRACT = [
    "ingest_success_total",
    "ingest_errors_total",
    "ingest_latency_seconds",
    "sla_breach_total",
    "sla_evaluation_duration_seconds",
    "sla_compliance_rate",
    "active_exceptions",
    "ai_requests_total",
    "ai_failures_total",
    "ai_tokens_used_total",
    "db_connections_active",
    "db_connections_max",
    "redis_cache_hit_rate",
]


def value(name: str) -> float | None:
    text = Client(headers={"Host": "127.0.0.1"}).get("/metrics").content.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


@pytest.fixture(autouse=True)
def uncounted() -> None:
    Counted.at = 0.0


@pytest.mark.parametrize("name", CONTRACT)
def test_every_metric_of_the_contract_is_there(db: None, name: str) -> None:
    text = Client(headers={"Host": "127.0.0.1"}).get("/metrics").content.decode()
    assert re.search(rf"^# TYPE octup_{name} ", text, re.MULTILINE)


def test_servers_tell_of_themselves(db: None) -> None:
    assert (value("octup_db_connections_active") or 0) >= 1
    assert value("octup_db_connections_max") == 300
    assert 0 <= (value('octup_redis_cache_hit_rate{cache_type="redis"}') or 0) <= 1


def test_each_tenants_active_exceptions_are_its_own(acme: Tenant) -> None:
    send(program("acme", "ingest"), event(event_type="payment_failed"))
    assert value('octup_active_exceptions{severity="HIGH",tenant="acme"}') == 1
    assert value('octup_active_exceptions{severity="HIGH",tenant="globex"}') == 0
    assert value('octup_sla_compliance_rate{tenant="globex"}') is None


def test_counting_all_tenants_leaves_the_connection_in_public(acme: Tenant) -> None:
    value("octup_db_connections_max")
    with schema_context("globex"):
        assert Order.objects.count() == 0


def test_words_that_senders_choose_stay_few() -> None:
    words = Words(most=2)
    assert [words.of("acme", word) for word in ("a", "b", "a", "c", "b")] == ["a", "b", "a", "other", "b"]
    assert words.of("globex", "c") == "c"
