"""The desk's list: its cost at 100,000 exceptions, tabs, filters, sorts and pages."""

import io
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tenants.utils import schema_context
from openpyxl import load_workbook

from exceptions.desk.models import BulkRun, DeskColumns
from exceptions.desk.selectors import count_each, count_within
from exceptions.desk.tabs import TABS
from exceptions.models import ExceptionRecord
from exceptions.selectors import NOBODY, Filters, filter_exceptions
from tenants.models import Tenant, User
from tests.exceptions.cast import DUE, make_exception, resolved
from tests.exceptions.desk.cast import make_many
from tests.tenants.cast import make_member, signed_in


@pytest.fixture
def maria(acme: Tenant) -> User:
    return make_member(acme)


@pytest.fixture
def desk(acme: Tenant, maria: User) -> Client:
    return signed_in(acme, maria)


def text_of(client: Client, query: str = "") -> str:
    answer = client.get(f"/exceptions/?{query}")
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def rows_of(text: str) -> list[str]:
    """The orders' ids, in the order of the rows."""
    return re.findall(r'href="/orders/\d+/">([^<]+)<', text)


def tabs_of(text: str) -> dict[str, str]:
    strip = text.partition('aria-label="Status"')[2].partition("</nav>")[0]
    return dict(re.findall(r'status=(\w+)"[^>]*>[^<]*<span class="count">([^<]+)<', strip))


def test_first_view_of_100_000_exceptions_takes_twelve_queries_at_most(acme: Tenant, desk: Client) -> None:
    """None of them reads the whole table to sort it: the rows come off an index, the counts stop at a bound."""
    with schema_context("acme"):
        make_many(100_000)
    with CaptureQueriesContext(connection) as found:
        text = text_of(desk)
    assert len(found) <= 12
    assert len(rows_of(text)) == 50
    assert tabs_of(text)["active"] == tabs_of(text)["open"] == tabs_of(text)["resolved"] == "10,000+"
    assert tabs_of(text)["mine"] == "0"
    assert tabs_of(text)["in_progress"] == "10,000"
    (rows,) = [each["sql"] for each in found if "overdue" in each["sql"]]
    with schema_context("acme"), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {rows}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Scan using exception_by_priority" in plan
    assert "Sort" not in plan
    with schema_context("acme"):
        searched = filter_exceptions(Filters(search="o-1050000"))
        assert searched.get().order_ref == "SO-1050000"
        assert "Bitmap Index Scan on exception_search" in searched.explain()


def test_tabs_say_how_many_they_have(desk: Client, maria: User) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    with schema_context("acme"):
        make_exception("open")
        make_exception("mine", assignee_id=maria.pk, status="IN_PROGRESS")
        make_exception("sleeps", snoozed_until=tomorrow, status="ACKNOWLEDGED")
        make_exception("slept", snoozed_until=timezone.now() - timedelta(minutes=1), status="ACKNOWLEDGED")
        make_exception("done", **resolved())
    assert tabs_of(text_of(desk)) == {
        "active": "3", "open": "1", "mine": "1", "unassigned": "2", "acknowledged": "1",
        "in_progress": "1", "snoozed": "1", "resolved": "1", "all": "5",
    }  # fmt: skip
    assert rows_of(text_of(desk, "status=mine")) == ["mine"]
    assert rows_of(text_of(desk, "status=snoozed")) == ["sleeps"]
    assert set(rows_of(text_of(desk, "status=unassigned"))) == {"open", "slept"}


def test_counts_stop_at_their_bound(acme: Tenant) -> None:
    with schema_context("acme"):
        make_many(20)
        found = count_each({"all": Filters(), "resolved": Filters(status=("RESOLVED",))}, most=9)
    assert found == {"all": 10, "resolved": 4}


