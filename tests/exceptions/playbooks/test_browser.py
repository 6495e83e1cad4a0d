"""An action from its suggestion to what came of it, as two people watch it in real browsers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from exceptions.models import ExceptionRecord
from tenants.models import Role, Tenant
from tests.axe import grave_faults
from tests.exceptions.playbooks.cast import RELEASE, TAG, Team, exception_of, playbook, shop_at, source_of, states, tell
from tests.live import Live
from tests.tenants.cast import make_member

pytestmark = pytest.mark.browser
Page = Any
APPROVED = RELEASE | {"mode": "approve", "approver": "manager"}


@pytest.fixture
def team(live: Live, tmp_path: Path) -> Team:
    acme = Tenant.objects.get(slug="acme")
    source_of(acme)
    return Team(acme, shop_at(tmp_path, 30))


@pytest.fixture
def watch(live: Live, browser: Any) -> Iterator[Any]:
    """Opens a page as a new member of that role; at the end nothing may have been thrown or refused by the policy."""
    contexts, troubles = [], list[str]()

    def opened(role: str, path: str) -> Page:
        acme = Tenant.objects.get(slug="acme")
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda line: troubles.append(line.text) if "Content Security Policy" in line.text else None)
        live.sign_in(page, acme, make_member(acme, role, role=role))
        page.goto(live.url("acme", path))
        page.wait_for_selector('[data-live-sign][data-state="live"]:visible')
        page.evaluate("window.unchanged = true")
        return page

    yield opened
    assert troubles == []
    for context in contexts:
        context.close()


def at_work(team: Team, record: ExceptionRecord, event_type: str = "") -> None:
    """A round of the worker, after an event of the order if one is named."""
    with schema_context("acme"):
        if event_type:
            tell(record, event_type, at=team.clock())
        team.round()
    connection.set_schema_to_public()


def test_an_action_is_followed_step_by_step_without_reload(team: Team, watch: Any) -> None:
    with schema_context("acme"):
        record = exception_of(team.shop.held("INCORRECT_ADDRESS"))
        playbook(team.tenant, TAG, APPROVED, TAG | {"mode": "suggest"})
        team.round()
    path = f"/exceptions/{record.pk}/"
    olga, max_ = watch(Role.OPERATOR, path), watch(Role.MANAGER, path)
    for page in (olga, max_):
        page.get_by_text("Waits for approval").wait_for()
        assert page.get_by_text("Needs a manager.").is_visible()
        assert page.get_by_text("Next: Tag the order in the shop").is_visible()
    assert grave_faults(max_) == []

    max_.get_by_role("button", name="Dry run").click()
    max_.get_by_text("A worker looks at the order").wait_for()
    at_work(team, record)
    max_.get_by_text("The exact call").wait_for()
    assert "fulfillmentOrderReleaseHold" in max_.locator("#dry-run pre").inner_text()
    assert team.shop.mutations() == ["tagsAdd"]

    olga.get_by_role("button", name="Approve").click()
    olga.get_by_text("manager", exact=False).locator("visible=true").first.wait_for()
    with schema_context("acme"):
        assert states(record)[-1] == ("shopify_release", "awaiting")
    max_.get_by_role("button", name="Approve").click()
    for page in (olga, max_):
        page.get_by_text("Waits for approval").wait_for(state="hidden")
    team.clock.go(minutes=1)  # past the moment of the approval, which the pages' clock told
    at_work(team, record)
    for page in (olga, max_):
        page.get_by_text("Waits for what it should lead to").wait_for()
    at_work(team, record, "address_corrected")
    for page in (olga, max_):
        page.get_by_text("Resolved", exact=True).first.wait_for()
        assert page.get_by_text("Led to what was expected").first.is_visible()
        assert page.evaluate("window.unchanged") is True
    assert team.shop.mutations() == ["tagsAdd", "fulfillmentOrderReleaseHold"]
