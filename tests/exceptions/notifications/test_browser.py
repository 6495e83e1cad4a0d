"""In a real browser: a name is completed, the colleague's bell rings, and leads to the exception."""

from collections.abc import Iterator
from typing import Any

import pytest
from django_tenants.utils import schema_context

from exceptions.escalation.defaults import install_default
from exceptions.models import Notification, TimelineEntry
from tenants.models import Role, Tenant
from tests.axe import grave_faults
from tests.exceptions.cast import NOW, make_exception
from tests.exceptions.notifications.cast import tell
from tests.live import Live
from tests.tenants.cast import make_member

pytestmark = pytest.mark.browser
Page = Any


@pytest.fixture
def colleague(live: Live, browser: Any) -> Iterator[Page]:
    """A second browser, in which anna is signed in."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.set_default_timeout(15_000)
    acme = Tenant.objects.get(slug="acme")
    live.sign_in(page, acme, make_member(acme, "anna"))
    yield page
    context.close()


def test_mention_rings_the_bell_and_leads_to_the_exception(live: Live, page: Page, colleague: Page) -> None:
    acme = Tenant.objects.get(slug="acme")
    live.sign_in(page, acme, make_member(acme, "maria", role=Role.MANAGER))
    with schema_context("acme"):
        record = make_exception("A-1")
    colleague.goto(live.url("acme", "/inbox/"))
    colleague.get_by_label("Notifications, none unread").first.wait_for()

    page.set_default_timeout(15_000)
    page.goto(live.url("acme", f"/exceptions/{record.pk}/"))
    field = page.get_by_placeholder("Say what you found")
    field.press_sequentially("@nobody-here look")
    page.get_by_role("button", name="Comment", exact=True).click()
    page.get_by_text("“@nobody-here” is no member of this team").wait_for()
    assert field.input_value() == "@nobody-here look"
    field.fill("")
    field.press_sequentially("please @an")
    page.get_by_role("option", name="anna").wait_for()
    field.press("Enter")
    assert field.input_value() == "please @anna "
    field.press_sequentially("call the carrier")
    page.get_by_role("button", name="Comment", exact=True).click()
    page.locator("#exception").get_by_text("please @anna call the carrier").first.wait_for()

    colleague.get_by_label("1 unread notification").first.wait_for()
    colleague.get_by_text("maria mentioned you").wait_for()
    colleague.get_by_text("please @anna call the carrier").wait_for()
    colleague.get_by_role("link", name="Handover to the carrier late, order A-1").click()
    colleague.wait_for_url(f"**/exceptions/{record.pk}/")
    colleague.get_by_label("Notifications, none unread").first.wait_for()
    with schema_context("acme"):
        assert TimelineEntry.objects.filter(kind="commented").count() == 1
        assert Notification.objects.filter(way="page", read_at=None).count() == 0


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_pages_fit_a_phone_and_keep_nobody_out(live: Live, page: Page, colours: str) -> None:
    acme = Tenant.objects.get(slug="acme")
    maria = make_member(acme, "maria", role=Role.MANAGER)
    live.sign_in(page, acme, maria)
    tell(maria, "a-rather-long-order-number-of-an-erp-0000000001")
    with schema_context("acme"):
        install_default(tenant=acme, actor="platform", now=NOW)
        record = make_exception("A-1", tags=["storm-porto", "vip"])
    page.emulate_media(color_scheme=colours)
    page.set_viewport_size({"width": 390, "height": 844})
    for address in (
        "/inbox/",
        "/inbox/settings/",
        "/escalation/",
        "/escalation/edit/",
        "/times/?days=90",
        f"/exceptions/{record.pk}/",
    ):
        page.goto(live.url("acme", address))
        page.get_by_label("1 unread notification").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
        assert grave_faults(page) == [], address
