"""What a draft's weights would make of what is open: equal to what is stored under the policy in force, and each weight counts."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from e2a.postgresql.raw import database_now, raw_connection
from exceptions.models import ExceptionRecord
from exceptions.weighing import Effect, effect_of
from orders.ingest import ingest
from orders.radar import run_round
from tenants.models import Role, SlaPolicy, Tenant
from tenants.policy import parse_policy
from tests.orders.door_cast import event
from tests.orders.policy_cast import drafted
from tests.orders.test_door_properties import read
from tests.tenants.cast import make_member, signed_in

RULES: dict[str, Any] = {
    "rules": [
        {
            "name": "Express",
            "when": {"shipping_service": "express"},
            "targets": {"order_fulfillment": {"minutes": 60, "warn": {"share": 0.5, "open_exception": True}}},
        },
        {"name": "Others", "targets": {"order_fulfillment": {"minutes": 60}, "payment_processing": {"minutes": 30}}},
    ],
    "priority": {"customer_tier": {"gold": 20}, "order_value": [{"currency": "EUR", "at_least_cents": 10_000, "points": 15}]},
    "severity": {"raise": [{"when": {"customer_tier": "vip"}, "by": 1}], "problems": {"ADDRESS_INVALID": "HIGH"}},
}  # fmt: skip
ORDERS: list[tuple[str, float, dict[str, Any], list[str]]] = [  # id, minutes ago, what it carries, what followed
    ("plain", 70, {}, []),
    ("gold", 70, {"customer_tier": "gold"}, []),
    ("dear", 130, {"order_value_cents": 20_000, "currency": "EUR"}, []),
    ("vip", 300, {"customer_tier": "vip"}, ["address_invalid"]),
    ("warned", 40, {"shipping_service": "express"}, ["payment_confirmed"]),
    ("failed", 10, {}, ["payment_failed"]),
]


@pytest.fixture
def now(acme: Tenant) -> datetime:
    moment = database_now(raw_connection())
    SlaPolicy.objects.create(tenant=acme, version=2, valid_from=moment - timedelta(days=90), rules=RULES)
    return moment


@pytest.fixture
def opened(now: datetime, in_acme: Tenant) -> datetime:
    """Real orders through the door, judged by the radar."""
    for order, ago, carries, kinds in ORDERS:
        at = now - timedelta(minutes=ago)
        for kind in ["order_created", *kinds]:
            payload = carries if kind == "order_created" else {}
            body = event(
                f"{order}-{kind}", event_type=kind, order_id=order, occurred_at=at.isoformat(), payload=payload
            )
            ingest("acme", read([json.dumps(body).encode()], now), now=now)
            at += timedelta(minutes=1)
    run_round()
    connection.set_schema("acme")
    return now


def under(changes: dict[str, Any], now: datetime) -> Effect:
    return effect_of(parse_policy({**RULES, **changes}), now=now)


def priorities(effect: Effect) -> dict[tuple[str, str], int]:
    return {(row.record.order_ref, row.record.reason_code): row.priority for row in effect.rows}


def test_the_policy_in_force_gives_what_is_stored(opened: datetime) -> None:
    found = under({}, opened)
    assert len(found.rows) == ExceptionRecord.objects.filter(verdict="active").count() >= 9
    assert {row.record.severity for row in found.rows} == {"LOW", "MEDIUM", "HIGH", "CRITICAL"}
    assert [row for row in found.rows if row.changes] == []
    assert (
        [row.place for row in found.rows]
        == [row.place_then for row in found.rows]
        == list(range(1, len(found.rows) + 1))
    )
    assert (found.other_severity, found.other_priority, found.whole) == (0, 0, True)


FULFILLMENT = "FULFILLMENT_DELAY"


@pytest.mark.parametrize(
    ("changes", "key", "by"),
    [
        ({"priority": {**RULES["priority"], "customer_tier": {"gold": 50}}}, ("gold", FULFILLMENT), 30),
        ({"priority": {**RULES["priority"], "order_value": []}}, ("dear", FULFILLMENT), -15),
        ({"priority": {**RULES["priority"], "reasons": {FULFILLMENT: 7}}}, ("plain", FULFILLMENT), 7),
        ({"priority": {**RULES["priority"], "severity": {"LOW": 11, "MEDIUM": 40, "HIGH": 70, "CRITICAL": 100}}}, ("warned", FULFILLMENT), 1),
        ({"severity": {"raise": []}}, ("vip", "ADDRESS_INVALID"), 40 - 100),
        ({"severity": {**RULES["severity"], "problems": {"PAYMENT_FAILED": "CRITICAL"}}}, ("failed", "PAYMENT_FAILED"), 30),
        ({"severity": {"stages": {"order_fulfillment": [{"severity": "LOW"}, {"severity": "HIGH", "after_minutes": 5}]}}}, ("plain", FULFILLMENT), 30),
    ],
    ids=["tier", "value", "reason", "severity", "raise", "problem", "how late"],
)  # fmt: skip
def test_each_weight_moves_what_it_is_about(
    opened: datetime, changes: dict[str, Any], key: tuple[str, str], by: int
) -> None:
    assert priorities(under(changes, opened))[key] - priorities(under({}, opened))[key] == by


def test_repeats_weigh_and_places_change(opened: datetime) -> None:
    ExceptionRecord.objects.filter(order_ref="plain", reason_code=FULFILLMENT).update(occurrence_count=4)
    found = under({"priority": {**RULES["priority"], "repeat": 50}}, opened)
    first = found.rows[0]
    assert (first.record.order_ref, first.priority, first.place_then) == ("plain", 40 + 3 * 50, 1)
    assert first.place > 1


def page(tenant: Tenant, role: str = Role.VIEWER) -> Any:
    return signed_in(tenant, make_member(tenant, f"{tenant.slug}-{role}", role=role)).get("/policy/draft/effect/")


def test_the_page_shows_it_to_its_own_tenant_only(opened: datetime, acme: Tenant, globex: Tenant) -> None:
    drafted(acme, {**RULES, "priority": {"customer_tier": {"gold": 500}}})
    drafted(globex, RULES)
    text = page(acme).content.decode()
    assert "1 would get another severity" not in text
    assert "→ <strong" in text and "gold" in text and "what is open stays as it is" in text
    assert text.index("gold") < text.index("vip")
    assert "No exception is open" in page(globex).content.decode()


def test_without_a_usable_draft_it_says_so(acme: Tenant) -> None:
    assert "There is no draft." in page(acme).content.decode()
    drafted(acme, {"rules": [{"name": "A", "targets": {"order_fulfillment": {"minutes": -1}}}]})
    assert "Shown once nothing in the draft is wrong." in page(acme, Role.MANAGER).content.decode()
    assert Client(headers={"Host": "acme.localhost"}).get("/policy/draft/effect/").status_code == 302


def test_it_asks_as_often_for_many_as_for_one(opened: datetime, acme: Tenant) -> None:
    drafted(acme, RULES)
    client = signed_in(acme, make_member(acme, "olga", role=Role.VIEWER))

    def count() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get("/policy/draft/effect/").status_code == 200
        return len(caught)

    assert "Nothing changes" in client.get("/policy/draft/effect/").content.decode()
    many = count()
    with schema_context("acme"):
        ExceptionRecord.objects.exclude(order_ref="plain").update(
            status="RESOLVED", resolution="manual", resolved_by="person", resolved_at=opened
        )
    assert count() == many
