"""The policy in a real browser: from the draft over the example to the version in force, by keyboard, on a phone."""

from collections.abc import Iterator
from typing import Any

import pytest

from tenants.models import PolicyDraft, Role, SlaPolicy, Tenant
from tests.live import Live, eventually
from tests.orders.policy_cast import drafted
from tests.tenants.cast import make_member

pytestmark = pytest.mark.browser
Page = Any
FRIDAY = "2027-03-05T13:59"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def acme_live(live: Live) -> Tenant:
    return Tenant.objects.get(slug="acme")


@pytest.fixture
def signed(live: Live, page: Page, acme_live: Tenant) -> Iterator[Page]:
    """A manager's browser; at the end nothing may have been refused by the policy or thrown."""
    page.set_default_timeout(15_000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda line: troubles.append(line.text) if "Content Security Policy" in line.text else None)
    live.sign_in(page, acme_live, make_member(acme_live, role=Role.MANAGER))
    yield page
    assert troubles == []


def test_from_a_draft_over_the_example_to_the_version_in_force(live: Live, signed: Page, acme_live: Tenant) -> None:
    page = signed
    page.goto(live.url("acme", "/policy/"))
    page.get_by_role("button", name="Begin a draft").click()
    page.wait_for_url("**/policy/draft/")

    page.get_by_role("link", name="Add a calendar").click()
    page.get_by_label("Name").fill("Lisbon")
    page.get_by_label("Time zone", exact=False).first.fill("Europe/Lisbon")
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"):
        page.get_by_label(day).fill("09:00-13:00, 14:00-18:00")
    page.locator("#edited").get_by_label("Public holidays of").fill("PT")
    page.locator("#holidays").get_by_text("Christmas Day").first.wait_for()
    page.get_by_role("button", name="Add it").click()
    page.wait_for_url("**/policy/draft/")

    page.get_by_role("link", name="Edit Every order").click()
    result = page.locator("#example-result")
    page.locator("#example").get_by_label("Ordered at").fill(FRIDAY)
    result.get_by_text("Sat 06 Mar 2027 13:59").first.wait_for()
    handover = page.get_by_role("group", name="Handover to the carrier")
    assert not handover.get_by_label("Received by").is_visible()
    handover.get_by_label("Deadline").select_option("cutoff")
    handover.get_by_label("Received by").fill("14:00")
    result.get_by_text("Fri 05 Mar 2027 18:00").first.wait_for()
    assert PolicyDraft.objects.get().rules["rules"][0]["targets"]["order_fulfillment"] == {"hours": 24}
    handover.get_by_label("Received by").fill("19:00")
    result.get_by_text("closes at 18:00").first.wait_for()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("closes at 18:00").first.wait_for()
    page.get_by_role("group", name="Handover to the carrier").get_by_label("Received by").fill("14:00")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/policy/draft/")

    page.get_by_role("link", name="Compare and publish").click()
    page.get_by_text("Received by 14:00").wait_for()
    page.get_by_label("What changes").fill("Ordered by 14:00 ships today")
    page.get_by_role("button", name="Publish").click()
    page.locator("#confirm").get_by_role("button", name="Publish", exact=True).click()
    page.get_by_text("Version 2 is in force").wait_for()
    made = SlaPolicy.objects.get(tenant=acme_live, version=2)
    assert (made.note, made.created_by) == ("Ordered by 14:00 ships today", "user:maria")
    assert not PolicyDraft.objects.exists()


def test_rules_move_by_keyboard_and_the_focus_goes_along(live: Live, signed: Page, acme_live: Tenant) -> None:
    drafted(acme_live)
    signed.goto(live.url("acme", "/policy/draft/"))
    signed.evaluate("window.stays = true")
    names = lambda: signed.locator(".rule h3").all_inner_texts()  # noqa: E731
    assert names() == ["Express", "Preorders", "Others"]
    signed.get_by_role("button", name="Move “Express” down").focus()
    for expected in (["Preorders", "Express", "Others"], ["Preorders", "Others", "Express"]):
        signed.keyboard.press("Enter")
        eventually(lambda wanted=expected: names() == wanted, 10, "the rule did not move")  # type: ignore[misc]
    signed.get_by_text("No order can reach this rule").first.wait_for()
    signed.get_by_role("button", name="Remove “Express”").focus()
    signed.keyboard.press("Enter")
    signed.locator("#confirm").get_by_role("button", name="Remove it").wait_for()
    signed.keyboard.press("Tab")
    signed.keyboard.press("Enter")
    eventually(lambda: names() == ["Preorders", "Others"], 10, "the rule is still there")
    assert signed.evaluate("window.stays") is True


def test_all_of_it_fits_a_phone(live: Live, signed: Page, acme_live: Tenant) -> None:
    drafted(acme_live)
    signed.set_viewport_size(PHONE)
    pages = ("", "versions/1/", *(f"draft/{page}" for page in ("", "rules/0/", "weights/", "raises/0/", "calendars/0/", "calendars/0/days/", "publish/")))  # fmt: skip
    for address in pages:
        signed.goto(live.url("acme", f"/policy/{address}"))
        assert signed.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
