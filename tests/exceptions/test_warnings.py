"""A stage at risk and its breach are one exception; priorities sort the list."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exceptions.models import ExceptionRecord
from exceptions.reconcile import reconcile
from exceptions.selectors import Filters, page_by_priority
from orders.models import Order
from orders.ports import Change, Finding
from tenants.models import Tenant
from tenants.weights import Bearing, PriorityRules
from tests.exceptions.cast import DUE, LATE, NOW, apply, change_of, ids, kinds, make_exception, make_order, resolved
from tests.orders.door_cast import said
from tests.programs import program

RISK = DUE - timedelta(hours=1)
WARNING = Finding("active", RISK, None, None, "LOW", "at_risk", "order_fulfillment", DUE)
SAVED = WARNING._replace(verdict="over", ended_at=DUE, how="saved")


def record() -> ExceptionRecord:
    return ExceptionRecord.objects.get()


def columns() -> tuple[Any, ...]:
    found = record()
    return found.status, found.severity, found.verdict, found.resolution, found.occurrence_count, found.opened_at


def test_breach_raises_the_warning_and_surfaces_again(in_acme: Tenant) -> None:
    order = make_order()
    opened = apply(change_of(order, WARNING))
    assert columns() == ("OPEN", "LOW", "active", None, 1, RISK)
    assert apply(change_of(order, LATE, WARNING)) == opened
    assert columns() == ("OPEN", "MEDIUM", "active", None, 1, DUE)
    assert kinds(record()) == ["opened", "breached"]
    assert record().timeline.get(kind="breached").detail == {"from": "LOW", "to": "MEDIUM"}


def test_acknowledged_warning_stays_acknowledged_when_it_comes_true(in_acme: Tenant) -> None:
    found = make_exception()
    ExceptionRecord.objects.filter(pk=found.pk).update(
        occurrence_key="at_risk", opened_at=RISK, severity="LOW", status="ACKNOWLEDGED"
    )
    apply(change_of(found.order, LATE, WARNING))
    assert columns()[:2] == ("ACKNOWLEDGED", "MEDIUM")


def test_saved_stage_resolves_its_warning(in_acme: Tenant) -> None:
    order = make_order()
    apply(change_of(order, WARNING))
    assert apply(change_of(order, SAVED, WARNING)) == []
    assert columns() == ("RESOLVED", "LOW", "over", "saved", 1, RISK)


def test_saved_before_anyone_heard_is_born_resolved(in_acme: Tenant) -> None:
    assert apply(change_of(make_order(), SAVED)) == []
    assert columns() == ("RESOLVED", "LOW", "over", "saved", 1, RISK)


def test_breach_after_a_person_closed_the_warning_reopens(in_acme: Tenant) -> None:
    found = make_exception(**resolved(occurrence_key="at_risk", opened_at=RISK, severity="LOW"))
    assert apply(change_of(found.order, LATE, WARNING)) == [found.pk]
    assert columns() == ("OPEN", "MEDIUM", "active", None, 2, DUE)


def test_late_proof_turns_a_breach_into_a_saved_warning(in_acme: Tenant) -> None:
    order = make_order()
    apply(change_of(order, LATE))
    apply(change_of(order, SAVED, LATE))
    assert columns() == ("RESOLVED", "LOW", "over", "saved", 1, RISK)


def test_breach_that_is_over_already_ends_the_warning(in_acme: Tenant) -> None:
    order = make_order()
    apply(change_of(order, WARNING))
    ended = LATE._replace(verdict="over", ended_at=NOW, how="completed_late")
    apply(change_of(order, ended, WARNING))
    assert columns() == ("RESOLVED", "MEDIUM", "over", "completed_late", 1, DUE)


def test_nothing_new_is_nothing_written() -> None:
    assert reconcile(WARNING, WARNING, None, at=NOW).row is None


RULES = PriorityRules(reasons={"FULFILLMENT_DELAY": 3}, repeat=7)


def weighed(order: Order, bearing: Bearing, before: Finding | None = None) -> Change:
    finding = LATE._replace(bearing=bearing)
    return Change(order.pk, order.order_id, order.merchant, "FULFILLMENT_DELAY", before, finding, False, "test", RULES)


def test_priority_is_the_sum_of_its_parts_and_follows_the_order(in_acme: Tenant) -> None:
    order = make_order()
    apply(weighed(order, Bearing(0, 20, 15)))
    assert (record().priority, record().priority_parts) == (
        78,
        {"severity": 40, "reason": 3, "customer_tier": 20, "order_value": 15},
    )
    apply(weighed(order, Bearing(), LATE._replace(bearing=Bearing(0, 20, 15))))
    assert (record().priority, kinds(record())) == (43, ["opened"])
    again = LATE._replace(opened_at=NOW, due_at=NOW, occurrence_key="later")
    apply(Change(order.pk, order.order_id, order.merchant, "FULFILLMENT_DELAY", LATE, again, False, "test", RULES))
    assert (record().priority, record().priority_parts["repeat"]) == (50, 7)


def test_list_by_priority_is_paged_without_a_gap(in_acme: Tenant) -> None:
    for number, priority in enumerate([10, 40, 40, 100, 40, 10]):
        found = make_exception(str(number), opened_at=DUE - timedelta(minutes=number % 2))
        ExceptionRecord.objects.filter(pk=found.pk).update(priority=priority)
    expected = list(ExceptionRecord.objects.order_by("-priority", "-opened_at", "-pk").values_list("pk", flat=True))
    seen, cursor = [], ""
    while True:
        with CaptureQueriesContext(connection) as queries:
            page = page_by_priority(Filters(), now=NOW, cursor=cursor, size=2)
        assert len(queries) == 1
        seen += ids(page.rows)
        if page.next is None:
            break
        cursor = page.next
    assert seen == expected


@pytest.mark.django_db
def test_api_sorts_by_priority_and_refuses_another_lists_cursor(in_acme: Tenant) -> None:
    for number, priority in enumerate([10, 100]):
        found = make_exception(str(number))
        ExceptionRecord.objects.filter(pk=found.pk).update(priority=priority)
    reader = program("acme", "read")
    first = said(reader.get("/api/exceptions?sort=priority&page_size=1"))[1]  # type: ignore[arg-type]
    assert [each["priority"] for each in first["results"]] == [100]
    rest = said(reader.get(first["next"]))[1]  # type: ignore[arg-type]
    assert ([each["priority"] for each in rest["results"]], rest["next"]) == ([10], None)
    newest = said(reader.get("/api/exceptions?page_size=1"))[1]["next"]  # type: ignore[arg-type]
    assert reader.get(f"{newest}&sort=priority").status_code == 422
    assert reader.get("/api/exceptions?sort=best").status_code == 422
    assert said(program("globex", "read").get("/api/exceptions?sort=priority"))[1]["results"] == []  # type: ignore[arg-type]
