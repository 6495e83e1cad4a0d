"""Incidents in a real browser: one that grows while one looks, its acts, rules, the keyboard, the phone, axe; another's socket."""

from collections.abc import Iterator
from typing import Any

import pytest
from django_tenants.utils import schema_context

from exceptions.incidents import decisions
from exceptions.incidents.models import Incident
from exceptions.models import ExceptionRecord
from exceptions.selectors import database_now
from orders.models import Order
from tenants.models import Role, Tenant, User
from tests.axe import grave_faults
from tests.exceptions.cast import NOW
from tests.exceptions.incidents.cast import fold, late_parcel, members_of, storm, the_incident
from tests.live import Live, eventually
from tests.tenants.cast import make_member

pytestmark = pytest.mark.browser
Page = Any
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def maria(live: Live) -> User:
    return make_member(Tenant.objects.get(slug="acme"), role=Role.MANAGER)


@pytest.fixture
def signed(live: Live, page: Page, maria: User) -> Iterator[Page]:
    """A page of maria's; at the end nothing may have been refused by the policy or thrown."""
    page.set_default_timeout(15_000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda line: troubles.append(line.text) if "Content Security Policy" in line.text else None)
    live.sign_in(page, Tenant.objects.get(slug="acme"), maria)
    yield page
    assert troubles == []


@pytest.fixture
def one(live: Live) -> Incident:
    with schema_context("acme"):
        storm(6)
        Order.objects.filter(order_id__in=["order-0", "order-3"]).update(value_cents=12_900, currency="EUR")
        fold()
        return the_incident()


def go(live: Live, page: Page, path: str) -> None:
    page.goto(live.url("acme", path))
    page.wait_for_selector('[data-live-sign][data-state="live"]:visible, .topbar', state="attached")
    page.wait_for_load_state("networkidle")


def test_one_is_confirmed_acted_on_and_closed(live: Live, signed: Page, one: Incident) -> None:
    go(live, signed, "/incidents/")
    signed.get_by_role("link", name="Carrier UPS, destination country DE").click()
    signed.wait_for_url("**/incidents/*/")
    signed.get_by_role("button", name="Confirm…").click()
    dialog = signed.locator("dialog#dialog[open]")
    dialog.get_by_label("Note").fill("the depot is on strike")
    dialog.get_by_role("button", name="Confirm").click()
    signed.get_by_text("the depot is on strike").wait_for()
    with schema_context("acme"):
        late_parcel("order-6")
        fold()
    signed.get_by_text("All 7 open:").wait_for()  # by itself, while one looks
    signed.locator("#member-" + str(number_of("order-6"))).get_by_role("button", name="Take out order-6").click()
    signed.locator("dialog[open]").get_by_role("button", name="Take out").click()
    signed.get_by_role("heading", name="Taken out").wait_for()
    signed.get_by_role("button", name="Acknowledge…").click()
    dialog.get_by_role("button", name="Acknowledge 6 exceptions").click()
    signed.get_by_text("Acknowledge 6 exceptions: 6 acknowledged").wait_for()
    signed.get_by_role("button", name="Close…").click()
    dialog.get_by_role("button", name="Close", exact=True).click()
    signed.get_by_text("Closed by a person").wait_for()
    with schema_context("acme"):
        assert members_of(one) == {f"order-{number}" for number in range(6)}
        assert ExceptionRecord.objects.filter(status="ACKNOWLEDGED").count() == 6


def number_of(order: str) -> int:
    with schema_context("acme"):
        return ExceptionRecord.objects.get(order_ref=order).pk


def test_keyboard_alone_silences_one(live: Live, signed: Page, one: Incident) -> None:
    go(live, signed, f"/incidents/{one.pk}/")
    signed.get_by_role("button", name="Silence…").focus()
    signed.keyboard.press("Enter")
    signed.wait_for_selector("dialog#dialog[open]")
    assert signed.evaluate("document.activeElement.name") == "reason"
    for _ in range(6):
        signed.keyboard.press("Tab")
        if signed.evaluate("document.activeElement.textContent.trim()") == "Silence":
            break
    signed.keyboard.press("Enter")
    signed.get_by_role("button", name="End the silence…").wait_for()


def test_a_rule_is_tried_before_it_is_saved(live: Live, signed: Page, one: Incident) -> None:
    with schema_context("acme"):
        ExceptionRecord.objects.update(opened_at=database_now())
    go(live, signed, "/incidents/rules/")
    signed.get_by_role("link", name="Carrier in trouble on a lane").click()
    signed.get_by_label("From how many orders on").fill("7")
    signed.get_by_role("button", name="What would it fold now?").click()
    signed.get_by_role("heading", name="Nothing at the moment").wait_for()
    signed.get_by_label("From how many orders on").fill("4")
    signed.get_by_role("button", name="What would it fold now?").click()
    signed.locator("[aria-labelledby=foretold]").get_by_text("Carrier UPS, destination country DE").wait_for()
    signed.get_by_role("button", name="Save").click()
    signed.wait_for_url("**/incidents/rules/")
    signed.get_by_text("4+").wait_for()


def test_everything_fits_a_phone(live: Live, signed: Page, one: Incident) -> None:
    signed.set_viewport_size(PHONE)
    for path in ("/incidents/", f"/incidents/{one.pk}/", "/incidents/rules/", "/incidents/rules/sku/"):
        go(live, signed, path)
        assert signed.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_no_serious_fault(live: Live, signed: Page, one: Incident, colours: str) -> None:
    with schema_context("acme"):
        decisions.confirm_incident(incident_id=one.pk, actor="user:maria", now=NOW, reason="strike")
    signed.emulate_media(color_scheme=colours)
    for path in (
        "/incidents/",
        f"/incidents/{one.pk}/",
        "/incidents/rules/",
        "/incidents/rules/sku/",
        "/incidents/?tab=closed",
    ):
        go(live, signed, path)
        assert grave_faults(signed) == [], path


def test_another_tenants_socket_hears_nothing_of_it(live: Live, signed: Page, one: Incident) -> None:
    """maria looks at globex's pages, where she works too, while acme's incident is confirmed there over the server."""
    globex = Tenant.objects.get(slug="globex")
    make_member(globex, "gina", Role.MANAGER)
    live.sign_in(signed, globex, User.objects.get(username="gina"))
    theirs, ours = [], []
    listen(signed, theirs)
    signed.goto(live.url("globex", "/incidents/"))
    signed.wait_for_selector('[data-live-sign][data-state="live"]:visible')
    theirs.clear()
    other = signed.context.new_page()
    listen(other, ours)
    go(live, other, f"/incidents/{one.pk}/")
    other.get_by_role("button", name="Dismiss…").click()
    other.locator("dialog#dialog[open]").get_by_role("button", name="Dismiss").click()
    other.get_by_text("Dismissed: no incident").wait_for()
    eventually(lambda: heard(other, ours), 10, "our own page heard nothing")
    assert (the_state(one), heard(signed, theirs)) == ("closed", False)
    assert signed.get_by_text("Carrier UPS").count() == 0


def listen(page: Page, frames: list[str]) -> None:
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))))


def heard(page: Page, frames: list[str]) -> bool:
    """What has come in meanwhile is told only while the page is asked for something."""
    page.wait_for_timeout(100)
    return "changed" in frames


def the_state(one: Incident) -> str:
    with schema_context("acme"):
        return Incident.objects.get(pk=one.pk).state
