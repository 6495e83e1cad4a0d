"""/api/notifications and /api/escalation: a member's own, and a manager's."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django_tenants.utils import schema_context

from exceptions.api.notifications import CHOSEN
from exceptions.models import EscalationPlan, Notification, Preference
from tenants.models import Role, Tenant, User
from tests.exceptions.notifications.cast import tell
from tests.programs import program
from tests.tenants.cast import PASSWORD, make_member, on_host


@pytest.fixture
def anna(acme: Tenant) -> User:
    return make_member(acme, "anna")


def call(client: Client, method: str, path: str, body: Any = None) -> Any:
    return client.generic(method, path, json.dumps(body), content_type="application/json")


def as_member(tenant: Tenant, user: User) -> Client:
    asked = {"tenant": tenant.slug, "username": user.username, "password": PASSWORD}
    token = call(on_host("acme"), "POST", "/api/token", asked).json()["access"]
    return Client(headers={"Authorization": f"Bearer {token}", "X-Tenant-Id": tenant.slug, "Host": "127.0.0.1"})


def test_a_member_reads_and_marks_its_own(acme: Tenant, anna: User) -> None:
    ids = tell(anna, "A-1", "A-2", "A-3")
    others = tell(make_member(acme, "ben"), "B-1")
    client = as_member(acme, anna)
    body = client.get("/api/notifications?page_size=2").json()
    assert (body["unread"], [row["order_id"] for row in body["results"]]) == (3, ["A-3", "A-2"])
    assert body["results"][0]["text"] == "Assigned to you: Handover to the carrier late, order A-3"
    rest = client.get(f"/api/notifications?before={body['before']}").json()
    assert ([row["order_id"] for row in rest["results"]], rest["before"]) == (["A-1"], None)
    assert call(client, "POST", "/api/notifications/read", {"ids": [ids[2], others[0]]}).json() == {"read": 1}
    assert call(client, "POST", "/api/notifications/read", {"through": 10**9}).json() == {"read": 2}
    assert client.get("/api/notifications?unread=true").json()["results"] == []
    assert call(client, "POST", "/api/notifications/read", {}).status_code == 422
    with schema_context("acme"):
        assert Notification.objects.filter(way="page", read_at=None).count() == 1


def test_a_key_is_nobody(acme: Tenant) -> None:
    key = program("acme", "read", "operate", "admin")
    for method, path in (
        ("GET", "/api/notifications"),
        ("POST", "/api/notifications/read"),
        ("PUT", "/api/notifications/settings"),
    ):
        answer = call(key, method, path, {})
        assert (answer.status_code, answer.json()["detail"][:15]) == (403, "A key is nobody")


def test_a_member_chooses(acme: Tenant, anna: User) -> None:
    client = as_member(acme, anna)
    assert client.get("/api/notifications/settings").json()["timezone"] == "UTC"
    answer = call(client, "PUT", "/api/notifications/settings", CHOSEN.value)
    assert answer.json() == CHOSEN.value
    wrong = {**CHOSEN.value, "timezone": "Mars", "chosen": ["assigned:slack"]}
    answer = call(client, "PUT", "/api/notifications/settings", wrong)
    assert sorted(answer.json()["errors"]) == ["slack_target", "timezone"]
    with schema_context("acme"):
        assert Preference.objects.get().timezone == "Europe/Lisbon"


def plan(user: User, version: int = 0) -> dict[str, Any]:
    step = {"after_minutes": 5, "unless": "resolved", "effect": "notify", "to": f"user:{user.pk}"}
    shift = {"days": [0, 1, 2, 3, 4, 5, 6], "from": "00:00", "until": "00:00", "user_id": user.pk}
    rota = {"timezone": "UTC", "shifts": [shift], "overrides": []}
    return {"version": version, "chains": {"HIGH": [step]}, "rota": rota}


def test_a_manager_sets_the_escalation_and_others_do_not(acme: Tenant, globex: Tenant, anna: User) -> None:
    boss = as_member(acme, make_member(acme, "max", role=Role.MANAGER))
    assert boss.get("/api/escalation").json()["version"] == 0
    assert call(as_member(acme, anna), "PUT", "/api/escalation", plan(anna)).status_code == 403
    assert call(program("globex", "read", "admin"), "PUT", "/api/escalation", plan(anna)).status_code == 422
    body = call(boss, "PUT", "/api/escalation", plan(anna)).json()
    assert (body["version"], body["chains"]) == (1, plan(anna)["chains"])
    assert body["on_call"] == {"user_id": anna.pk, "name": "anna", "until": None}
    assert call(boss, "PUT", "/api/escalation", plan(anna)).status_code == 409
    bad = plan(anna, 1)
    bad["chains"]["HIGH"][0]["to"] = "user:0"
    assert "HIGH[0].to" in call(boss, "PUT", "/api/escalation", bad).json()["errors"]
    with schema_context("acme"):
        assert EscalationPlan.objects.count() == 1
    with schema_context("globex"):
        assert EscalationPlan.objects.count() == 0


def test_a_chain_to_begin_with_is_installed_once(acme: Tenant, capsys: Any) -> None:
    boss = make_member(acme, "max", role=Role.MANAGER)
    for sentence in ("The chain is in force.", "There is a chain already"):
        call_command("install_escalation", "acme")
        assert sentence in capsys.readouterr().out
    with schema_context("acme"):
        row = EscalationPlan.objects.get()
    assert (sorted(row.chains), row.rota["shifts"][0]["user_id"]) == (["CRITICAL", "HIGH"], boss.pk)
    with pytest.raises(CommandError, match="no tenant “nowhere”"):
        call_command("install_escalation", "nowhere")
