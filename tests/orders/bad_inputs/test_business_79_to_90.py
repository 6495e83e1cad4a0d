"""Bad inputs 79 to 90: well-formed, and strange in what they say."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from exceptions.models import ExceptionRecord
from orders.models import Order, Stage
from tenants.models import Tenant
from tests.orders.bad_inputs.cast import KEPT, Trial
from tests.orders.door_cast import event, rows, send
from tests.orders.letters.cast import in_schema
from tests.programs import program


def order(trial: Trial, sender: Client, *kinds: tuple[str, str]) -> None:
    """Events of one order: (type, hour)."""
    for number, (kind, hour) in enumerate(kinds):
        body = event(number, event_type=kind, occurred_at=f"2026-11-23T{hour}:00:00Z", order_id="7")
        assert trial(sender, "/events", json.dumps(body)).status == 201


def state() -> tuple[Any, ...]:
    with in_schema():
        [found] = Order.objects.values_list("status", "contradiction")
        stages = {stage.name: (stage.state, stage.started_at, stage.ended_at) for stage in Stage.objects.all()}
    return (*found, stages)


def test_79_the_same_event_again_is_a_duplicate_whatever_its_spacing(sender: Client, trial: Trial) -> None:
    body = event(payload={"b": 1, "a": [1, 2]})
    assert trial(sender, "/events", json.dumps(body)).status == 201
    shuffled = dict(reversed(body.items())) | {"payload": {"a": [1, 2], "b": 1}}
    answered = trial(sender, "/events", json.dumps(shuffled, indent=4))
    assert (answered.status, answered.body["status"], answered.grown) == (200, "duplicate", {})


@pytest.mark.parametrize(
    "change",
    [
        {"event_type": "order_created"},
        {"order_id": "x"},
        {"occurred_at": "2026-11-23T10:00:01Z"},
        {"payload": {"a": 1}},
        {"merchant": "north"},
    ],
)
def test_80_the_same_id_with_other_content_is_409_and_the_first_stands(
    sender: Client, trial: Trial, change: dict[str, Any]
) -> None:
    trial(sender, "/events", json.dumps(event()))
    answered = trial(sender, "/events", json.dumps(event(**change)))
    assert (answered.status, answered.grown) == (409, {KEPT: 1})
    assert rows("SELECT event_type, order_ref, payload::text FROM {s}.orders_event") == [("order_packed", "1001", "{}")]


def test_81_the_same_id_of_another_source_or_tenant_is_new(sender: Client, trial: Trial) -> None:
    for source in ("wms", "tms"):
        assert trial(sender, "/events", json.dumps(event(source=source))).status == 201
    theirs = send(program("globex", "ingest"), event())
    assert (theirs.status_code, rows("SELECT count(*) FROM {s}.orders_event", "globex")) == (201, [(1,)])


def test_82_a_cancelling_before_the_order_converges(sender: Client, trial: Trial) -> None:
    order(trial, sender, ("order_cancelled", "11"), ("order_created", "10"), ("payment_confirmed", "12"))
    assert state()[:2] == ("CANCELLED", "")


def test_83_fulfilled_before_it_was_created_has_no_negative_length(sender: Client, trial: Trial) -> None:
    order(trial, sender, ("order_fulfilled", "08"), ("order_created", "10"))
    _, started, ended = state()[2]["order_fulfillment"]
    assert started == ended


def test_84_unknown_types_are_stored_and_change_nothing(sender: Client, trial: Trial) -> None:
    order(trial, sender, ("order_created", "10"))
    before = state()
    body = event("x", event_type="moon_landing", order_id="7")
    assert trial(sender, "/events", json.dumps(body)).grown == {"orders_event": 1}
    assert state() == before


def test_85_unknown_fields_of_the_payload_are_kept_and_others_ignored(sender: Client, trial: Trial) -> None:
    body = event(payload={"unknown": {"deep": [1]}}, unknown="x", schema="globex")
    assert trial(sender, "/events", json.dumps(body)).status == 201
    assert rows("SELECT payload::json FROM {s}.orders_event") == [({"unknown": {"deep": [1]}},)]


def test_86_a_thousand_line_items(sender: Client, trial: Trial) -> None:
    items = [{"sku": f"sku-{n}", "quantity": n, "title": "x" * 100} for n in range(1_000)]
    assert trial(sender, "/events", json.dumps(event(payload={"line_items": items}))).status == 201
    assert rows("SELECT jsonb_array_length(payload->'line_items') FROM {s}.orders_event") == [(1000,)]


def test_87_another_tenants_order_is_invisible(sender: Client, trial: Trial) -> None:
    trial(sender, "/events", json.dumps(event(event_type="payment_failed")))
    spy = program("globex", "read", "operate", "ingest")
    assert trial(spy, "/api/orders/1001", method="GET").status == 404
    with in_schema():
        found = ExceptionRecord.objects.get().pk
    assert trial(spy, f"/api/exceptions/{found}", method="GET").status == 404
    assert trial(spy, f"/api/exceptions/{found}/resolve", "{}").status == 404
    assert trial(spy, "/api/orders/1001", method="GET", HTTP_X_TENANT_ID="acme").status == 403
    assert trial(spy, "/events", json.dumps(event(2)), HTTP_X_TENANT_ID="acme").grown == {}


def test_88_an_event_after_all_is_settled_adds_and_edits_nothing(sender: Client, trial: Trial) -> None:
    """What will be invoiced is read from these rows: all of them stand as they were, and the correction is a row beside them."""
    began = datetime.now(UTC) - timedelta(hours=40)

    def tell(name: str, kind: str, hours: int, **more: Any) -> None:
        at = (began + timedelta(hours=hours)).isoformat()
        body = event(name, event_type=kind, occurred_at=at, order_id="7", **more)
        assert trial(sender, "/events", json.dumps(body)).status == 201

    for kind in ("order_created", "payment_confirmed", "inventory_allocated", "order_packed"):
        tell(kind, kind, 0)
    tell("2", "order_fulfilled", 26)
    tell("3", "order_delivered", 30)
    [late] = settled()
    assert late[:3] == ("FULFILLMENT_DELAY", "RESOLVED", "completed_late")
    facts, told = rows(FACTS), rows(TIMELINE)
    tell("4", "order_fulfilled", 20, source="tms")
    assert rows(FACTS)[: len(facts)] == facts and len(rows(FACTS)) == len(facts) + 1
    assert rows(TIMELINE)[: len(told)] == told
    [(kind, actor, reason)] = [row[3:6] for row in rows(TIMELINE)[len(told) :]]
    assert (kind, actor, reason) == ("retracted", "fold", "event tms/evt-4")
    [saved] = settled()
    assert saved[3] == "none" and saved[4] == late[4]


FACTS = "SELECT * FROM {s}.orders_event ORDER BY id"
TIMELINE = (
    "SELECT id, exception_id, at, kind, actor, reason, detail::text FROM {s}.exceptions_timelineentry ORDER BY id"
)


def settled() -> list[tuple[Any, ...]]:
    return rows(
        "SELECT reason_code, status, resolution, verdict, opened_at FROM {s}.exceptions_record WHERE stage = 'order_fulfillment'"
    )


def test_89_five_at_once_resolve_once(committed: None) -> None:
    send(program("acme", "ingest"), event(event_type="payment_failed"))
    with in_schema():
        found = ExceptionRecord.objects.get().pk
    clients = [program("acme", "operate") for _ in range(5)]
    ready = Barrier(5)

    def click(client: Client) -> int:
        try:
            ready.wait(10)
            answer = client.post(f"/api/exceptions/{found}/resolve", "{}", content_type="application/json")
            return answer.status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(click, clients)) == [200, 409, 409, 409, 409]
    assert rows("SELECT count(*) FROM {s}.exceptions_timelineentry WHERE kind = 'resolved'") == [(1,)]


def test_90_columns_that_nobody_may_set_are_ignored(sender: Client, trial: Trial, globex: Tenant) -> None:
    sneaked = {
        "status": "DELIVERED",
        "tenant": "globex",
        "schema": "globex",
        "amount_cents": 1,
        "history": True,
        "quarantined": True,
        "id": 1,
    }
    trial(sender, "/events", json.dumps(event(event_type="payment_failed", **sneaked, payload=sneaked)))
    assert rows("SELECT history, quarantined FROM {s}.orders_event") == [(False, False)]
    with in_schema():
        assert Order.objects.get().status == "CREATED"
        found = ExceptionRecord.objects.get()
    body = json.dumps({"status": "RESOLVED", "severity": "LOW", "assignee_id": 1, "verdict": "none", "reason": "seen"})
    answered = trial(program("acme", "operate"), f"/api/exceptions/{found.pk}/acknowledge", body)
    assert (answered.status, answered.body["status"], answered.body["severity"]) == (200, "ACKNOWLEDGED", "HIGH")
    assert (answered.body["verdict"], answered.body["assignee"]) == ("active", None)
