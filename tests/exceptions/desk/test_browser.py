"""The desk in a real browser: keys, selection, saved views, files, what changes while one looks, the phone, axe."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django_tenants.utils import schema_context
from openpyxl import load_workbook

from exceptions.desk.models import SavedView
from exceptions.models import ExceptionRecord, TimelineEntry
from tenants.models import Role, Tenant, User
from tests.axe import grave_faults
from tests.exceptions.cast import make_exception
from tests.exceptions.desk.cast import make_many
from tests.live import Live, eventually
from tests.tenants.cast import make_member

pytestmark = pytest.mark.browser
Page = Any
WIDE, PHONE = {"width": 1600, "height": 900}, {"width": 390, "height": 844}
ROW = "tr[data-row]"


@pytest.fixture
def maria(live: Live) -> User:
    return make_member(Tenant.objects.get(slug="acme"), role=Role.MANAGER)


@pytest.fixture
def desk(live: Live, page: Page, maria: User) -> Iterator[Page]:
    """A page of maria's; at the end nothing may have been refused by the policy or thrown."""
    page.set_default_timeout(15_000)
    page.set_viewport_size(WIDE)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda line: troubles.append(line.text) if "Content Security Policy" in line.text else None)
    live.sign_in(page, Tenant.objects.get(slug="acme"), maria)
    yield page
    assert troubles == []


def seed(number: int) -> list[str]:
    """Orders' ids from the highest priority to the lowest."""
    with schema_context("acme"):
        return [make_exception(f"SO-{1000 + n}", priority=500 - n).order_ref for n in range(number)]


def open_desk(live: Live, page: Page, query: str = "") -> None:
    page.goto(live.url("acme", f"/exceptions/{query}"))
    page.wait_for_selector('[data-live-sign][data-state="live"]:visible')


def orders_of(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        ROW, "rows => rows.map(row => row.querySelector('a.num').textContent.trim())"
    )
    return found


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def statuses() -> dict[str, str]:
    with schema_context("acme"):
        return dict(ExceptionRecord.objects.values_list("order_ref", "status"))


def picked(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        f"{ROW}:has(input:checked)", "rows => rows.map(row => row.querySelector('a.num').textContent.trim())"
    )
    return found


def test_ten_are_triaged_by_keys_alone(live: Live, desk: Page) -> None:
    orders = seed(12)
    open_desk(live, desk)
    desk.evaluate("window.unchanged = true")
    for order in orders[:6]:  # one by one
        press(desk, "j", "a")
        eventually(lambda at=order: statuses()[at] == "ACKNOWLEDGED", 15, order)  # type: ignore[misc]
    press(desk, "j", "x", "j", "x", "k", "j", "a")  # two together
    desk.get_by_role("button", name="Acknowledge 2 exceptions").wait_for()
    press(desk, "Enter")
    eventually(lambda: statuses()[orders[7]] == "ACKNOWLEDGED", 15, "two together")
    desk.locator("dialog#dialog[open]").wait_for(state="detached")
    for order in orders[8:10]:  # and two to the end
        press(desk, "j", "r")
        desk.wait_for_selector("dialog#dialog[open] select[name=resolution]:focus")
        press(desk, "Tab", "Tab", "Tab", "Tab", "Enter")
        eventually(lambda at=order: statuses()[at] == "RESOLVED", 5, order)  # type: ignore[misc]
        desk.locator("dialog#dialog[open]").wait_for(state="detached")
    counted = sorted(statuses()[order] for order in orders)
    assert counted == ["ACKNOWLEDGED"] * 8 + ["OPEN"] * 2 + ["RESOLVED"] * 2
    assert orders_of(desk) == orders  # nothing has jumped
    assert desk.evaluate("window.unchanged") is True
    press(desk, "?")
    desk.get_by_role("heading", name="Keys").wait_for()
    press(desk, "Escape", "/")
    assert desk.evaluate("document.activeElement.id") == "exception-search"
    desk.keyboard.type("SO-1011")
    eventually(lambda: orders_of(desk) == ["SO-1011"], 15, "not searched")
    press(desk, "Escape")
    assert desk.evaluate("document.activeElement.id") != "exception-search"


