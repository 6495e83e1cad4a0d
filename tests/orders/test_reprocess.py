"""Reprocessing: what stands is put equal to what the facts say, order by order; a second run changes nothing."""

import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from e2a.postgresql.raw import raw_connection
from orders import reprocess as module
from orders import sla
from orders.models import Order, Stage
from orders.reprocess import count_orders, reprocess
from tenants.models import Tenant, WebhookSource
from tests.orders.door_cast import event, rows
from tests.orders.letters.cast import snapshot, tell

EVER = {"start": datetime(1970, 1, 1, tzinfo=UTC), "end": datetime(2999, 1, 1, tzinfo=UTC)}
STATE = ("orders_order", "orders_stage", "exceptions_record", "exceptions_timelineentry", "orders_event")


def run(*args: str) -> tuple[list[str], dict[str, Any]]:
    out = StringIO()
    call_command("reprocess_events", "acme", *args, "--json", stdout=out)
    *lines, last = out.getvalue().splitlines()
    return lines, json.loads(last)


def ago(**length: int) -> datetime:
    return datetime.now(UTC) - timedelta(**length)


def days(first: str = "", last: str = "") -> tuple[str, ...]:
    """The last week unless said otherwise."""
    return "--start-date", first or f"{ago(days=7):%Y-%m-%d}", "--end-date", last or f"{ago(days=0):%Y-%m-%d}"


def state() -> dict[str, Any]:
    found = snapshot()
    return {table: found[table] for table in STATE}


@pytest.fixture
def late(in_acme: Tenant) -> Tenant:
    """Order 1 is late and unpaid, order 2's payment failed, order 3 is of another month."""
    tell(event_id="a", order_id="1", event_type="order_created", occurred_at=ago(hours=30).isoformat())
    tell(event_id="b", order_id="2", event_type="payment_failed", occurred_at=ago(hours=3).isoformat())
    tell(event_id="c", order_id="3", event_type="order_created", occurred_at="2026-09-01T10:00:00Z")
    return in_acme


