"""The board of what is at risk: its order, filters, pages, file, counts, and how it stays live."""

import csv
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from e2a.postgresql.raw import database_now, raw_connection
from exceptions.live import version
from orders.models import Order, Stage
from orders.pages.at_risk import HEADER
from tenants.models import Role, Tenant
from tests.live import Live
from tests.tenants.cast import make_member, signed_in


def risk(order_id: str, left: int | None, name: str = "order_fulfillment", **columns: Any) -> Stage:
    """`left`: minutes until it is due; None while it is paused. `carries`: columns of the order."""
    now = database_now(raw_connection())
    with schema_context("acme"):
        order, _ = Order.objects.get_or_create(order_id=order_id, **columns.pop("carries", {"merchant": "north"}))
        given: dict[str, Any] = {
            "state": "RUNNING",
            "severity": "LOW",
            "started_at": now - timedelta(hours=2),
            "at_risk_at": now - timedelta(minutes=3),
            "due_at": None if left is None else now + timedelta(minutes=left),
            **columns,
        }
        return Stage.objects.create(order=order, name=name, target_seconds=3600, **given)


@pytest.fixture
def desk(acme: Tenant) -> Client:
    return signed_in(acme, make_member(acme, role=Role.VIEWER))


def listed(client: Client, query: str = "") -> list[str]:
    """The orders on the board, in their order."""
    text = client.get(f"/at-risk/{query}").content.decode()
    return [
        part.partition("<")[0]
        for part in text.split('font-medium num" href="')[1:]
        for part in [part.partition(">")[2]]
    ]


def test_board_counts_down_the_least_time_left_first(desk: Client) -> None:
    assert "Nothing is at risk" in desk.get("/at-risk/").content.decode()
    for order_id, left in (("later", 90), ("paused", None), ("soonest", 2), ("soon", 30)):
        risk(order_id, left)
    assert listed(desk) == ["soonest", "soon", "later", "paused"]
    text = desk.get("/at-risk/").content.decode()
    assert text.count("data-left=") == 3
    assert "Paused" in text


def test_filters_stand_in_the_address_and_name_what_is_there(desk: Client) -> None:
    carries = {"merchant": "south", "warehouse": "LIS1", "carrier": "UPS", "rule": "Express"}
    risk("one", 5, carries=carries)
    risk("two", 6, "payment_processing")
    for name, value in carries.items():
        assert listed(desk, f"?{name}={value}") == ["one"], name
    assert listed(desk, "?stage=payment_processing&merchant=") == ["two"]
    assert "Nothing of this filter is at risk" in desk.get("/at-risk/?merchant=west").content.decode()
    text = desk.get("/at-risk/").content.decode()
    assert "<option>south</option>" in text
    assert "<option>LIS1</option>" not in text  # one choice is none


@pytest.mark.parametrize("query", ["stage=packing", f"merchant={'m' * 200}", "rule=%00", "cursor=x"])
def test_filter_that_cannot_be_used_is_refused(desk: Client, query: str) -> None:
    assert desk.get(f"/at-risk/?{query}").status_code == 422


def test_pages_go_on_through_the_paused_ones(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.pages.at_risk.PAGE_SIZE", 2)
    wanted = ["a", "b", "c", "p1", "p2", "p3"]
    for order_id, left in zip(wanted, (1, 2, 2, None, None, None), strict=True):
        risk(order_id, left)
    found, query = [], ""
    for _ in range(3):
        found += listed(desk, query)
        text = desk.get(f"/at-risk/{query}").content.decode()
        query = "?cursor=" + text.partition("?cursor=")[2].partition('"')[0]
    assert found == wanted
    assert ">Later" not in text
    assert ">Soonest</a>" in text


def test_saved_and_missed_are_counted(desk: Client) -> None:
    now = database_now(raw_connection())
    risk("saved", 5, state="COMPLETED", ended_at=now - timedelta(hours=1))
    risk("missed", -60, severity="MEDIUM", breached=True)
    risk("missed too", -30, severity="MEDIUM", breached=True, state="COMPLETED", ended_at=now)
    risk("never warned of", -30, severity="MEDIUM", breached=True, at_risk_at=None)
    risk("long ago", -60 * 24 * 9, severity="MEDIUM", breached=True)
    risk("now", 20)
    text = desk.get("/at-risk/").content.decode()
    counts = [part.partition("<")[0] for part in text.split('kpi-value">')[1:]]
    assert counts == ["1", "1", "1", "2"]


def test_file_holds_the_filtered_list_and_no_formula(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.at_risk.PART", 1)
    for number in range(3):
        risk(f"=o{number}", number + 1)
    risk("other", 1, "delivery")
    answer = desk.get("/at-risk/at-risk.csv?stage=order_fulfillment")
    assert answer["Content-Type"].startswith("text/csv")
    header, *rows = csv.reader(b"".join(answer.streaming_content).decode().splitlines())  # type: ignore[attr-defined]
    assert tuple(header) == HEADER
    assert [row[0] for row in rows] == ["'=o0", "'=o1", "'=o2"]
    assert {row[1] for row in rows} == {"north"}


def test_board_asks_as_often_for_many_as_for_one(desk: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert desk.get("/at-risk/").status_code == 200
        return len(found)

    risk("first", 1)
    few = queries()
    for number in range(12):
        risk(f"order-{number}", number)
    assert queries() == few
    assert few <= 17


def test_page_learns_of_a_warning_that_opens_no_exception(in_acme: Tenant) -> None:
    before = version()
    stage = risk("quiet", 5)
    warned = version()
    assert warned != before
    with schema_context("acme"):
        Stage.objects.filter(pk=stage.pk).update(severity="MEDIUM", breached=True)
        assert version() not in (warned,)


def test_another_tenant_sees_none_of_it(desk: Client, globex: Tenant) -> None:
    risk("secret-1", 5)
    assert listed(desk) == ["secret-1"]
    other = signed_in(globex, make_member(globex, "gregor"))
    assert b"secret-1" not in other.get("/at-risk/").content
    assert b"secret-1" not in b"".join(other.get("/at-risk/at-risk.csv").streaming_content)  # type: ignore[attr-defined]
    outsider = signed_in(globex, make_member(globex, "olga"))
    outsider.defaults["HTTP_HOST"] = "acme.localhost"
    assert outsider.get("/at-risk/", headers={"Host": "acme.localhost"}).status_code == 403


@pytest.mark.browser
def test_board_counts_down_and_learns_of_changes_by_itself(live: Live, page: Any) -> None:
    acme = Tenant.objects.get(slug="acme")
    stage = risk("soon", 9)
    live.sign_in(page, acme, make_member(acme))
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(live.url("acme", "/at-risk/"))
    left = page.locator("time[data-left]")
    before = left.inner_text()
    page.wait_for_function("before => document.querySelector('time[data-left]').textContent !== before", arg=before)
    assert left.inner_text().startswith("8 min")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    risk("sooner", 3, "payment_processing")
    page.get_by_role("link", name="sooner").wait_for()  # without a reload
    page.get_by_label("Stage", exact=True).focus()
    page.keyboard.type("Hand")
    page.wait_for_url("**/at-risk/?stage=order_fulfillment")
    assert page.get_by_role("link", name="sooner").count() == 0
    with schema_context("acme"):
        Stage.objects.filter(pk=stage.pk).update(severity="MEDIUM", breached=True)
    page.get_by_text("Nothing of this filter is at risk").wait_for()
