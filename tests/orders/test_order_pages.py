"""The pages of orders: the list, one order's course, a person's hold, release and retraction."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from e2a.postgresql.raw import database_now, raw_connection
from orders.events import incoming
from orders.holds import Pause
from orders.ingest import ingest
from orders.models import Event, Order
from orders.pages.drawing import WIDTH, draw
from orders.selectors import StageView
from tenants.models import Role, Tenant
from tests.tenants.cast import make_member, signed_in

HTMX = {"HX-Request": "true"}
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def take(
    order_id: str, kind: str, *, ago: int = 0, merchant: str = "default", schema: str = "acme", **detail: Any
) -> None:
    """`ago` in minutes."""
    now = database_now(raw_connection())
    event = incoming(
        source="wms",
        event_type=kind,
        event_id=f"{kind}-{order_id}-{ago}",
        order_id=order_id,
        occurred_at=now - timedelta(minutes=ago),
        payload=detail,
        merchant=merchant,
        detail=detail or None,
        raw=b"",
    )
    ingest(schema, [event], now=now)


def order_of(order_id: str) -> Order:
    with schema_context("acme"):
        return Order.objects.get(order_id=order_id)


def events_of(order: Order) -> list[tuple[str, str]]:
    with schema_context("acme"):
        return list(Event.objects.filter(order_id=order.pk).order_by("pk").values_list("source", "event_type"))


@pytest.fixture
def desk(acme: Tenant) -> Client:
    return signed_in(acme, make_member(acme))


@pytest.fixture
def one(acme: Tenant) -> Order:
    take("1001", "order_created", ago=120, merchant="north")
    return order_of("1001")


def test_list_filters_in_the_address(desk: Client, one: Order) -> None:
    take("1002", "order_created", merchant="south")
    take("1002", "payment_confirmed", merchant="south")
    take("1003", "order_created")
    take("1003", "order_held", hold_id="h1")
    cases = {
        "": {"1001", "1002", "1003"},
        "status=PAID": {"1002"},
        "merchant=south": {"1002"},
        "held=true": {"1003"},
        "search=100": {"1001", "1002", "1003"},
        "search=north&status=&held=": {"1001"},
    }
    for query, found in cases.items():
        text = desk.get(f"/orders/?{query}").content.decode()
        assert {number for number in ("1001", "1002", "1003") if f">{number}</a>" in text} == found, query
    assert desk.get("/orders/?held=perhaps").status_code == 422


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return len(found)


def test_list_asks_as_often_for_many_as_for_one(desk: Client, one: Order) -> None:
    few = queries_of(desk, "/orders/")
    for number in range(12):
        take(f"order-{number}", "payment_failed")
    assert queries_of(desk, "/orders/") == few
    assert few <= 14


def test_page_shows_course_events_and_what_is_wrong(desk: Client, one: Order) -> None:
    take("1001", "payment_confirmed", ago=45, merchant="north")
    take("1001", "order_fulfilled", ago=5, merchant="north", shipment_id="s1", carrier="UPS", tracking_number="1Z999")
    text = desk.get(f"/orders/{one.pk}/").content.decode()
    for words in ("Order created", "Payment late", ">45 min</span> late", "1Z999", "UPS", "from wms"):
        assert words in text


def test_page_asks_as_often_for_many_events_as_for_one(desk: Client, one: Order) -> None:
    few = queries_of(desk, f"/orders/{one.pk}/")
    for number in range(10):
        take("1001", "note", ago=number, merchant="north")
    assert queries_of(desk, f"/orders/{one.pk}/") == few


def test_hold_and_release_are_events_with_the_person(desk: Client, one: Order) -> None:
    assert desk.post(f"/orders/{one.pk}/hold/", {"reason": "Address in doubt"}, headers=HTMX).status_code == 204
    assert order_of("1001").held
    text = desk.get(f"/orders/{one.pk}/").content.decode()
    assert "by maria" in text
    assert "Address in doubt" in text
    hold_id = text.partition("hold_id=")[2].partition('"')[0]
    answer = desk.post(f"/orders/{one.pk}/release/", {"hold_id": hold_id}, headers=HTMX)
    assert answer.status_code == 204
    assert not order_of("1001").held
    assert events_of(one) == [("wms", "order_created"), ("e2a", "order_held"), ("e2a", "order_released")]
    again = desk.post(f"/orders/{one.pk}/release/", {"hold_id": hold_id}, headers=HTMX)
    assert again.status_code == 409
    assert len(events_of(one)) == 3


def test_order_whose_clocks_have_all_stopped_offers_no_hold(desk: Client, one: Order) -> None:
    page = f"/orders/{one.pk}/"
    assert "Hold…" in desk.get(page).content.decode()
    take("1001", "order_cancelled", merchant="north")
    assert "Hold…" not in desk.get(page).content.decode()


def test_retracted_event_no_longer_counts(desk: Client, one: Order) -> None:
    take("1001", "payment_failed", merchant="north")
    with schema_context("acme"):
        event = Event.objects.get(event_type="payment_failed")
    address = f"/orders/{one.pk}/events/{event.pk}/retract/"
    assert desk.post(address, {"reason": ""}, headers=HTMX).status_code == 422
    assert len(events_of(one)) == 2
    assert desk.post(address, {"reason": "a test"}, headers=HTMX).status_code == 204
    assert events_of(one)[-1] == ("e2a", "event_retracted")
    assert "retracted" in desk.get(f"/orders/{one.pk}/").content.decode()
    assert desk.post(address, {"reason": "again"}, headers=HTMX).status_code == 409
    assert len(events_of(one)) == 3


@pytest.mark.parametrize("action", ["hold/", "release/", "events/{event}/retract/"])
def test_viewer_adds_nothing(acme: Tenant, one: Order, action: str) -> None:
    viewer = signed_in(acme, make_member(acme, "vera", role=Role.VIEWER))
    with schema_context("acme"):
        event = Event.objects.get()
    address = f"/orders/{one.pk}/{action.format(event=event.pk)}"
    assert viewer.post(address, {"reason": "x"}, headers=HTMX).status_code == 403
    assert viewer.get(address).status_code == 403
    assert len(events_of(one)) == 1


def test_another_tenant_sees_none_of_it(globex: Tenant, one: Order) -> None:
    other = signed_in(globex, make_member(globex, "gregor"))
    with schema_context("acme"):
        event = Event.objects.get()
    assert b"1001" not in other.get("/orders/").content
    assert other.get(f"/orders/{one.pk}/").status_code == 404
    assert other.get(f"/orders/{one.pk}/events/{event.pk}/").status_code == 404
    assert other.post(f"/orders/{one.pk}/hold/", {"reason": "x"}, headers=HTMX).status_code == 404
    assert len(events_of(one)) == 1


def test_payload_is_shown_as_text_of_its_own_order_only(desk: Client, one: Order) -> None:
    take("1001", "note", merchant="north", text="<script>alert(1)</script>")
    with schema_context("acme"):
        event = Event.objects.get(event_type="note")
    answer = desk.get(f"/orders/{one.pk}/events/{event.pk}/", headers=HTMX)
    assert "&lt;script&gt;" in answer.content.decode()
    assert desk.get(f"/orders/{one.pk + 1}/events/{event.pk}/").status_code == 404


def stage(
    name: str, state: str, start: int | None, end: int | None, due: int | None, breached: bool = False
) -> StageView:
    """In minutes from noon."""
    times = [None if at is None else NOON + timedelta(minutes=at) for at in (start, end, due)]
    return StageView(name, state, *times, breached=breached)


def test_drawing_needs_a_start() -> None:
    assert draw([StageView("delivery", "PENDING")], [], NOON) is None


def test_drawing_puts_each_stage_on_one_axis() -> None:
    now = NOON + timedelta(minutes=100)
    stages = [
        stage("payment_processing", "COMPLETED", 0, 50, 25, True),
        stage("delivery", "RUNNING", 50, None, None),
        StageView("inventory_check", "PENDING"),
    ]
    drawing = draw(stages, [Pause(NOON, NOON + timedelta(minutes=10))], now)
    assert drawing is not None
    paid, delivery, pending = drawing.bars
    assert paid.bar and paid.late and delivery.bar
    assert (paid.bar.x, paid.due, paid.late.x) == (0, paid.late.x, paid.due)
    assert paid.bar.width == delivery.bar.x
    assert paid.late.x + paid.late.width == paid.bar.width
    assert drawing.now == delivery.bar.x + delivery.bar.width < WIDTH
    assert delivery.late is None
    assert (pending.bar, pending.due) == (None, None)
    assert drawing.holds[0].x == 0


def test_drawing_of_a_moment_can_still_be_seen() -> None:
    drawing = draw([stage("payment_processing", "COMPLETED", 0, 0, None)], [], NOON)
    assert drawing is not None
    assert drawing.bars[0].bar is not None
    assert drawing.bars[0].bar.width > 0
