"""The team's pages in a real browser: a manager invites, changes, removes and revokes; a new person joins by the link."""

import re
from typing import Any

import pytest

from tenants.models import ApiKey, Invitation, Mail, Membership, Role, Tenant, User
from tests.live import Live
from tests.tenants.cast import PASSWORD, make_member

pytestmark = pytest.mark.browser


@pytest.fixture
def acme_page(live: Live, page: Any) -> Any:
    """A manager's browser; any complaint of it (a blocked script, an error) fails the test."""
    acme = Tenant.objects.get(slug="acme")
    live.sign_in(page, acme, make_member(acme, "boss", Role.MANAGER))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == []


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_manager_runs_the_team_without_a_reload(live: Live, acme_page: Any) -> None:
    acme, page = Tenant.objects.get(slug="acme"), acme_page
    make_member(acme, "maria", Role.OPERATOR)
    page.goto(live.url("acme", "/members/"))
    page.evaluate("window.stays = true")

    page.get_by_label("E-mail address").fill("new@example.com")
    page.get_by_role("button", name="Invite", exact=True).click()
    page.locator("#team").get_by_text("new@example.com").wait_for()
    assert Invitation.objects.get().email == "new@example.com"

    maria = page.locator("tr", has_text="maria@example.com")
    maria.get_by_text("Change", exact=False).first.click()
    maria.get_by_label("Role of maria").select_option("viewer")
    maria.get_by_role("button", name="Set the role").click()
    maria.locator(".state", has_text="Viewer").wait_for()
    assert Membership.objects.get(user__username="maria").role == Role.VIEWER

    for answer in ("Keep as it is", "Remove"):
        maria.locator("summary").click()
        maria.get_by_role("button", name="Remove from the team").click()
        page.locator("#confirm").get_by_role("button", name=answer, exact=True).click()
        if answer == "Keep as it is":
            assert Membership.objects.filter(user__username="maria").exists()
    maria.wait_for(state="detached")
    assert not Membership.objects.filter(user__username="maria").exists()
    assert page.evaluate("window.stays")

    page.set_viewport_size({"width": 390, "height": 844})
    assert fits(page)


def test_key_is_made_shown_and_revoked(live: Live, acme_page: Any) -> None:
    page = acme_page
    page.goto(live.url("acme", "/keys/"))
    page.get_by_role("link", name="New key").click()
    page.get_by_label("What is it for?").fill("Warehouse")
    page.get_by_label("Ingest: send events").check()
    page.get_by_role("button", name="Make the key").click()
    assert re.fullmatch(r"e2a_[0-9a-f]{12}_[0-9a-f]{48}", page.locator("#key").inner_text())
    page.set_viewport_size({"width": 390, "height": 844})
    assert fits(page)
    page.get_by_role("link", name="I have kept it").click()
    row = page.locator("tr", has_text="Warehouse")
    row.get_by_role("button", name="Revoke").click()
    page.locator("#confirm").get_by_role("button", name="Revoke", exact=True).click()
    row.locator(".state", has_text="Revoked").wait_for()
    assert ApiKey.objects.get().revoked_at is not None
    assert fits(page)


def test_new_person_joins_by_the_mailed_link(live: Live, acme_page: Any, browser: Any) -> None:
    page = acme_page
    page.goto(live.url("acme", "/members/"))
    page.get_by_label("E-mail address").fill("nina@example.com")
    page.get_by_role("button", name="Invite", exact=True).click()
    page.locator("#team").get_by_text("nina@example.com").wait_for()
    link = re.search(r"/invitation/[\w-]+/", Mail.objects.get().text)
    assert link
    theirs = browser.new_page()
    theirs.goto(live.url("acme", link[0]))
    theirs.get_by_label("Password", exact=True).fill(PASSWORD)
    theirs.get_by_label("Once more").fill(PASSWORD)
    theirs.get_by_role("button", name="Make the account and join").click()
    theirs.wait_for_url(live.url("acme", "/"))
    assert "nina" in theirs.locator(".who").inner_text()
    theirs.close()
    assert User.objects.get(username="nina").memberships.get().role == Role.VIEWER
