"""Calendars of the tests, by name, and times told as people tell them."""

from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from tenants.calendar_form import read_calendar
from tenants.calendars import Calendar
from tenants.reading import Form

WEEK = ["mon", "tue", "wed", "thu", "fri"]


def weekly(*windows: str, days: list[str] = WEEK, **more: list[str]) -> dict[str, list[str]]:
    return {day: list(windows) for day in days} | more


FORMS: dict[str, dict[str, Any]] = {
    "utc": {"timezone": "UTC", "weekly": weekly("09:00-17:00")},
    "lisbon": {
        "timezone": "Europe/Lisbon",
        "weekly": weekly("09:00-13:00", "14:00-18:00", sat=["09:00-13:00"]),
        "holidays": {"country": "PT"},
    },
    "sao_paulo": {"timezone": "America/Sao_Paulo", "weekly": weekly("09:00-18:00"), "holidays": {"country": "BR"}},
    "new_york": {"timezone": "America/New_York", "weekly": weekly("00:00-24:00", days=[*WEEK, "sat", "sun"])},
    "kathmandu": {"timezone": "Asia/Kathmandu", "weekly": weekly("10:00-17:00", days=["sun", *WEEK])},
    "lord_howe": {"timezone": "Australia/Lord_Howe", "weekly": weekly("00:00-06:00", days=[*WEEK, "sat", "sun"])},
    "night": {"timezone": "Europe/Berlin", "weekly": weekly("00:00-06:00", "22:00-24:00", days=[*WEEK, "sat", "sun"])},
    "gap": {"timezone": "Europe/Berlin", "weekly": {"sun": ["01:30-03:30"], "mon": ["08:00-09:00"]}},
    "apia": {"timezone": "Pacific/Apia", "weekly": weekly("08:00-16:00", days=[*WEEK, "sat"])},
    "own": {
        "timezone": "UTC",
        "weekly": weekly("09:00-17:00"),
        "days_off": [
            {"name": "Stocktaking", "date": "2026-12-28"},
            {"name": "Christmas break", "from": "2026-12-24", "to": "2027-01-01", "yearly": True, "last_year": 2027},
            {"name": "Leap day", "date": "2024-02-29", "yearly": True},
        ],
    },
}


@cache
def calendar(name: str) -> Calendar:
    errors: dict[str, list[str]] = {}
    hours = read_calendar(Form(FORMS[name], "", errors))
    assert hours is not None and not errors, errors
    return Calendar(hours)


def local(name: str, text: str, fold: int = 0) -> datetime:
    """`2026-11-20 09:00` on the wall of that place; `fold=1`: the second time that the clock shows it."""
    zone = ZoneInfo(FORMS[name]["timezone"])
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)
