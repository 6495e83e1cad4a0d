"""The book: changed verdicts in, rows and timeline out, on the caller's connection."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.forms.models import model_to_dict
from django_tenants.utils import schema_context

from exceptions.book import Book, statements
from exceptions.models import ExceptionRecord, TimelineEntry
from orders.models import Order
from tenants.models import Tenant
from tests.exceptions.cast import DUE, FAILED, LATE, NOW, apply, change_of, kinds, make_exception, make_order, resolved

ENDED = LATE._replace(verdict="over", ended_at=NOW, how="completed_late")


def test_a_late_order_opens_one_exception_and_says_what_made_it(in_acme: Tenant) -> None:
    order = make_order("1001", "north")
    (pk,) = apply(change_of(order, LATE))
    record = ExceptionRecord.objects.get()
    assert model_to_dict(record) == {
        "id": pk,
        "order": order.pk,
        "merchant": "north",
        "order_ref": "1001",
        "reason_code": "FULFILLMENT_DELAY",
        "status": "OPEN",
        "severity": "MEDIUM",
        "verdict": "active",
        "resolution": None,
        "opened_at": DUE,
        "ended_at": None,
        "due_at": DUE,
        "stage": "order_fulfillment",
        "occurrence_count": 1,
        "occurrence_key": "stage",
        "assignee_id": None,
        "snoozed_until": None,
        "tags": [],
        "acknowledged_at": None,
        "resolved_at": None,
        "resolved_by": None,
        "priority": 40,
        "priority_parts": {"severity": 40},
        "history": False,
        "resolution_attempts": 0,
        "max_resolution_attempts": None,
        "resolution_blocked": False,
        "resolution_blocked_reason": "",
        "planned_occurrence": 0,
        "analysed_occurrence": 0,
        "first_seen_at": NOW,
        "updated_at": NOW,
    }
    entry = record.timeline.get()
    assert (entry.kind, entry.actor, entry.reason, entry.at) == ("opened", "fold", "event wms/evt-1", NOW)
    assert entry.detail == {"severity": "MEDIUM"}


def test_what_a_deadline_opened_is_told_of_the_radar(in_acme: Tenant) -> None:
    apply(change_of(make_order(), LATE, cause="deadline"))
    assert TimelineEntry.objects.values_list("actor", "reason").get() == ("radar", "deadline")


def test_the_same_change_twice_writes_once(in_acme: Tenant) -> None:
    order = make_order()
    assert len(apply(change_of(order, LATE))) == 1
    assert apply(change_of(order, LATE), at=NOW + timedelta(hours=1)) == []
    assert (ExceptionRecord.objects.get().updated_at, TimelineEntry.objects.count()) == (NOW, 1)


def test_a_completion_resolves_and_its_retraction_reopens(in_acme: Tenant) -> None:
    order = make_order()
    opened = apply(change_of(order, LATE))
    assert apply(change_of(order, ENDED, LATE)) == []
    record = ExceptionRecord.objects.get()
    assert (record.status, record.resolution, record.ended_at, record.resolved_at) == (
        "RESOLVED",
        "completed_late",
        NOW,
        NOW,
    )
    assert apply(change_of(order, LATE, ENDED)) == opened
    record.refresh_from_db()
    assert (record.status, record.occurrence_count, kinds(record)) == ("OPEN", 2, ["opened", "resolved", "reopened"])


def test_many_changes_of_every_kind_in_one_call(in_acme: Tenant) -> None:
    orders = [make_order(str(n)) for n in range(4)]
    apply(*(change_of(order, LATE) for order in orders[:3]))
    surfaced = apply(
        change_of(orders[3], LATE),
        change_of(orders[0], ENDED, LATE),
        change_of(orders[1], None, LATE),
        change_of(orders[2], LATE._replace(severity="CRITICAL"), LATE),
        change_of(orders[0], FAILED, reason="PAYMENT_FAILED"),
    )
    rows = ExceptionRecord.objects.order_by("order_ref", "reason_code")
    assert list(rows.values_list("order_ref", "reason_code", "status", "verdict", "severity")) == [
        ("0", "FULFILLMENT_DELAY", "RESOLVED", "over", "MEDIUM"),
        ("0", "PAYMENT_FAILED", "OPEN", "active", "HIGH"),
        ("1", "FULFILLMENT_DELAY", "RESOLVED", "none", "MEDIUM"),
        ("2", "FULFILLMENT_DELAY", "OPEN", "active", "CRITICAL"),
        ("3", "FULFILLMENT_DELAY", "OPEN", "active", "MEDIUM"),
    ]
    expected = rows.filter(order_ref="3") | rows.filter(reason_code="PAYMENT_FAILED")
    assert surfaced == sorted(expected.values_list("pk", flat=True))


def test_a_persons_decisions_survive_the_fold(in_acme: Tenant) -> None:
    record = make_exception(**resolved(assignee_id=7, acknowledged_at=DUE))
    apply(change_of(record.order, ENDED, LATE))
    record.refresh_from_db()
    assert (record.status, record.resolution, record.resolved_by, record.verdict) == (
        "RESOLVED",
        "manual",
        "person",
        "over",
    )
    assert (record.assignee_id, record.acknowledged_at, kinds(record)) == (7, DUE, ["opened", "ended"])


def test_history_is_marked(in_acme: Tenant) -> None:
    apply(change_of(make_order(), LATE, history=True))
    assert ExceptionRecord.objects.get().history is True


def test_it_works_inside_the_callers_pipeline_and_leaves_the_commit_to_it(in_acme: Tenant) -> None:
    order = make_order()
    raw = connection.connection
    with raw.pipeline():
        assert len(Book().apply(raw, schema="acme", changes=[change_of(order, LATE)], now=NOW)) == 1
        assert Book().apply(raw, schema="acme", changes=[change_of(order, ENDED, LATE)], now=NOW) == []
    transaction.set_rollback(True)
    assert raw.info.transaction_status.name == "INTRANS"


def test_it_writes_to_the_schema_it_is_given_whatever_the_search_path(acme: Tenant, globex: Tenant) -> None:
    with schema_context("acme"):
        order = make_order()
    with schema_context("globex"):
        apply(change_of(order, LATE), schema="acme")
        assert ExceptionRecord.objects.count() == 0
    with schema_context("acme"):
        assert ExceptionRecord.objects.get().order_id == order.pk


@pytest.mark.parametrize("name", ['acme"; DROP', "Acme", "", "pg-x", "a" * 64])
def test_what_is_no_schema_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a tenant's schema"):
        statements(name)


def test_the_same_reason_has_one_row_by_constraint(in_acme: Tenant) -> None:
    record = make_exception()
    with pytest.raises(IntegrityError), transaction.atomic():
        ExceptionRecord.objects.create(
            order_id=record.order_id,
            merchant="default",
            order_ref="1001",
            reason_code=record.reason_code,
            severity="LOW",
            verdict="active",
            opened_at=NOW,
            occurrence_key="stage",
        )


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "RESOLVED"},
        {"resolution": "manual"},
        {"verdict": "over"},
        {"status": "CLOSED"},
        {"severity": "URGENT"},
        {"occurrence_count": 0},
    ],
)
def test_the_database_refuses_a_row_that_makes_no_sense(in_acme: Tenant, columns: dict[str, Any]) -> None:
    record = make_exception()
    with pytest.raises(IntegrityError), transaction.atomic():
        ExceptionRecord.objects.filter(pk=record.pk).update(**columns)


def test_a_thousand_changes_take_two_round_trips(in_acme: Tenant) -> None:
    orders = Order.objects.bulk_create(Order(order_id=str(n), merchant="default") for n in range(1000))
    raw = connection.connection
    sent: list[str] = []
    execute = raw.cursor_factory.execute

    class Counting(raw.cursor_factory):  # type: ignore[misc, name-defined]
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            sent.append(query)
            return execute(self, query, *args, **kwargs)

    raw.cursor_factory, plain = Counting, raw.cursor_factory
    try:
        apply(*(change_of(order, LATE) for order in orders))
        assert len(sent) == 3  # the second and the third go together
        apply(*(change_of(order, ENDED, LATE) for order in orders))
        assert len(sent) == 7  # the look; then the update, the timeline and who is told in one pipeline
    finally:
        raw.cursor_factory = plain
    assert TimelineEntry.objects.count() == 2000