def test_whole_filter_is_resolved_together(live: Live, desk: Page) -> None:
    with schema_context("acme"):
        make_many(100)  # 60 of them open
    open_desk(live, desk, "?status=open")
    boxes = desk.locator(f"{ROW} [data-pick]")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    assert desk.locator("[data-picked]").inner_text() == "4 selected"
    desk.get_by_label("Select all on this page").click()
    desk.get_by_role("button", name="Select all 60 of this filter").click()
    desk.get_by_role("button", name="Resolve…").last.click()
    desk.get_by_label("How it ended").select_option("customer_informed")
    desk.get_by_label("Note").fill("The carrier was on strike.")
    desk.get_by_role("button", name="Resolve 60 exceptions").click()
    desk.get_by_text("60 resolved.").wait_for()
    assert list(statuses().values()).count("RESOLVED") == 20 + 60
    with schema_context("acme"):
        assert TimelineEntry.objects.filter(kind="resolved", reason="The carrier was on strike.").count() == 60
    desk.get_by_text("None here").wait_for()
    assert desk.locator("#bulk-bar").is_hidden()


def test_list_is_saved_as_a_view(live: Live, desk: Page, maria: User) -> None:
    seed(2)
    open_desk(live, desk)
    desk.get_by_label("Severity").select_option("HIGH")
    desk.get_by_text("No exception fits this filter").wait_for()
    desk.get_by_role("button", name="Save view").click()
    desk.get_by_label("Name").fill("High ones")
    desk.get_by_label("Share it with the whole team").check()
    desk.get_by_role("button", name="Save", exact=True).click()
    view = desk.get_by_role("navigation", name="Saved views").get_by_role("link", name="High ones")
    view.wait_for()
    assert view.get_attribute("aria-current") == "true"
    assert desk.url.endswith("/exceptions/?severity=HIGH")
    with schema_context("acme"):
        assert SavedView.objects.values_list("name", "query", "shared", "owner_id").get() == (
            "High ones", "severity=HIGH", True, maria.pk,
        )  # fmt: skip
    desk.get_by_role("link", name="Clear", exact=True).click()
    desk.get_by_role("link", name="High ones").click()
    desk.wait_for_url("**/exceptions/?severity=HIGH")


def test_list_is_a_file(live: Live, desk: Page, tmp_path: Path) -> None:
    with schema_context("acme"):
        make_many(2_100)  # more than one part
    open_desk(live, desk, "?merchant=north")
    for kind in ("CSV", "XLSX"):
        with desk.expect_download() as started:
            desk.get_by_role("link", name=kind).click()
        started.value.save_as(tmp_path / started.value.suggested_filename)
    rows = list(csv.DictReader((tmp_path / "exceptions.csv").read_text().splitlines()))
    with schema_context("acme"):
        expected = ExceptionRecord.objects.filter(merchant="north").exclude(status="RESOLVED")
        assert {row["order_id"] for row in rows} == set(expected.values_list("order_ref", flat=True))
    sheet = load_workbook(tmp_path / "exceptions.xlsx", read_only=True).worksheets[0]
    assert [row[1] for row in sheet.iter_rows(min_row=2, values_only=True)] == [row["order_id"] for row in rows]


def test_changes_come_in_without_a_row_jumping_or_the_selection_going(live: Live, desk: Page) -> None:
    orders = seed(6)
    open_desk(live, desk)
    press(desk, "j", "j", "x", "j", "x")
    desk.evaluate("window.unchanged = true")
    with schema_context("acme"):
        make_exception("SO-new", priority=900)
        ExceptionRecord.objects.filter(order_ref=orders[1]).update(severity="CRITICAL", priority=1)
    desk.get_by_role("button", name="1 new: show").wait_for()
    second = desk.locator(ROW).nth(1)
    second.get_by_text("Critical").wait_for()
    assert orders_of(desk) == orders
    assert picked(desk) == orders[1:3]
    assert desk.evaluate("document.activeElement.id") == desk.locator(ROW).nth(2).get_attribute("id")
    desk.get_by_role("button", name="1 new: show").click()
    eventually(lambda: orders_of(desk) == ["SO-new", orders[0], *orders[2:], orders[1]], 15, "no fresh list")
    assert sorted(picked(desk)) == orders[1:3]
    assert desk.locator("[data-picked]").inner_text() == "2 selected"
    assert desk.evaluate("window.unchanged") is True


def test_list_that_nobody_touches_is_made_afresh(live: Live, desk: Page) -> None:
    orders = seed(2)
    open_desk(live, desk)
    with schema_context("acme"):
        make_exception("SO-new", priority=900)
    eventually(lambda: orders_of(desk) == ["SO-new", *orders], 10, "not shown by itself")
    press(desk, "j")
    with schema_context("acme"):
        make_exception("SO-newer", priority=901)
    desk.get_by_role("button", name="1 new: show").wait_for()
    assert orders_of(desk) == ["SO-new", *orders]


def test_selection_belongs_to_its_filter(live: Live, desk: Page) -> None:
    seed(3)
    open_desk(live, desk)
    press(desk, "j", "x")
    assert desk.locator("[data-picked]").inner_text() == "1 selected"
    desk.get_by_label("Sorted by").select_option("overdue")
    desk.locator("#bulk-bar").wait_for(state="hidden")
    assert picked(desk) == []


