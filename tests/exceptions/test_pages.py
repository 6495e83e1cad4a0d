"""The pages of exceptions: list, one, and what is done there."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tenants.utils import schema_context

from exceptions.models import ExceptionRecord
from exceptions.pages.telling import tell
from tenants.models import Role, Tenant, User
from tests.exceptions.cast import DUE, kinds, make_exception, resolved
from tests.tenants.cast import make_member, signed_in

HTMX = {"HX-Request": "true"}


@pytest.fixture
def maria(acme: Tenant) -> User:
    return make_member(acme)


@pytest.fixture
def desk(acme: Tenant, maria: User) -> Client:
    return signed_in(acme, maria)


@pytest.fixture
def one(acme: Tenant) -> ExceptionRecord:
    with schema_context("acme"):
        return make_exception("1001", "north")


def reread(record: ExceptionRecord) -> ExceptionRecord:
    with schema_context("acme"):
        return ExceptionRecord.objects.get(pk=record.pk)


def timeline_of(record: ExceptionRecord) -> list[str]:
    with schema_context("acme"):
        return kinds(record)


def act(client: Client, record: ExceptionRecord, action: str, **data: Any) -> Any:
    return client.post(f"/exceptions/{record.pk}/{action}/", data, headers=HTMX)


def test_list_shows_what_is_wrong_newest_first(desk: Client, one: ExceptionRecord) -> None:
    with schema_context("acme"):
        make_exception("1002", opened_at=DUE + timedelta(minutes=5))
        make_exception("1003", **resolved())
    text = desk.get("/exceptions/").content.decode()
    assert text.index("1002") < text.index("1001")
    assert "1003" not in text
    assert "Handover to the carrier late" in text
    assert "1003" in desk.get("/exceptions/?status=resolved").content.decode()


@pytest.mark.parametrize("hours", [-1, 1])
def test_times_on_a_page_are_told_by_the_clock_of_the_database(acme: Tenant, maria: User, hours: int) -> None:
    with schema_context("acme"):
        make_exception("1001", opened_at=timezone.now() - timedelta(minutes=20))
    with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=True):
        shown = signed_in(acme, maria).get("/exceptions/").content.decode()
    assert re.search(r">20 min( \d+ s)? ago<", shown)
    assert abs(int(re.search(r'data-now="(\d+)"', shown)[1]) - timezone.now().timestamp()) < 60


def test_part_alone_is_sent_to_htmx(desk: Client, one: ExceptionRecord) -> None:
    part = desk.get("/exceptions/", headers=HTMX)
    assert b"<html" not in part.content
    assert b"1001" in part.content
    assert "HX-Request" in part["Vary"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("severity=HIGH", {"2"}),
        ("reason_code=PAYMENT_FAILED", {"2"}),
        ("merchant=south", {"2"}),
        ("assignee=me", {"3"}),
        ("assignee=nobody", {"2", "4"}),
        ("search=4", {"4"}),
        ("history=true", {"4"}),
        ("history=false", {"2", "3"}),
        ("status=acknowledged", {"3"}),
        ("status=ACKNOWLEDGED", {"3"}),
        ("status=all&merchant=&severity=", {"2", "3", "4"}),
    ],
)
def test_filter_stands_in_the_address(desk: Client, maria: User, query: str, found: set[str]) -> None:
    with schema_context("acme"):
        make_exception("order-2", "south", severity="HIGH", reason_code="PAYMENT_FAILED")
        make_exception("order-3", status="ACKNOWLEDGED", assignee_id=maria.pk)
        make_exception("order-4", history=True)
    text = desk.get(f"/exceptions/?{query}").content.decode()
    assert {number for number in "234" if f">order-{number}<" in text} == found


def test_unusable_filter_gets_a_sentence(desk: Client) -> None:
    answer = desk.get("/exceptions/?severity=PURPLE")
    assert answer.status_code == 422
    assert "“PURPLE” is not known here" in answer.content.decode()


def test_pages_of_the_list_follow_the_cursor(desk: Client) -> None:
    with schema_context("acme"):
        for number in range(52):
            make_exception(f"order-{number:02}", opened_at=DUE + timedelta(minutes=number))
    first = desk.get("/exceptions/").content.decode()
    assert ">order-51<" in first
    assert ">order-01<" not in first
    cursor = first.partition("cursor=")[2].partition('"')[0]
    second = desk.get(f"/exceptions/?cursor={cursor}").content.decode()
    assert ">order-01<" in second
    assert ">order-02<" not in second


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return len(found)


def test_list_asks_as_often_for_many_as_for_one(desk: Client, maria: User, one: ExceptionRecord) -> None:
    few = queries_of(desk, "/exceptions/?status=all")
    with schema_context("acme"):
        for number in range(20):
            make_exception(f"order-{number}", assignee_id=maria.pk)
    assert queries_of(desk, "/exceptions/?status=all") == few
    assert few <= 12


def test_file_has_the_same_filter(desk: Client, one: ExceptionRecord) -> None:
    text = desk.get("/exceptions/?status=all&merchant=north").content.decode()
    assert 'href="/api/exceptions.csv?merchant=north"' in text
    assert desk.get("/api/exceptions.csv?merchant=north").status_code == 200


def test_acknowledging_is_in_the_timeline(desk: Client, one: ExceptionRecord) -> None:
    answer = act(desk, one, "acknowledge")
    assert answer.status_code == 204
    assert "Acknowledged." in answer["HX-Trigger"]
    assert reread(one).status == "ACKNOWLEDGED"
    text = desk.get(f"/exceptions/{one.pk}/").content.decode()
    assert "by maria" in text


def test_each_act_has_its_address(desk: Client, maria: User, one: ExceptionRecord) -> None:
    assert act(desk, one, "start").status_code == 204
    assert act(desk, one, "take").status_code == 204
    assert reread(one).assignee_id == maria.pk
    assert act(desk, one, "assign", assignee="", reason="on leave").status_code == 204
    assert act(desk, one, "snooze", hours="4").status_code == 204
    assert act(desk, one, "wake").status_code == 204
    assert act(desk, one, "comment", text="Called them.").status_code == 204
    assert act(desk, one, "resolve", resolution="refunded", reason="agreed").status_code == 204
    assert (reread(one).status, reread(one).resolution) == ("RESOLVED", "refunded")
    assert act(desk, one, "reopen").status_code == 204
    assert timeline_of(one) == [
        "opened", "started", "assigned", "assigned", "snoozed", "woken", "commented", "resolved", "reopened",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "data", "sentence"),
    [
        ("comment", {"text": " "}, "Say something first."),
        ("resolve", {"resolution": "completed_late"}, "completed_late"),
        ("snooze", {"until": "1999-01-01T00:00"}, "Name a time ahead of now"),
        ("snooze", {"until": "soon"}, "Not a time"),
        ("assign", {"assignee": "999999"}, "999999"),
    ],
)
def test_form_that_is_wrong_comes_back_with_a_sentence(
    desk: Client, one: ExceptionRecord, action: str, data: dict[str, str], sentence: str
) -> None:
    answer = act(desk, one, action, **data)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert timeline_of(one) == ["opened"]


def test_impossible_act_is_refused_and_changes_nothing(desk: Client, one: ExceptionRecord) -> None:
    with schema_context("acme"):
        ExceptionRecord.objects.filter(pk=one.pk).update(**resolved())
    answer = act(desk, one, "acknowledge")
    assert answer.status_code == 409
    assert "It is RESOLVED now" in answer.json()["detail"]
    assert timeline_of(one) == ["opened"]


@pytest.mark.parametrize(
    "action", ["acknowledge", "start", "take", "assign", "comment", "snooze", "wake", "resolve", "reopen"]
)
def test_viewer_only_looks(acme: Tenant, one: ExceptionRecord, action: str) -> None:
    viewer = signed_in(acme, make_member(acme, "vera", role=Role.VIEWER))
    assert b"/acknowledge/" not in viewer.get("/exceptions/").content
    assert act(viewer, one, action, text="x", resolution="manual").status_code == 403
    assert timeline_of(one) == ["opened"]


def test_safe_method_acts_on_nothing(desk: Client, one: ExceptionRecord) -> None:
    assert desk.get(f"/exceptions/{one.pk}/acknowledge/").status_code == 405
    assert desk.get(f"/exceptions/{one.pk}/resolve/").status_code == 200
    assert timeline_of(one) == ["opened"]


def test_without_scripts_an_act_leads_back(desk: Client, one: ExceptionRecord) -> None:
    answer = desk.post(
        f"/exceptions/{one.pk}/acknowledge/", headers={"Referer": "http://acme.localhost/exceptions/?x=1"}
    )
    assert (answer.status_code, answer["Location"]) == (302, "/exceptions/?x=1")
    answer = desk.post(f"/exceptions/{one.pk}/start/", headers={"Referer": "http://evil.example/"})
    assert answer["Location"] == f"/exceptions/{one.pk}/"


def test_another_tenant_sees_none_of_it(globex: Tenant, one: ExceptionRecord) -> None:
    other = signed_in(globex, make_member(globex, "gregor"))
    assert b"1001" not in other.get("/exceptions/?status=all").content
    assert other.get(f"/exceptions/{one.pk}/").status_code == 404
    assert act(other, one, "acknowledge").status_code == 404
    assert timeline_of(one) == ["opened"]


def test_hostile_text_is_shown_as_text(desk: Client, acme: Tenant) -> None:
    with schema_context("acme"):
        record = make_exception("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')
    act(desk, record, "comment", text="<b>{{7*7}}</b>")
    for address in ("/exceptions/", f"/exceptions/{record.pk}/", "/"):
        text = desk.get(address).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<b>" not in text


def test_nothing_inline_stands_against_the_policy(desk: Client, one: ExceptionRecord) -> None:
    for address in ("/", "/exceptions/", f"/exceptions/{one.pk}/", "/orders/"):
        answer = desk.get(address)
        text = answer.content.decode()
        assert " style=" not in text
        assert " onclick=" not in text
        assert "<style" not in text
        assert "unsafe" not in answer["Content-Security-Policy"]


def test_timeline_says_who_and_what(desk: Client, one: ExceptionRecord) -> None:
    with schema_context("acme"):
        (entry,) = one.timeline.all()
        told = tell(entry)
    assert (told.text, told.who, told.note) == ("Opened", "the order's events", "by event evt-1 from wms")


def test_page_that_is_open_asks_cheaply(desk: Client, one: ExceptionRecord) -> None:
    first = desk.get("/live?v=")
    assert first.status_code == 200
    version = first.content.decode()
    assert desk.get("/live", {"v": version}).status_code == 204
    act(desk, one, "acknowledge")
    assert desk.get("/live", {"v": version}).status_code == 200
    assert queries_of(desk, "/live?v=") <= 7


def test_closed_page_learns_nothing(acme: Tenant, globex: Tenant, maria: User) -> None:
    assert Client(headers={"Host": "acme.localhost"}).get("/live").status_code == 401
    assert signed_in(globex, maria).get("/live").status_code == 403
