"""Saved views, a person's own and shared, and columns."""

from typing import Any

import pytest
from django.test import Client
from django_tenants.utils import schema_context

from exceptions.desk import views
from exceptions.desk.models import DeskColumns, SavedView
from exceptions.desk.views import Person
from tenants.models import Role, Tenant, User
from tests.exceptions.cast import make_exception
from tests.tenants.cast import make_member, signed_in

HTMX = {"HX-Request": "true"}


@pytest.fixture
def maria(acme: Tenant) -> User:
    return make_member(acme)


@pytest.fixture
def desk(acme: Tenant, maria: User) -> Client:
    return signed_in(acme, maria)


@pytest.fixture
def otto(acme: Tenant) -> Client:
    return signed_in(acme, make_member(acme, "otto"))


def save(client: Client, name: str, query: str = "", **data: Any) -> Any:
    return client.post("/exceptions/views/new/", {"name": name, "query": query} | data, headers=HTMX)


def stored() -> list[tuple[str, str, bool]]:
    with schema_context("acme"):
        return list(SavedView.objects.order_by("pk").values_list("name", "query", "shared"))


def view_id(name: str) -> int:
    with schema_context("acme"):
        return SavedView.objects.get(name=name).pk


def test_view_is_an_address_under_a_name(desk: Client) -> None:
    answer = save(desk, " Late   at DHL ", "severity=HIGH&cursor=x&open=7&carrier=dhl&status=active&merchant=")
    assert answer["HX-Redirect"] == "/exceptions/?carrier=dhl&severity=HIGH"
    assert stored() == [("Late at DHL", "carrier=dhl&severity=HIGH", False)]
    text = desk.get("/exceptions/?severity=HIGH&carrier=dhl").content.decode()
    assert '<a href="/exceptions/?carrier=dhl&amp;severity=HIGH" aria-current="true">' in text
    assert 'aria-current="true"' not in desk.get("/exceptions/").content.decode().partition('"Saved views"')[2]


def test_own_view_is_nobody_elses_and_a_shared_one_is_everybodys(desk: Client, otto: Client) -> None:
    save(desk, "Own", "severity=HIGH")
    save(desk, "Team's", "severity=LOW", shared="on")
    text = otto.get("/exceptions/").content.decode()
    assert "Team&#x27;s" in text
    assert "Own" not in text
    assert otto.get(f"/exceptions/views/{view_id('Own')}/", headers=HTMX).status_code == 404
    assert otto.post(f"/exceptions/views/{view_id('Own')}/delete/", headers=HTMX).status_code == 404
    assert len(stored()) == 2


def test_shared_view_is_changed_by_its_maker_and_by_managers(acme: Tenant, desk: Client, otto: Client) -> None:
    save(desk, "Team", "severity=LOW", shared="on")
    address = f"/exceptions/views/{view_id('Team')}/"
    for answer in (
        otto.get(address, headers=HTMX),
        otto.post(address, {"name": "Mine now"}, headers=HTMX),
        otto.post(f"{address}delete/", headers=HTMX),
    ):
        assert answer.status_code == 403
    assert stored() == [("Team", "severity=LOW", True)]
    boss = signed_in(acme, make_member(acme, "boss", role=Role.MANAGER))
    form = {"name": "Team", "shared": "on", "take": "on", "query": "severity=HIGH"}
    assert boss.post(address, form, headers=HTMX).status_code == 204
    assert stored() == [("Team", "severity=HIGH", True)]
    assert desk.post(address, {"name": "All of us", "shared": "on", "query": "x=1"}, headers=HTMX).status_code == 204
    assert stored() == [("All of us", "severity=HIGH", True)]
    assert desk.post(f"{address}delete/", headers=HTMX)["HX-Redirect"] == "/exceptions/?severity=HIGH"
    assert stored() == []


