"""An order's due times as drawn timelines, both verdicts and why they differ; on the page as over the API."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django_tenants.utils import schema_context

from e2a.postgresql.raw import database_now, raw_connection
from orders.explaining import Explained
from orders.explanation import explain
from orders.facts import Fact
from orders.models import Order
from orders.outcome import Outcome
from orders.pages.drawing import WIDTH
from orders.pages.due_times import DueTime, due_times
from orders.selectors import StageView
from orders.sla import fold
from orders.verdicts import Verdicts, apart, verdicts_of
from tenants.models import SlaPolicy, Tenant
from tests.live import Live
from tests.orders.door_cast import said
from tests.orders.test_explanation import VERSIONS, Row, told
from tests.orders.test_radar_rules import program
from tests.tenants.calendar_cast import local
from tests.tenants.cast import make_member, signed_in

NOW = local("lisbon", "2026-12-03 12:00")
COURSE = (
    told("inventory_allocated", "2026-11-28 12:00"),
    told("order_held", "2026-11-30 10:00", "e2a", hold_id="h", reason="stock count", actor="user:ann"),
    told("order_released", "2026-11-30 11:00", "e2a", hold_id="h"),
    told("order_held", "2026-11-30 15:00", hold_id="g", reason="gift", actor="user:bob"),
    told("order_packed", "2026-12-02 10:00"),
)


def drawn(*facts: Fact, now: datetime = NOW) -> list[DueTime]:
    verdict = fold(facts, VERSIONS, now, settle=None)
    stages = [
        StageView(name, each.state, each.started_at, each.ended_at, each.due_at, each.breached)
        for name, each in verdict.stages.items()
    ]
    return due_times(Explained(explain(facts, VERSIONS), "UTC", now), stages)


def verdicts(*facts: Fact, now: datetime = NOW) -> Verdicts:
    verdict = fold(facts, VERSIONS, now, settle=None)
    stages: list[Any] = [Row(name, stage) for name, stage in verdict.stages.items()]
    return verdicts_of(stages, verdict.promised.promised_at, Explained(explain(facts, VERSIONS), "UTC", now))


def test_pieces_lie_end_to_end_up_to_the_due_time_and_then_late() -> None:
    [found] = drawn(*COURSE)
    kinds = [piece.kind for piece in found.pieces]
    assert kinds == ["counted", "closed", "counted", "paused", "counted", "closed", "counted", "late"]
    assert found.pieces[0].box.x == 0
    *before, late = found.pieces
    assert late.box.x == found.due
    assert before[-1].box.x + before[-1].box.width == pytest.approx(found.due, abs=6)
    assert all(piece.box.x >= 0 and piece.box.x + piece.box.width <= WIDTH + 6 for piece in found.pieces)
    assert (found.title, found.zone, found.counted, found.rule) == ("Packing", "Europe/Lisbon", "8 h", "All")


def test_steps_say_who_paused_and_why_on_the_clock_of_the_calendar() -> None:
    [found] = drawn(*COURSE)
    steps = [(step.when, step.words, step.length) for step in found.steps[:4]]
    assert steps == [
        ("Sat 28 Nov 12:00–13:00", "Counted", "1 h"),
        ("Sat 28 Nov 13:00 – Mon 30 Nov 09:00", "Closed", ""),
        ("Mon 30 Nov 09:00–10:00", "Counted", "1 h"),
        ("Mon 30 Nov 10:00–11:00", "Paused by ann: stock count", "moves it by 1 h"),
    ]
    assert found.ignored == ["It moved nothing: held by bob (gift)."]
    assert "pauses (stock count) moved the contract's due time by 1 h" in found.difference


def test_open_pause_is_drawn_until_now_without_a_due_time() -> None:
    allocated = told("inventory_allocated", "2026-11-27 16:00")
    [found] = drawn(
        allocated, told("order_held", "2026-11-27 17:00", hold_id="h"), now=local("lisbon", "2026-11-28 10:00")
    )
    last = found.pieces[-1]
    assert (last.kind, found.due, found.due_words, found.counted) == ("paused", None, "", "1 h")
    assert last.box.x + last.box.width == found.now


def test_very_long_target_shows_its_first_steps() -> None:
    [found] = [each for each in drawn(told("payment_confirmed", "2026-11-27 10:00")) if each.title == "Stock check"]
    assert (len(found.steps), found.hidden) == (40, 161)


def test_excluded_order_shows_why_and_draws_nothing() -> None:
    found = drawn(told("order_created", "2026-11-27 10:00", carries={"tags": ["preorder"]}))
    assert {each.difference.partition(": ")[2] for each in found} == {
        "the rule “Preorders” excludes the order: They ship when the goods arrive."
    }
    assert not any(each.pieces or each.steps for each in found)


@pytest.mark.parametrize(
    ("contract", "promise", "excluded", "words"),
    [
        (Outcome.KEPT, Outcome.NONE, False, ""),
        (Outcome.NONE, Outcome.OPEN, True, "its rule excludes the order"),
        (Outcome.NONE, Outcome.OPEN, False, "no rule sets a deadline"),
        (Outcome.PAUSED, Outcome.BROKEN, False, "waits for nothing"),
        (Outcome.BROKEN, Outcome.KEPT, False, "the customer got the order in time"),
        (Outcome.BROKEN, Outcome.OPEN, False, "can still get the order in time"),
        (Outcome.KEPT, Outcome.KEPT, False, "Both say the same."),
        (Outcome.AT_RISK, Outcome.OPEN, False, ""),
    ],
)
def test_difference_of_the_verdicts_in_words(contract: Outcome, promise: Outcome, excluded: bool, words: str) -> None:
    found = apart(contract, promise, excluded=excluded)
    assert words in found if words else found == ""


def test_notes_name_what_is_late_and_what_was_promised() -> None:
    promise = local("lisbon", "2026-11-30 10:00").isoformat()
    found = verdicts(told("order_created", "2026-11-27 10:00", promise=promise))
    assert found.contract_note == "Late: Payment, Handover to the carrier."
    assert found.promise_note == "Promised for Mon 30 Nov 2026 10:00 (UTC); nothing moves it."
    kept = verdicts(
        told("order_created", "2026-11-27 10:00", promise=promise), told("order_delivered", "2026-11-29 10:00")
    )
    assert kept.promise_note.endswith("arrived Sun 29 Nov 2026 10:00 (UTC).")
    assert verdicts(told("order_created", "2026-11-27 10:00")).promise_note == "The order carries no delivery date."


RULES = {
    "rules": [
        {
            "name": "All",
            "targets": {
                "order_fulfillment": {"hours": 8, "warn": {"share": 0.5}},
                "delivery": {"promise": "promised_delivery_at"},
            },
        }
    ]
}


def held_order(tenant: Tenant) -> Order:
    """Began 10 hours ago, was held for 4, is promised for an hour ago."""
    now = database_now(raw_connection())
    SlaPolicy.objects.create(tenant=tenant, version=2, valid_from=now - timedelta(days=9), rules=RULES)
    sender = program(tenant.slug, "ingest")
    for kind, ago, payload in (
        ("order_created", 10, {"promised_delivery_at": (now - timedelta(hours=1)).isoformat()}),
        ("order_held", 8, {"hold_id": "h", "reason": "address in doubt"}),
        ("order_released", 4, {"hold_id": "h"}),
    ):
        at = (now - timedelta(hours=ago)).isoformat()
        body = {
            "source": "wms",
            "event_id": kind,
            "event_type": kind,
            "order_id": "7/explanation",
            "occurred_at": at,
            "payload": payload,
        }
        assert sender.post("/events", body, content_type="application/json").status_code == 201
    with schema_context(tenant.schema_name):
        return Order.objects.get()


def test_page_and_api_tell_the_same(acme: Tenant) -> None:
    order = held_order(acme)
    desk = signed_in(acme, make_member(acme))
    text = desk.get(f"/orders/{order.pk}/").content.decode()
    assert text.count('class="seg-paused"') == 1
    for words in (
        '<strong class="late">Broken</strong>',
        "the date promised to the customer waits for nothing",
        "Paused by wms: address in doubt",
        "moves it by 4 h",
        "8 h, every hour counts; at risk after 50% of it.",
    ):
        assert words in text
    [stage] = explained(program("acme", "read"))
    assert stage["difference"] in text.replace("&#x27;", "'")
    due = datetime.fromisoformat(stage["due_at"])
    assert f"due <strong>{due:%a %d %b %H:%M}</strong>" in text


def explained(reader: Client) -> Any:
    answer = reader.get("/api/orders/7/explanation/explanation?stage=order_fulfillment")
    return said(answer)[1]["stages"]  # type: ignore[arg-type]


def test_order_whose_id_ends_in_explanation_can_be_read(acme: Tenant, globex: Tenant) -> None:
    held_order(acme)
    reader = program("acme", "read")
    for address in ("/api/orders/7/explanation", "/api/orders/7%2Fexplanation", "/api/orders/7/explanation/"):
        status, body = said(reader.get(address))  # type: ignore[arg-type]
        assert (status, body["order_id"]) == (200, "7/explanation")
        assert len(body["events"]) == 3
    assert reader.get("/api/orders/8/explanation").status_code == 404
    assert program("globex", "read").get("/api/orders/7/explanation").status_code == 404


@pytest.mark.browser
def test_person_unfolds_how_a_due_time_came_about(live: Live, page: Any) -> None:
    acme = Tenant.objects.get(slug="acme")
    order = held_order(acme)
    live.sign_in(page, acme, make_member(acme))
    for size in ({"width": 1440, "height": 900}, {"width": 390, "height": 844}):
        page.set_viewport_size(size)
        page.goto(live.url("acme", f"/orders/{order.pk}/"))
        part = page.locator("#due-order_fulfillment")
        assert not part.get_by_text("Paused by wms: address in doubt", exact=True).is_visible()
        part.locator("summary").focus()
        page.keyboard.press("Enter")
        part.get_by_text("Paused by wms: address in doubt", exact=True).wait_for()
        box = part.locator("svg .seg-paused").bounding_box()
        assert box["width"] > 20 and box["height"] > 8
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
