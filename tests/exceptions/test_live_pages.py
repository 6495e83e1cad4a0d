"""The pages in a real browser: signing in, what changes while one looks, the phone, the keyboard."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django_tenants.utils import schema_context

from e2a.postgresql.raw import database_now, raw_connection
from exceptions.analyst.models import Analysis
from exceptions.models import ExceptionRecord
from orders.events import incoming
from orders.ingest import ingest
from tenants.models import Role, Tenant, User
from tenants.services import create_api_key
from tests.live import Live, eventually
from tests.tenants.cast import PASSWORD, make_member

pytestmark = pytest.mark.browser
Page = Any
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def acme_live(live: Live) -> Tenant:
    return Tenant.objects.get(slug="acme")


@pytest.fixture
def maria(acme_live: Tenant) -> User:
    return make_member(acme_live, role=Role.MANAGER)


@pytest.fixture
def signed(live: Live, page: Page, acme_live: Tenant, maria: User) -> Iterator[Page]:
    """A page of maria's; at the end nothing may have been refused by the policy or thrown."""
    page.set_default_timeout(15_000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda line: troubles.append(line.text) if "Content Security Policy" in line.text else None)
    live.sign_in(page, acme_live, maria)
    yield page
    assert troubles == []


def now() -> datetime:
    return database_now(raw_connection())


def take(order_id: str, kind: str, at: datetime, **payload: Any) -> None:
    """By this process, whose pulse does not reach the server's Redis: the page has to find out by itself."""
    identity = f"{kind}-{order_id}-{at.timestamp()}"
    event = incoming(
        source="wms",
        event_type=kind,
        event_id=identity,
        order_id=order_id,
        occurred_at=at,
        payload=payload,
        merchant="default",
        detail=None,
        raw=b"",
    )
    ingest("acme", [event], now=now())


def sender(live: Live) -> Any:
    """Sends an event through the server's own door."""
    key = create_api_key(tenant=Tenant.objects.get(slug="acme"), scopes=["ingest"]).key
    headers = {"Authorization": f"Bearer {key}", "X-Tenant-Id": "acme", "Content-Type": "application/json"}

    def send(order_id: str, kind: str) -> None:
        at = now()
        body = {
            "source": "wms",
            "event_type": kind,
            "event_id": f"{kind}-{order_id}",
            "order_id": order_id,
            "occurred_at": at.isoformat(),
            "payload": {},
        }
        request = Request(f"http://127.0.0.1:{live.port}/events", json.dumps(body).encode(), headers)
        with urlopen(request, timeout=10) as answer:
            assert answer.status == 201

    return send


def wait_live(page: Page) -> None:
    page.wait_for_selector('[data-live-sign][data-state="live"]:visible')


def test_person_signs_in_and_sees_the_numbers(live: Live, page: Page, acme_live: Tenant, maria: User) -> None:
    page.goto(live.url("acme", "/exceptions/"))
    page.get_by_label("Username").fill("maria")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/exceptions/")
    page.get_by_role("link", name="Overview").click()
    assert page.locator('[data-metric="active_exceptions"]').inner_text() == "0"
    assert page.locator('[data-metric="sla_compliance_rate"]').inner_text() == "–"
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login/")


def test_change_shows_within_two_seconds_without_reload(live: Live, signed: Page) -> None:
    """And what the person was typing, and where, stays."""
    send = sender(live)
    send("1000", "order_created")
    signed.goto(live.url("acme", "/exceptions/"))
    wait_live(signed)
    signed.evaluate("window.unchanged = true")
    signed.locator("#exception-search").focus()
    eventually(lambda: signed.evaluate("document.activeElement.id") == "exception-search", 2, "no focus")
    send("1000", "payment_failed")
    began = now()
    signed.get_by_role("link", name="Payment failed").wait_for()
    assert (now() - began).total_seconds() < 2
    assert signed.evaluate("window.unchanged") is True
    assert signed.evaluate("document.activeElement.id") == "exception-search"


def test_all_four_numbers_change_within_two_seconds_without_reload(live: Live, signed: Page) -> None:
    send = sender(live)
    names = ["active_exceptions", "sla_compliance_rate", "orders_processed_today", "ai_analysis_success_rate"]

    def shown() -> list[str]:
        return [signed.locator(f'[data-metric="{name}"]').inner_text() for name in names]

    signed.goto(live.url("acme", "/"))
    wait_live(signed)
    signed.evaluate("window.unchanged = true")
    assert shown() == ["0", "–", "0", "–"]
    send("3000", "order_created")
    send("3000", "payment_confirmed")
    eventually(lambda: shown() == ["0", "100 %", "1", "–"], 2, "a kept deadline does not show")
    send("3002", "payment_failed")
    eventually(lambda: shown() == ["1", "100 %", "2", "–"], 2, "an exception does not show")
    with schema_context("acme"):
        values = {"state": "done", "finished_at": now(), "judge": "ai", "label": "weather", "ai_label": "weather"}
        Analysis.objects.create(exception=ExceptionRecord.objects.get(), occurrence=1, ai_tried=True, **values)
    send("3002", "payment_confirmed")
    eventually(lambda: shown() == ["0", "100 %", "2", "100 %"], 2, "a cure and an analysis do not show")
    assert signed.evaluate("window.unchanged") is True