def test_viewer_saves_for_himself_and_shares_nothing(acme: Tenant, maria: User) -> None:
    vera = make_member(acme, "vera", role=Role.VIEWER)
    client = signed_in(acme, vera)
    assert b"Share it" not in client.get("/exceptions/views/new/", headers=HTMX).content
    assert save(client, "Hers", shared="on").status_code == 204
    assert stored() == [("Hers", "", False)]
    with schema_context("acme"), pytest.raises(views.MayNotShare):
        views.save_view(Person(vera.pk, frozenset({"read"})), name="x", query="", shared=True)
    assert len(stored()) == 1


def test_name_is_taken_once_among_the_shared_and_once_for_each_person(desk: Client, otto: Client) -> None:
    assert save(desk, "Morning", shared="on").status_code == 204
    assert save(desk, "Morning").status_code == 204
    assert save(otto, "morning").status_code == 204
    for refused in (save(otto, "MORNING", shared="on"), save(desk, "morning")):
        assert refused.status_code == 422
        assert "There is a view of this name already" in refused.content.decode()
    assert len(stored()) == 3


@pytest.mark.parametrize(
    ("name", "query", "sentence"),
    [
        ("", "", "Give it a name."),
        ("x" * 41, "", "40 characters"),
        ("x", "severity=PURPLE", "PURPLE"),
        ("x", "sort=up", "is no order of the list"),
        ("x", "&".join(f"merchant=merchant-{number:03}" for number in range(200)), "too long to be kept"),
    ],
)
def test_view_that_cannot_be_saved_gets_a_sentence(desk: Client, name: str, query: str, sentence: str) -> None:
    refused = save(desk, name, query)
    assert refused.status_code == 422
    assert sentence in refused.content.decode()
    assert stored() == []


def test_views_have_a_bound(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST_VIEWS", 1)
    save(desk, "one")
    assert "delete one first" in save(desk, "two").content.decode()
    assert save(desk, "three", shared="on").status_code == 204
    assert [name for name, _, _ in stored()] == ["one", "three"]


def test_columns_are_a_persons_own(desk: Client, otto: Client, maria: User) -> None:
    with schema_context("acme"):
        record = make_exception("1")
        record.order.carrier = "dhl-express"
        record.order.save()
    assert desk.post("/exceptions/columns/", {"columns": ["carrier", "priority"]}, headers=HTMX).status_code == 204
    text = desk.get("/exceptions/").content.decode()
    assert "<th>Priority</th><th>Carrier</th>" in text
    assert ">dhl-express</td>" in text
    assert "<th>Severity</th>" not in text
    assert "<th>Carrier</th>" not in otto.get("/exceptions/").content.decode()
    refused = desk.post("/exceptions/columns/", {"columns": ["shoe"]}, headers=HTMX)
    assert refused.status_code == 422
    with schema_context("acme"):
        assert DeskColumns.objects.get().columns == ["priority", "carrier"]
        views.choose_columns(
            Person(maria.pk, frozenset()), ["opened", "status", "assignee", "overdue", "order", "severity"]
        )
        assert not DeskColumns.objects.exists()


def test_without_scripts_a_view_is_saved_on_a_page(desk: Client) -> None:
    assert "<html" in desk.get("/exceptions/views/new/?severity=HIGH").content.decode()
    assert 'value="severity=HIGH"' in desk.get("/exceptions/views/new/?severity=HIGH").content.decode()
    answer = desk.post("/exceptions/views/new/", {"name": "High", "query": "severity=HIGH"})
    assert (answer.status_code, answer["Location"]) == (302, "/exceptions/?severity=HIGH")
    assert "High" in desk.get("/exceptions/views/").content.decode()


def test_views_of_another_tenant_are_not_there(desk: Client, globex: Tenant, maria: User) -> None:
    save(desk, "Secret", shared="on")
    other = signed_in(globex, make_member(globex, "maria", role=Role.MANAGER))
    assert b"Secret" not in other.get("/exceptions/").content
    assert other.post(f"/exceptions/views/{view_id('Secret')}/delete/", headers=HTMX).status_code == 404
    assert len(stored()) == 1
