"""The page of escalation: read by all, changed by managers, with a preview that keeps nothing."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from exceptions.models import EscalationPlan
from tenants.models import Role, Tenant, User
from tests.tenants.cast import make_member, signed_in


@pytest.fixture
def boss(acme: Tenant) -> User:
    return make_member(acme, "max", role=Role.MANAGER, first_name="Max", last_name="Boss")


@pytest.fixture
def office(acme: Tenant, boss: User) -> Client:
    return signed_in(acme, boss)


def form(boss: User, **changes: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "HIGH-0-after": "15",
        "HIGH-0-unless": "acknowledged",
        "HIGH-0-effect": "notify",
        "HIGH-0-to": "on_call",
        "timezone": "Europe/Lisbon",
        "shift-0-user": str(boss.pk),
        "shift-0-days": ["0", "1", "2", "3", "4", "5", "6"],
        "shift-0-from": "00:00",
        "shift-0-until": "00:00",
    } | changes


def versions() -> list[int]:
    with schema_context("acme"):
        return list(EscalationPlan.objects.values_list("version", flat=True))


def test_empty_page_says_what_holds(office: Client) -> None:
    text = office.get("/escalation/").content.decode()
    assert text.count("it waits for somebody to look") == 4
    assert "Nobody is ever on call" in text
    assert 'href="/escalation/"' in office.get("/").content.decode()


def test_manager_keeps_a_chain_and_all_see_it(acme: Tenant, office: Client, boss: User) -> None:
    assert office.post("/escalation/edit/", form(boss)).status_code == 302
    text = office.get("/escalation/").content.decode()
    assert "after 15 min" in text
    assert "(on call)" in text
    assert "Max Boss" in text
    assert "Every day" in text
    viewer = signed_in(acme, make_member(acme, "vera", role=Role.VIEWER))
    seen = viewer.get("/escalation/").content.decode()
    assert "after 15 min" in seen
    assert "/escalation/edit/" not in seen
    edit = office.get("/escalation/edit/").content.decode()
    assert 'name="HIGH-0-after" value="15"' in edit
    assert 'name="version" value="1"' in edit


def test_preview_tells_and_keeps_nothing(office: Client, boss: User) -> None:
    text = office.post("/escalation/edit/", form(boss, preview="1")).content.decode()
    assert "A preview, not kept yet." in text
    assert "after 15 min" in text
    assert 'name="HIGH-0-after" value="15"' in text
    assert versions() == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"HIGH-0-after": "soon"}, "Minutes: It must be a whole number"),
        ({"HIGH-0-to": "user:999999"}, "Whom: Choose a member of the team"),
        ({"timezone": "Mars"}, "is no zone"),
        ({"shift-0-days": []}, "Days: Choose at least one day."),
        ({"shift-0-from": "x"}, "From: It must be a time of day"),
        ({"override-0-date": "2026-02-30", "override-0-from": "10:00", "override-0-until": "11:00"}, "Day: It must be"),
    ],
)
@pytest.mark.parametrize("button", [{}, {"preview": "1"}])
def test_what_does_not_fit_is_said_at_its_row(
    office: Client, boss: User, changes: dict[str, Any], sentence: str, button: dict[str, str]
) -> None:
    answer = office.post("/escalation/edit/", form(boss, **changes, **button))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert versions() == []


def test_of_two_managers_the_second_is_told(office: Client, boss: User) -> None:
    office.post("/escalation/edit/", form(boss))
    answer = office.post("/escalation/edit/", form(boss, **{"HIGH-0-after": "30"}))
    assert answer.status_code == 409
    assert "Somebody else has saved" in answer.content.decode()
    assert 'value="30"' in answer.content.decode()
    assert versions() == [1]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_others_change_nothing(acme: Tenant, boss: User, role: str) -> None:
    client = signed_in(acme, make_member(acme, "olga", role=role))
    assert client.get("/escalation/edit/").status_code == 403
    assert client.post("/escalation/edit/", form(boss)).status_code == 403
    assert versions() == []


def test_another_tenants_member_cannot_be_named_nor_its_chain_seen(
    acme: Tenant, globex: Tenant, office: Client, boss: User
) -> None:
    gregor = make_member(globex, "gregor", role=Role.MANAGER)
    answer = office.post("/escalation/edit/", form(boss, **{"HIGH-0-to": f"user:{gregor.pk}"}))
    assert answer.status_code == 422
    office.post("/escalation/edit/", form(boss))
    assert "after 15 min" not in signed_in(globex, gregor).get("/escalation/").content.decode()


def test_page_asks_as_often_for_a_long_chain(office: Client, boss: User) -> None:
    with CaptureQueriesContext(connection) as few:
        office.get("/escalation/")
    steps = {f"HIGH-{n}-{name}": value for n in range(9) for name, value in (
        ("after", str(15 + n)), ("unless", "resolved"), ("effect", "notify"), ("to", "role:manager")
    )}  # fmt: skip
    assert office.post("/escalation/edit/", form(boss, **steps)).status_code == 302
    with CaptureQueriesContext(connection) as many:
        office.get("/escalation/")
    assert len(many) == len(few) <= 11
