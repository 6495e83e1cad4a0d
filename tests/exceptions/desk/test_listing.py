"""The desk's list: its cost at 100,000 exceptions, tabs, filters, sorts and pages."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tenants.utils import schema_context

from exceptions.desk.selectors import count_each
from exceptions.selectors import Filters
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