@pytest.mark.parametrize(
    "base",
    [
        Filters(),
        Filters(merchant=("north",)),
        Filters(carrier=("dhl",), assignee=7),
        Filters(assignee=NOBODY),
        Filters(search="SO-10000"),
    ],
)
def test_both_ways_of_counting_agree(in_acme: Tenant, base: Filters) -> None:
    make_many(60)
    numbers = list(ExceptionRecord.objects.order_by("pk").values_list("pk", flat=True))
    ExceptionRecord.objects.filter(pk__in=numbers[:30:4]).update(assignee_id=7)
    tomorrow = timezone.now() + timedelta(days=1)
    ExceptionRecord.objects.filter(pk__in=numbers[:40:5]).update(snoozed_until=tomorrow)
    lists = {value: tab.narrow(base, me=7) for value, tab in TABS.items()}
    assert count_within(base, lists) == count_each(lists)
    assert count_within(base, lists, most=2)["resolved"] <= 3


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("carrier=dhl", {"2"}),
        ("warehouse=berlin", {"2", "3"}),
        ("warehouse=berlin&carrier=ups", {"3"}),
        ("stage=delivery", {"3"}),
        ("older_than=4", {"4"}),
        ("verdict=over&status=all", set()),
        ("snoozed=true", {"2", "3", "4"}),  # a tab's part of the address, no filter
    ],
)
def test_filters_of_the_desk_stand_in_the_address(desk: Client, query: str, found: set[str]) -> None:
    with schema_context("acme"):
        for number, carrier, warehouse in (("2", "dhl", "berlin"), ("3", "ups", "berlin"), ("4", "", "")):
            order = make_exception(number, opened_at=timezone.now() - timedelta(hours=3)).order
            order.carrier, order.warehouse = carrier, warehouse
            order.save()
            order.exceptions.update(
                stage="delivery" if number == "3" else "order_fulfillment",
                opened_at=timezone.now() - timedelta(hours=5 if number == "4" else 3),
            )
    assert set(rows_of(text_of(desk, query))) == found


def test_filters_offer_what_there_is(desk: Client) -> None:
    with schema_context("acme"):
        make_many(20)
    text = text_of(desk, "carrier=gone")
    assert re.findall(r'<option value="(\w*)"[^>]*>', text.partition('name="carrier"')[2].partition("</select>")[0]) == [
        "", "dhl", "dpd", "ups", "gone",
    ]  # fmt: skip
    assert '<option value="lyon">' in text
    assert '<option value="south">' in text


def test_sorts_by_priority_unless_told_otherwise(desk: Client) -> None:
    with schema_context("acme"):
        make_exception("low", opened_at=DUE, priority=10)
        make_exception("high", opened_at=DUE - timedelta(hours=2), priority=90)
        make_exception("middle", opened_at=DUE - timedelta(hours=1), priority=50)
    assert rows_of(text_of(desk)) == ["high", "middle", "low"]
    assert rows_of(text_of(desk, "sort=newest")) == ["low", "middle", "high"]
    assert rows_of(text_of(desk, "sort=overdue")) == ["high", "middle", "low"]
    assert rows_of(text_of(desk, "status=all")) == ["low", "middle", "high"]
    refused = desk.get("/exceptions/?sort=colour")
    assert (refused.status_code, "is no order of the list" in refused.content.decode()) == (422, True)