def test_one_opens_beside_the_list_which_stays(live: Live, desk: Page) -> None:
    with schema_context("acme"):
        make_many(60)
    open_desk(live, desk, "?sort=newest")
    row = desk.locator(ROW).nth(30)
    row.locator("[data-pick]").click()
    row.evaluate("row => row.scrollIntoView({block: 'center'})")
    seen_at = row.bounding_box()["y"]
    order = orders_of(desk)[30]
    row.locator("[data-beside]").click()
    panel = desk.get_by_role("complementary", name="Exception beside the list")
    panel.get_by_role("link", name=order).first.wait_for()
    number = row.get_attribute("id").removeprefix("exception-")
    assert desk.url.endswith(f"?sort=newest&open={number}")
    assert abs(row.bounding_box()["y"] - seen_at) < 60  # the list is narrower now, and still shows the same rows
    assert picked(desk) == [order]
    press(desk, "j")
    panel.get_by_role("link", name=orders_of(desk)[31]).first.wait_for()
    desk.reload()
    panel.get_by_role("link", name=orders_of(desk)[31]).first.wait_for()
    press(desk, "Escape")
    panel.wait_for(state="hidden")
    assert "open=" not in desk.url


def test_keys_can_be_switched_off(live: Live, desk: Page) -> None:
    (order,) = seed(1)
    open_desk(live, desk)
    desk.get_by_role("button", name="Keys").click()
    desk.get_by_label("Single keys work on this page").uncheck()
    desk.get_by_role("button", name="Close", exact=True).click()
    press(desk, "j", "x", "a")
    assert picked(desk) == []
    assert statuses() == {order: "OPEN"}


def test_viewers_keys_act_on_nothing(live: Live, page: Page) -> None:
    (order,) = seed(1)
    acme = Tenant.objects.get(slug="acme")
    live.sign_in(page, acme, make_member(acme, "vera", role=Role.VIEWER))
    page.set_viewport_size(WIDE)
    open_desk(live, page)
    press(page, "j", "x", "a", "r")
    press(page, "o")
    page.get_by_role("complementary", name="Exception beside the list").get_by_role("heading").first.wait_for()
    assert page.locator("dialog[open]").count() == 0
    assert statuses() == {order: "OPEN"}


def test_phone_reads_and_acknowledges(live: Live, desk: Page) -> None:
    orders = seed(2)
    desk.set_viewport_size(PHONE)
    open_desk(live, desk)
    assert desk.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert desk.get_by_label("Severity").is_hidden()
    desk.get_by_role("button", name="Filters").click()
    assert desk.get_by_label("Severity").is_visible()
    desk.locator(ROW).nth(1).locator("[data-pick]").click()
    assert desk.locator("#bulk-bar").bounding_box()["height"] < 120
    assert desk.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    desk.get_by_role("button", name="Clear").scroll_into_view_if_needed()
    desk.get_by_role("button", name="Clear").click()
    desk.locator(ROW).first.get_by_role("button", name="Acknowledge").click()
    eventually(lambda: statuses()[orders[0]] == "ACKNOWLEDGED", 15, "not acknowledged")
    desk.locator(ROW).nth(1).locator("[data-beside]").click()
    desk.wait_for_url("**/exceptions/*/")
    desk.get_by_role("button", name="Acknowledge").click()
    desk.get_by_text("Acknowledged", exact=True).first.wait_for()
    assert statuses()[orders[1]] == "ACKNOWLEDGED"
    assert desk.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_no_serious_fault(live: Live, desk: Page, colours: str) -> None:
    seed(8)
    with schema_context("acme"):
        for place, severity in enumerate(("LOW", "HIGH", "CRITICAL"), start=1001):
            ExceptionRecord.objects.filter(order_ref=f"SO-{place}").update(severity=severity, status="IN_PROGRESS")
        ExceptionRecord.objects.filter(order_ref="SO-1004").update(status="ACKNOWLEDGED")
        number = ExceptionRecord.objects.latest("pk").pk
    desk.emulate_media(color_scheme=colours)
    for address in ("/", f"/exceptions/{number}/", f"/exceptions/?open={number}"):
        desk.goto(live.url("acme", address))
        desk.wait_for_load_state("networkidle")
        assert grave_faults(desk) == [], address
    press(desk, "j", "x", "j", "x", "j", "x", "j", "x", "j", "x")
    assert grave_faults(desk) == [], "with a selection"
    press(desk, "Escape", "r")
    desk.wait_for_selector("dialog#dialog[open]")
    assert grave_faults(desk) == [], "the dialog"
