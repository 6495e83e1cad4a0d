"""Reads of exceptions: filters, pages, counts."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from e2a.errors import Unprocessable
from exceptions import selectors
from exceptions.models import ExceptionRecord
from exceptions.selectors import NOBODY, Filters
from orders.models import Parcel
from tenants.models import Role, Tenant
from tests.exceptions.cast import DUE, NOW, ids, make_exception, make_member, resolved


def found(**filters: Any) -> list[str]:
    return [record.order_ref for record in selectors.list_exceptions(Filters(**filters), now=NOW)]


def test_the_list_is_newest_first_and_leaves_out_what_never_was(in_acme: Tenant) -> None:
    make_exception("old", opened_at=DUE - timedelta(days=1))
    make_exception("new")
    make_exception("never", **resolved(verdict="none", resolution="false_alarm", resolved_by="fold"))
    make_exception("done", opened_at=DUE - timedelta(hours=1), **resolved())
    assert found() == ["new", "done", "old"]
    assert found(verdict=("none",)) == ["never"]


def test_each_filter_narrows_the_list(in_acme: Tenant) -> None:
    first = make_exception("north-1", "north", severity="HIGH", assignee_id=7)
    make_exception(
        "south-22", "south", reason_code="PAYMENT_DELAY", opened_at=DUE - timedelta(hours=1), status="ACKNOWLEDGED"
    )
    Parcel.objects.create(order=first.order, tracking_number="TRACK-9")
    assert found(status=("ACKNOWLEDGED",)) == ["south-22"]
    assert found(status=("ACKNOWLEDGED", "OPEN")) == ["north-1", "south-22"]
    assert found(severity=("HIGH",)) == ["north-1"]
    assert found(reason_code=("PAYMENT_DELAY",)) == ["south-22"]
    assert found(merchant=("south",)) == ["south-22"]
    assert found(order_id="north-1") == ["north-1"]
    assert found(order_id="north") == []
    assert found(assignee=7) == ["north-1"]
    assert found(assignee=NOBODY) == ["south-22"]
    assert found(opened_after=DUE - timedelta(minutes=1)) == ["north-1"]
    assert found(opened_after=DUE) == []
    assert found(opened_before=DUE) == ["south-22"]
    assert found(search="22") == ["south-22"]
    assert found(search="NORTH") == ["north-1"]
    assert found(search="TRACK-9") == ["north-1"]
    assert found(search="%") == []


def test_overdue_runs_until_the_end_or_now(in_acme: Tenant) -> None:
    make_exception("running")
    make_exception("ended", **resolved(verdict="over", ended_at=DUE + timedelta(minutes=5)))
    make_exception("never", **resolved(verdict="none"))
    records = selectors.list_exceptions(Filters(verdict=("active", "over", "none")), now=NOW)
    overdue = {record.order_ref: record.overdue for record in records}  # type: ignore[attr-defined]
    assert overdue == {"running": timedelta(hours=1), "ended": timedelta(minutes=5), "never": None}


def test_pages_show_each_row_once_though_times_are_equal_and_rows_come_in_between(in_acme: Tenant) -> None:
    expected = [make_exception(str(n), opened_at=DUE - timedelta(minutes=n // 3)).order_ref for n in range(10)]
    seen: list[ExceptionRecord] = []
    cursor = ""
    for _ in range(4):
        page = selectors.page_exceptions(Filters(), now=NOW, cursor=cursor, size=3)
        seen += page.rows
        cursor = page.next or ""
        make_exception(f"newer-{len(seen)}", opened_at=NOW)
    assert cursor == ""
    assert sorted(record.order_ref for record in seen) == sorted(expected)
    assert [record.opened_at for record in seen] == sorted((record.opened_at for record in seen), reverse=True)


def test_the_last_page_that_is_full_leads_nowhere(in_acme: Tenant) -> None:
    for n in range(4):
        make_exception(str(n))
    first = selectors.page_exceptions(Filters(), now=NOW, cursor="", size=2)
    assert first.next is not None
    assert selectors.page_exceptions(Filters(), now=NOW, cursor=first.next, size=2).next is None


@pytest.mark.parametrize("cursor", ["zz", "é", "MjAyNi0xMS0yM3wx", "fA", "MjAyNi0xMS0yM1QxMDowMDowMHwx", "A" * 300])
def test_a_foreign_cursor_is_refused(in_acme: Tenant, cursor: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        selectors.page_exceptions(Filters(), now=NOW, cursor=cursor, size=2)
    assert list(refused.value.errors) == ["cursor"]


def test_the_export_gives_the_whole_list_in_parts(in_acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "EXPORT_CHUNK", 2)
    for n in range(5):
        make_exception(str(n))
    parts = list(selectors.export_exceptions(Filters(), now=NOW))
    assert [len(part) for part in parts] == [2, 2, 1]
    assert [record.order_ref for part in parts for record in part] == ["4", "3", "2", "1", "0"]


def test_counts_read_verdicts_and_only_the_active_ones_have_a_severity(in_acme: Tenant) -> None:
    make_exception("1", severity="HIGH")
    make_exception("2", status="ACKNOWLEDGED", severity="CRITICAL")
    make_exception("3", **resolved(severity="CRITICAL"))
    make_exception("4", **resolved(verdict="none"))
    counts = selectors.count_exceptions(Filters())
    assert counts.by_status == {"OPEN": 1, "ACKNOWLEDGED": 1, "IN_PROGRESS": 0, "RESOLVED": 1}
    assert counts.active_by_severity == {"LOW": 0, "MEDIUM": 0, "HIGH": 1, "CRITICAL": 1}
    assert counts.active == 2


def test_a_member_is_found_by_name_mail_or_id_in_the_own_tenant_only(acme: Tenant, globex: Tenant) -> None:
    anna = make_member(acme, "anna")
    spy = make_member(globex, "spy", Role.MANAGER)
    for name in ("anna", "ANNA@example.com", str(anna.pk)):
        assert selectors.find_member("acme", name) == anna
    for name in ("spy", "spy@example.com", str(spy.pk), "nobody", "９"):
        assert selectors.find_member("acme", name) is None


def test_another_tenant_sees_nothing(acme: Tenant, globex: Tenant) -> None:
    with schema_context("acme"):
        record = make_exception()
    with schema_context("globex"):
        assert found(verdict=("active", "over", "none")) == []
        assert selectors.count_exceptions(Filters()).active == 0
        assert list(selectors.export_exceptions(Filters(), now=NOW)) == []
        assert selectors.exceptions_of_order(record.order_id, now=NOW) == []


def test_a_page_of_the_list_takes_one_query_and_an_index(in_acme: Tenant) -> None:
    make_exception("1")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = selectors.page_exceptions(Filters(), now=NOW, cursor="", size=50)
    assert (len(queries), len(ids(page.rows))) == (1, 1)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {queries[0]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Scan using exception_newest" in plan