@pytest.mark.parametrize("sort", ["priority", "newest", "overdue"])
def test_pages_show_each_row_once_in_every_sort(desk: Client, sort: str) -> None:
    with schema_context("acme"):
        make_many(150)
    seen: list[str] = []
    query = f"sort={sort}&status=all"
    while True:
        text = text_of(desk, query)
        seen += rows_of(text)
        following = re.search(r'rel="next" href="/exceptions/\?([^"]+)"', text)
        if not following:
            break
        query = following[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 150


def test_file_is_of_the_tab_and_the_filter(desk: Client, maria: User) -> None:
    with schema_context("acme"):
        make_exception("1", assignee_id=maria.pk)
        make_exception("2", assignee_id=maria.pk, snoozed_until=timezone.now() + timedelta(days=1))
        make_exception("3")
    address = re.search(r'href="(/api/exceptions\.csv[^"]*)"', text_of(desk, "status=mine&older_than=1"))
    assert address
    path = address[1].replace("&amp;", "&")
    assert parse_qs(urlsplit(path).query) == {
        "status": ["OPEN", "ACKNOWLEDGED", "IN_PROGRESS"], "snoozed": ["false"], "assignee": ["me"], "older_than": ["1"],
    }  # fmt: skip
    lines = b"".join(desk.get(path).streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert [line.split(",")[1] for line in lines] == ["order_id", "1"]


def test_workbook_is_the_same_list(desk: Client, maria: User) -> None:
    with schema_context("acme"):
        make_exception("=HYPERLINK(1)", assignee_id=maria.pk)
        make_exception("2")
    path = re.search(r'href="(/api/exceptions\.xlsx[^"]*)"', text_of(desk, "status=mine"))
    assert path
    answer = desk.get(path[1].replace("&amp;", "&"))
    assert answer["Content-Disposition"] == 'attachment; filename="exceptions.xlsx"'
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).worksheets[0]  # type: ignore[attr-defined]
    names, first = ([cell.value for cell in row] for row in sheet.iter_rows())
    told = dict(zip(names, first, strict=True))
    assert (told["order_id"], told["assignee"], told["status"]) == ("=HYPERLINK(1)", "maria", "OPEN")
    assert told["opened_at"] == DUE.replace(tzinfo=None)


def test_files_are_the_tenants_own(globex: Tenant, desk: Client) -> None:
    with schema_context("acme"):
        make_exception("secret-1")
    other = signed_in(globex, make_member(globex, "gregor"))
    sheet = load_workbook(io.BytesIO(b"".join(other.get("/api/exceptions.xlsx").streaming_content))).worksheets[0]  # type: ignore[attr-defined]
    assert sheet.max_row == 1
    assert b"secret-1" not in b"".join(other.get("/api/exceptions.csv").streaming_content)  # type: ignore[attr-defined]


def live(client: Client, query: str, shown: list[str], following: str = "") -> str:
    """What an open page gets that shows these orders."""
    with schema_context("acme"):
        ids = dict(ExceptionRecord.objects.values_list("order_ref", "pk"))
    headers = {"HX-Request": "true", "E2A-Shown": ",".join(str(ids[order]) for order in shown), "E2A-Next": following}
    answer = client.get(f"/exceptions/?{query}", headers=headers)
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def change(order_ref: str, **columns: Any) -> None:
    with schema_context("acme"):
        ExceptionRecord.objects.filter(order_ref=order_ref).update(**columns)


def test_rows_of_an_open_page_stay_where_they_are(desk: Client) -> None:
    """One changes its place in a fresh list, one goes out of the filter, one is new: no row moves, and the bar says it."""
    with schema_context("acme"):
        for order, priority in (("a", 30), ("b", 20), ("c", 10)):
            make_exception(order, priority=priority)
    assert rows_of(text_of(desk, "status=open")) == ["a", "b", "c"]
    change("c", priority=90, severity="CRITICAL")
    change("b", status="ACKNOWLEDGED")
    with schema_context("acme"):
        make_exception("d", priority=25)
    text = live(desk, "status=open", ["a", "b", "c"])
    assert rows_of(text) == ["a", "b", "c"]
    assert "1 new, 1 gone: show" in text
    assert text.count("row-left") == 1
    assert "Critical" in text
    assert rows_of(text_of(desk, "status=open")) == ["c", "a", "d"]


def test_open_page_counts_as_new_only_what_belongs_on_it(desk: Client) -> None:
    with schema_context("acme"):
        make_many(80)
    text = text_of(desk, "status=all")
    following = re.search(r'data-next="([^"]+)"', text)
    assert following
    shown = rows_of(text)
    for order in shown[:5]:
        change(order, verdict="none", ended_at=None)
    with schema_context("acme"):
        make_exception("new", opened_at=timezone.now())
    after = live(desk, "status=all", shown, following[1])
    assert "1 new, 5 gone: show" in after  # the rows of the next page that would move up are not new
    assert following[1] in after.partition('rel="next"')[2]


def test_page_whose_rows_are_all_gone_is_made_afresh(desk: Client) -> None:
    with schema_context("acme"):
        make_exception("a")
        make_exception("b", status="ACKNOWLEDGED")
    change("a", status="ACKNOWLEDGED")
    assert "None here" in live(desk, "status=open", ["a"])
    assert set(rows_of(live(desk, "status=acknowledged", []))) == {"a", "b"}


@pytest.mark.parametrize("shown", ["x", "1,,2", "9" * 40, ",".join(["1"] * 300)])
def test_odd_headers_make_a_fresh_list(desk: Client, shown: str) -> None:
    with schema_context("acme"):
        make_exception("a")
    headers = {"HX-Request": "true", "E2A-Shown": shown}
    assert rows_of(desk.get("/exceptions/", headers=headers).content.decode()) == ["a"]


def test_act_on_many_that_runs_shows_on_the_list(desk: Client) -> None:
    with schema_context("acme"):
        BulkRun.objects.create(
            action="resolve", total=4000, position=1000, ids=[1], asked_by="user:maria", state="running"
        )
    assert "Resolve 4,000: 25% done" in text_of(desk)


def test_columns_of_the_order_cost_no_query_for_each_row(desk: Client, maria: User) -> None:
    with schema_context("acme"):
        DeskColumns.objects.create(user_id=maria.pk, columns=["order", "carrier", "warehouse", "value"])
        make_many(60)
    with CaptureQueriesContext(connection) as found:
        assert ">dhl</td>" in text_of(desk)
    assert len(found) <= 12