def test_breach_is_on_the_page_in_five_seconds_without_redis_worker_and_beat(live: Live, signed: Page) -> None:
    """The radar alone runs, and the order gets no further event."""
    live.stop_redis()
    radar = live.manage("radar", "radar")
    try:
        signed.goto(live.url("acme", "/exceptions/"))
        eventually(radar_beats, 60, "the radar did not start")
        due = now() + timedelta(seconds=3)
        take("2000", "order_created", due - timedelta(minutes=30))
        signed.get_by_role("link", name="Payment late").wait_for(timeout=15_000)
        assert (now() - due).total_seconds() < 5
    finally:
        radar.kill()
        radar.wait()
        live.start_redis()


def radar_beats() -> bool:
    found = raw_connection().execute(
        "SELECT 1 FROM public.e2a_heartbeat WHERE name = 'radar' AND at > clock_timestamp() - interval '3 seconds'"
    )
    return found.fetchone() is not None


def test_page_catches_up_after_the_server_was_away(live: Live, signed: Page) -> None:
    signed.goto(live.url("acme", "/"))
    wait_live(signed)
    live.stop_web()
    try:
        signed.wait_for_selector('[data-live-sign]:not([data-state="live"]):visible')
        take("3000", "payment_failed", now())
    finally:
        live.start_web()
    signed.locator("#overview").get_by_role("link", name="Payment failed").wait_for(timeout=30_000)
    wait_live(signed)


def test_order_tells_its_course(live: Live, signed: Page) -> None:
    start = now() - timedelta(hours=2)
    take("4000", "order_created", start)
    take("4000", "payment_confirmed", start + timedelta(minutes=45), note="<b>raw</b>")
    signed.goto(live.url("acme", "/orders/"))
    signed.get_by_role("link", name="4000").first.click()
    stages = signed.locator(".stage-line")
    assert re.search(r"Payment\s+15 min late", stages.nth(0).inner_text())
    assert "late by 1 h" in stages.nth(1).inner_text()
    signed.get_by_text("wms/payment_confirmed").click()
    signed.get_by_text('"note": "<b>raw</b>"').wait_for()
    signed.get_by_role("button", name="Retract this event").click()
    signed.locator("dialog[open]").get_by_label("Why").fill("typed by mistake")
    signed.locator("dialog[open]").get_by_role("button", name="Retract").click()
    signed.get_by_text("The event is retracted").wait_for()
    signed.locator("#events").locator("..").locator("..").get_by_text("retracted", exact=True).wait_for()


def test_everything_fits_a_phone(live: Live, signed: Page) -> None:
    take("a-rather-long-order-number-of-an-erp-0000000001", "payment_failed", now())
    with schema_context("acme"):
        record = ExceptionRecord.objects.get()
    signed.set_viewport_size(PHONE)
    for address in (
        "/",
        "/exceptions/",
        f"/exceptions/{record.pk}/",
        "/orders/",
        f"/orders/{record.order_id}/",
        "/at-risk/",
        "/dead-letters/",
        "/incidents/",
        "/policy/",
        "/times/",
        "/nope",
    ):
        signed.goto(live.url("acme", address))
        assert signed.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
    signed.goto(live.url("acme", "/"))
    signed.get_by_role("button", name="Open the menu").click()
    signed.get_by_role("link", name="Exceptions", exact=True).click()
    signed.wait_for_url("**/exceptions/")


def test_keyboard_alone_resolves_an_exception(live: Live, signed: Page) -> None:
    take("5000", "payment_failed", now())
    signed.goto(live.url("acme", "/exceptions/"))
    signed.keyboard.press("Tab")
    assert signed.evaluate("document.activeElement.textContent") == "Skip to the content"
    signed.keyboard.press("Enter")
    for _ in range(40):
        signed.keyboard.press("Tab")
        if signed.evaluate("document.activeElement.textContent.trim()") == "Resolve…":
            break
    signed.keyboard.press("Enter")
    signed.wait_for_selector("dialog#dialog[open]")
    assert signed.evaluate("document.activeElement.name") == "resolution"
    signed.keyboard.type("Refunded")
    signed.keyboard.press("Tab")
    signed.keyboard.type("by phone")
    for _ in range(6):
        signed.keyboard.press("Tab")
        if signed.evaluate("document.activeElement.textContent.trim()") == "Resolve":
            break
    signed.keyboard.press("Enter")
    signed.get_by_text("Nothing is wrong").wait_for()
    with schema_context("acme"):
        assert ExceptionRecord.objects.get().resolution == "refunded"


def test_colours_are_the_persons_choice(live: Live, signed: Page) -> None:
    signed.emulate_media(color_scheme="light")
    signed.goto(live.url("acme", "/"))
    ground = "getComputedStyle(document.body).backgroundColor"
    light = signed.evaluate(ground)
    for name in ("as the system", "light"):
        signed.get_by_role("button", name=f"Colours: {name}").click()
    signed.reload()
    dark = signed.evaluate(ground)
    assert dark != light
    signed.emulate_media(color_scheme="dark")
    assert signed.evaluate(ground) == dark
