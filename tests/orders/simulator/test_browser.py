"""The way through the simulator in a real browser: try, watch, look at who changes sides, put in force."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_tenants.utils import schema_context

from orders.simulator.models import SimulationRun
from orders.simulator.runs import work_on_run
from tenants.models import Role, SlaPolicy, Tenant
from tests.live import Live
from tests.orders.simulator.cast import past_orders
from tests.tenants.cast import make_member

Page = Any


@pytest.mark.browser
def test_manager_tries_a_target_and_puts_it_in_force(live: Live, page: Page) -> None:
    acme = Tenant.objects.get(slug="acme")
    past_orders(express=0, others=2, slow=1)
    live.sign_in(page, acme, make_member(acme, role=Role.MANAGER))
    page.set_default_timeout(15_000)
    page.goto(live.url("acme", "/orders/"))
    page.get_by_role("link", name="Simulator").click()
    page.get_by_label("How long").fill("1")
    page.get_by_label("Orders that began from").fill(str(timezone.now().date() + timedelta(days=2)))
    page.get_by_role("button", name="Simulate").click()
    page.get_by_text("The period ends before it begins.").wait_for()
    page.get_by_label("Orders that began from").fill(str(timezone.now().date() - timedelta(days=9)))
    page.keyboard.press("Enter")
    page.get_by_text("It waits for a worker.").wait_for()
    with schema_context("acme"):
        work_on_run("acme", SimulationRun.objects.get().pk)  # as a worker would
    page.get_by_text("2 newly late").wait_for()  # without a reload
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_label("Side", exact=True).select_option("saved")
    page.get_by_text("No order fits this filter").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="Put in force from").click()
    page.get_by_label("Note for the history").fill("tried")
    page.get_by_role("dialog").get_by_role("button", name="Put in force").click()
    page.get_by_text("This is version 2 of the policy.").wait_for()
    policy = SlaPolicy.objects.get(tenant=acme, version=2)
    assert (policy.note, policy.rules["rules"][0]["targets"]["order_fulfillment"]) == ("tried", {"hours": 1})