def test_it_shows_how_far_it_is(late: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    run(*days(), "--dry-run")
    assert capsys.readouterr().err.splitlines()[-1].startswith("judging [##############################] 100% 2 orders")


def test_what_stands_right_is_left_alone(late: Tenant) -> None:
    before = state()
    lines, result = run(*days())
    assert (lines, result) == (
        [],
        {"tenant": "acme", "dry_run": False, "orders": 2, "changed": 0, "failed": 0, "changes": []},
    )
    assert state() == before


def test_tampered_clocks_and_lost_exceptions_are_put_right(late: Tenant) -> None:
    right = state()
    raw_connection().execute(
        "UPDATE acme.orders_stage SET breached = false, due_at = NULL, severity = '', judge_at = NULL"
    )
    raw_connection().execute("DELETE FROM acme.exceptions_timelineentry")
    raw_connection().execute("DELETE FROM acme.exceptions_record WHERE reason_code = 'PAYMENT_FAILED'")
    raw_connection().execute("UPDATE acme.orders_order SET status = 'DELIVERED' WHERE order_id = '2'")
    wrong = state()
    lines, dry = run(*days(), "--dry-run")
    assert state() == wrong
    assert [(each["order_id"], [one["what"] for one in each["differences"]]) for each in dry["changes"]] == [
        ("1", ["stage payment_processing", "stage order_fulfillment"]),
        ("2", ["status", "exception PAYMENT_FAILED"]),
    ]
    assert lines[1] == "order 2 (default): status: DELIVERED → CREATED; exception PAYMENT_FAILED: opened"
    assert "breached False → True" in lines[0]
    _, real = run(*days())
    assert real == {**dry, "dry_run": False}
    again = state()
    for table in ("orders_order", "orders_event"):
        assert again[table] == right[table]
    assert rows("SELECT reason_code, status, verdict FROM {s}.exceptions_record WHERE order_ref < '3' ORDER BY 1") == [
        ("FULFILLMENT_DELAY", "OPEN", "active"),
        ("PAYMENT_DELAY", "OPEN", "active"),
        ("PAYMENT_FAILED", "OPEN", "active"),
    ]
    _, second = run(*days())
    assert (second["changed"], state()) == (0, again)


def test_exception_that_no_fact_speaks_for_is_withdrawn(late: Tenant) -> None:
    raw_connection().execute(
        "UPDATE acme.exceptions_record SET reason_code = 'ADDRESS_INVALID' WHERE reason_code = 'PAYMENT_FAILED'"
    )
    _, result = run(*days())
    assert [one["what"] for one in result["changes"][0]["differences"]] == [
        "exception PAYMENT_FAILED",
        "exception ADDRESS_INVALID",
    ]
    found = rows("SELECT reason_code, verdict, resolution FROM {s}.exceptions_record WHERE order_ref = '2' ORDER BY 1")
    assert found == [("ADDRESS_INVALID", "none", "false_alarm"), ("PAYMENT_FAILED", "active", None)]


def test_what_a_person_resolved_stays(late: Tenant) -> None:
    raw_connection().execute(
        "UPDATE acme.exceptions_record SET status = 'RESOLVED', resolved_by = 'person', resolution = 'manual', resolved_at = now()"
    )
    before = state()
    assert run(*days())[1]["changed"] == 0
    assert state() == before


def test_only_orders_with_events_in_the_range(late: Tenant) -> None:
    Order.objects.update(status="DELIVERED")
    assert run(*days("2026-09-01", "2026-09-01"))[1]["changes"][0]["order_id"] == "3"
    assert run(*days("2026-09-02", "2026-09-30"))[1]["orders"] == 0
    Tenant.objects.filter(pk=late.pk).update(timezone="Pacific/Kiritimati")  # already the next day there
    assert run(*days("2026-09-02", "2026-09-02"))[1]["orders"] == 1


def test_backfilled_history_is_not_made_to_settle_again(in_acme: Tenant, tmp_path: Any) -> None:
    lines = [event(1, event_type="order_created", order_id="old")]
    file = tmp_path / "history.ndjson"
    file.write_text("\n".join(map(json.dumps, lines)))
    call_command("backfill", "acme", str(file), stdout=StringIO())
    assert Stage.objects.filter(breached=True).count() == 2
    before = state()
    assert run(*days("2026-11-01"))[1]["changed"] == 0
    assert {key: before[key] for key in before if key != "orders_order"} == {
        key: value for key, value in state().items() if key != "orders_order"
    }


def test_new_settle_time_is_taken_into_account(late: Tenant) -> None:
    WebhookSource.objects.create(tenant=late, name="wms", provider="json", settle_seconds=86_400)
    _, result = run(*days())
    assert (result["changed"], Stage.objects.filter(breached=True, order__order_id="1").count()) == (1, 0)
    assert run(*days())[1]["changed"] == 0


def test_order_that_cannot_be_judged_is_named_and_holds_nobody_up(
    late: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold = sla.fold
    Order.objects.update(status="DELIVERED")

    def failing(facts: Any, *args: Any, **named: Any) -> Any:
        return 1 / 0 if facts[0].event_id == "a" else fold(facts, *args, **named)

    monkeypatch.setattr(sla, "fold", failing)
    out = StringIO()
    with pytest.raises(CommandError, match="1 orders could not be judged"):
        call_command("reprocess_events", "acme", *days(), stdout=out)
    assert "order 1: cannot be judged: ZeroDivisionError: division by zero" in out.getvalue()
    assert list(Order.objects.order_by("order_id").values_list("status", flat=True)) == [
        "DELIVERED",
        "CREATED",
        "DELIVERED",
    ]


def test_other_tenant_is_untouched(late: Tenant, globex: Tenant) -> None:
    raw_connection().execute(
        "INSERT INTO globex.orders_order (merchant, order_id, status) VALUES ('default', '1', 'PAID')"
    )
    before = snapshot("globex")
    run(*days())
    assert snapshot("globex") == before


def test_chunks_and_flat_memory(in_acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    raw_connection().execute(
        """INSERT INTO acme.orders_order (merchant, order_id, status)
        SELECT 'default', 'n' || n, 'DELIVERED' FROM generate_series(1, 3000) n"""
    )
    raw_connection().execute(
        """INSERT INTO acme.orders_event (order_id, source, event_id, event_type, merchant, order_ref, occurred_at, received_at,
          effective_at, payload, content_hash)
        SELECT id, 'wms', order_id, 'order_updated', merchant, order_id, now(), now(), now(), '{}', '' FROM acme.orders_order"""
    )
    monkeypatch.setattr(module, "CHUNK", 100)
    assert count_orders("acme", **EVER) == 3000
    peaks, changed = [], 0
    tracemalloc.start()
    for chunk in reprocess("acme", dry_run=True, **EVER):
        changed += len(chunk.corrected)
        peaks.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert (len(peaks), changed) == (30, 3000)
    assert peaks[-1] - peaks[4] < 2_000_000


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (days("soon"), "--start-date: “soon” is no date; write it like 2026-11-23."),
        (days("2026-02-01", "2026-02-30"), "--end-date: “2026-02-30” is no date"),
        (days("2026-12-01", "2026-11-01"), "--end-date 2026-11-01 lies before --start-date 2026-12-01"),
        (days("0001-01-01"), "--start-date: give a year from 1970 to 2999"),
    ],
)
def test_wrong_dates_get_a_sentence(in_acme: Tenant, given: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run(*given)
