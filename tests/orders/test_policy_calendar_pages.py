"""The pages of a draft's calendars: hours, holidays, own days off, and files of them."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from orders.pages.policy.calendar_fields import CalendarForm
from tenants.ical import MOST_BYTES
from tenants.models import Tenant
from tests.orders.policy_cast import as_posted, client_of, draft_now, drafted, posted, state_of, text_of

HTMX = {"HTTP_HX_REQUEST": "true"}
ICS = """BEGIN:VCALENDAR
BEGIN:VEVENT
SUMMARY:Stocktaking
DTSTART;VALUE=DATE:20261228
END:VEVENT
BEGIN:VEVENT
SUMMARY:Party
DTSTART:20261218T180000Z
END:VEVENT
BEGIN:VEVENT
SUMMARY:Founders' day
DTSTART;VALUE=DATE:20260301
RRULE:FREQ=YEARLY
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def manager(acme: Tenant) -> Client:
    return client_of(acme)


def test_calendar_is_added_edited_and_kept_while_a_rule_names_it(acme: Tenant, manager: Client) -> None:
    drafted(acme)
    rules = draft_now(acme).rules
    data = as_posted(
        CalendarForm(rules=rules), name="Porto", timezone="Europe/Lisbon", mon="08:00-16:00", country="pt",
        subdivision="13", warehouses="OPO1", **posted(acme),
    )  # fmt: skip
    data.pop("default", None)
    assert manager.post("/policy/draft/calendars/new/", data).status_code == 302
    made = draft_now(acme)
    assert made.policy is not None and made.policy.warehouses == {"lis1": "lisbon", "opo1": "Porto"}
    assert made.policy.default_calendar == "lisbon"
    places = {name: place for place, name in enumerate(made.rules["calendars"])}
    before = state_of(acme)
    text_of(manager.post(f"/policy/draft/calendars/{places['sao_paulo']}/remove/", posted(acme)), 409)
    text_of(manager.post("/policy/draft/calendars/9/remove/", posted(acme)), 409)
    assert state_of(acme) == before
    assert manager.post(f"/policy/draft/calendars/{places['Porto']}/remove/", posted(acme)).status_code == 302
    found = draft_now(acme)
    assert sorted(found.rules["calendars"]) == ["lisbon", "sao_paulo"] and found.rules["warehouses"] == {
        "LIS1": "lisbon"
    }


def test_calendar_that_makes_a_cutoff_too_late_is_said_at_the_rule(acme: Tenant, manager: Client) -> None:
    rules = drafted(acme).rules
    place = list(rules["calendars"]).index("lisbon")
    data = as_posted(CalendarForm(rules=rules, old_name="lisbon"), fri="09:00-12:00", **posted(acme))
    assert manager.post(f"/policy/draft/calendars/{place}/", data).status_code == 302
    assert "closes at 12:00, not after the cut-off at 14:00" in text_of(manager.get("/policy/draft/"))


def test_holidays_show_as_a_country_is_typed(manager: Client) -> None:
    assert "Christmas Day" in text_of(manager.get("/policy/holidays/", {"country": "pt"}))
    assert "Name a country" in text_of(manager.get("/policy/holidays/", {"country": "p"}))
    assert 'value="BY"' in text_of(manager.get("/policy/holidays/", {"country": "DE", "subdivision": "nope"}))


def test_days_off_are_added_and_removed(acme: Tenant, manager: Client) -> None:
    drafted(acme)
    where = "/policy/draft/calendars/0/days/"
    bad = manager.post(f"{where}add/", posted(acme, name="Closed", first="2026-12-28", last="2026-12-01"), **HTMX)
    assert "on or after the day it is from" in text_of(bad, 422)
    manager.post(
        f"{where}add/", posted(acme, name="Inventory", first="2026-12-28", yearly="on", last_year="2030"), **HTMX
    )
    assert "2026-12-28, every year until 2030" in text_of(manager.get(where))
    before = state_of(acme)
    text_of(manager.post(f"{where}remove/", posted(acme, day=5)), 409)
    assert state_of(acme) == before
    manager.post(f"{where}remove/", posted(acme, day=0), **HTMX)
    assert "Inventory" not in text_of(manager.get(where))


def file(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("off.ics", content, "text/calendar")


def test_file_is_looked_into_before_its_days_are_taken(acme: Tenant, manager: Client) -> None:
    drafted(acme)
    before, where = state_of(acme), "/policy/draft/calendars/0/"
    answer = manager.post(f"{where}import/", {"file": file(ICS.encode())})
    page = text_of(answer)
    for part in ("It adds 2 days off", "2026-12-28", "2026-03-01, every year", "“Party” was left out"):
        assert part in page
    assert state_of(acme) == before
    days = answer.context["days_json"]
    assert manager.post(f"{where}import/take/", posted(acme, days=days)).status_code == 302
    name = next(iter(draft_now(acme).rules["calendars"]))
    assert [day["name"] for day in draft_now(acme).rules["calendars"][name]["days_off"]] == [
        "Stocktaking",
        "Founders' day",
    ]
    again = text_of(manager.post(f"{where}import/", {"file": file(ICS.encode())}))
    assert "It adds 0 days off" in again and "2 more are there already" in again


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"hello", "does not begin with BEGIN:VCALENDAR"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"BEGIN:VCALENDAR\n" + b"x" * MOST_BYTES, "larger than 1000 kB"),
        (b"", "The file is empty."),
        (None, "Choose a file that ends in .ics."),
    ],
    ids=["text", "binary", "large", "empty", "none"],
)
def test_file_that_cannot_be_used_is_refused(acme: Tenant, manager: Client, content: Any, sentence: str) -> None:
    drafted(acme)
    before = state_of(acme)
    words = {} if content is None else {"file": file(content)}
    assert sentence in text_of(manager.post("/policy/draft/calendars/0/import/", words), 422)
    assert state_of(acme) == before


@pytest.mark.parametrize(
    "days", ["", "[]", "{}", "[" * 5000, '[{"name": "x", "date": "soon"}]', '[{"name": 1}]', "[1]"]
)
def test_days_that_no_file_gave_are_refused(acme: Tenant, manager: Client, days: str) -> None:
    drafted(acme)
    before = state_of(acme)
    text_of(manager.post("/policy/draft/calendars/0/import/take/", posted(acme, days=days)), 422)
    assert state_of(acme) == before
