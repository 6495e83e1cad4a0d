"""A calendar as JSON: read, checked with sentences, written. Pure.

    {"timezone": "Europe/Lisbon",
     "weekly": {"mon": ["09:00-13:00", "14:00-18:00"], …, "sat": ["22:00-24:00"]},
     "holidays": {"country": "PT", "subdivision": "11"},
     "days_off": [{"name": "Stocktaking", "date": "2026-12-28"},
                  {"name": "Works holidays", "from": "2026-08-10", "to": "2026-08-21", "yearly": true, "last_year": 2030}]}

A weekday left out is closed. All but `timezone` and `weekly` may be left out.
"""

import re
from datetime import timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

from tenants.days_off import LONGEST, DayOff, has_country, subdivisions_of
from tenants.open_hours import Hours, Window
from tenants.reading import Form, shown

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
KEYS = ("timezone", "weekly", "holidays", "days_off")
DAY_OFF_KEYS = ("name", "date", "from", "to", "yearly", "last_year")
CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)", re.ASCII)
DAY_SECONDS = 86_400
ONE_DAY = timedelta(days=1)
MOST_WINDOWS = 12
MOST_DAYS_OFF = 1_000
FIRST_YEAR, LAST_YEAR = 1970, 2150


def read_calendar(form: Form) -> Hours | None:
    """None when anything in it is wrong."""
    if not form.is_object(KEYS):
        return None
    zone = read_zone(form.at("timezone"))
    weekly = read_weekly(form.at("weekly"))
    country, subdivision = read_holidays(form.at("holidays")) if form.has("holidays") else ("", "")
    days = form.at("days_off").items(most=MOST_DAYS_OFF) if form.has("days_off") else []
    off = [read_day_off(day) for day in days]
    if zone is None or weekly is None or country is None or any(day is None for day in off):
        return None
    return Hours(zone, weekly, country, subdivision, tuple(day for day in off if day is not None))


def read_zone(form: Form) -> str | None:
    if isinstance(form.value, str) and form.value in known_zones():
        return form.value
    form.refuse(f"{shown(form.value)} is no time zone; use an IANA name such as Europe/Lisbon.")
    return None


@cache
def known_zones() -> frozenset[str]:
    """Looked up once: each time costs milliseconds."""
    return frozenset(available_timezones())


def read_weekly(form: Form) -> tuple[tuple[Window, ...], ...] | None:
    if not form.is_object(WEEKDAYS):
        return None
    days = [read_windows(form.at(day)) if form.has(day) else () for day in WEEKDAYS]
    if any(windows is None for windows in days):
        return None
    weekly = tuple(windows for windows in days if windows is not None)
    if not any(weekly):
        form.refuse("It is closed on all seven days, so no deadline could ever be reached; open at least one window.")
        return None
    return weekly


def read_windows(form: Form) -> tuple[Window, ...] | None:
    forms = form.items(most=MOST_WINDOWS)
    found = [(read_window(each), each) for each in forms]
    windows = sorted((window, each.value) for window, each in found if window is not None)
    if len(windows) < len(forms) or not isinstance(form.value, list | tuple):
        return None
    for (before, said), (after, says) in pairwise(windows):
        if after.opens < before.closes:
            form.refuse(f"The windows {said} and {says} overlap; let one end before the next begins.")
            return None
    return tuple(window for window, _ in windows)


def read_window(form: Form) -> Window | None:
    """`09:00-17:30`."""
    parts = form.value.split("-") if isinstance(form.value, str) else []
    opens, closes = (clock_seconds(part.strip()) for part in parts) if len(parts) == 2 else (None, None)
    if opens is None or closes is None:
        form.refuse(f"It must be a window such as 09:00-17:30, at most until 24:00, not {shown(form.value)}.")
        return None
    if closes <= opens:
        form.refuse(f"The window {form.value} ends before it begins; split one that goes past midnight in two days.")
        return None
    return Window(opens, closes)


def clock_seconds(text: str) -> int | None:
    """Seconds after midnight of `HH:MM`, up to 24:00."""
    match = CLOCK.fullmatch(text)
    seconds = int(match[1]) * 3600 + int(match[2]) * 60 if match else None
    return seconds if seconds is not None and seconds <= DAY_SECONDS else None


def clock_text(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}"


def read_holidays(form: Form) -> tuple[str | None, str]:
    """Country and subdivision. The country is None when either is unknown."""
    if not form.is_object(("country", "subdivision")):
        return None, ""
    country, subdivision = form.at("country"), form.at("subdivision")
    if not isinstance(country.value, str) or not has_country(country.value):
        country.refuse(f"{shown(country.value)} is no country whose holidays are known; use a code such as PT.")
        return None, ""
    if not form.has("subdivision"):
        return country.value, ""
    if subdivision.value not in subdivisions_of(country.value):
        known = ", ".join(subdivisions_of(country.value)) or "none"
        subdivision.refuse(f"{country.value} has no subdivision {shown(subdivision.value)}; known are {known}.")
        return None, ""
    return country.value, str(subdivision.value)


def read_day_off(form: Form) -> DayOff | None:
    if not form.is_object(DAY_OFF_KEYS):
        return None
    name = form.at("name").text(most=120)
    yearly = form.at("yearly").flag() if form.has("yearly") else False
    until = form.at("last_year").whole(least=FIRST_YEAR, most=LAST_YEAR) if form.has("last_year") else None
    single = form.has("date")
    first = form.at("date" if single else "from").day()
    last = form.at("to").day() if not single and form.has("to") else first
    if name is None or first is None or last is None or yearly is None:
        return None
    if single and (form.has("from") or form.has("to")):
        form.at("date").refuse("Give either one date, or from and to.")
        return None
    if not first <= last <= first + LONGEST - ONE_DAY:
        form.at("to").refuse("It must be on or after the day it is from, and at most a year later.")
        return None
    return DayOff(name, first, last, yearly, until)


def calendar_to_json(hours: Hours) -> dict[str, Any]:
    """The inverse of `read_calendar`."""
    form: dict[str, Any] = {
        "timezone": hours.timezone,
        "weekly": {
            day: [f"{clock_text(window.opens)}-{clock_text(window.closes)}" for window in windows]
            for day, windows in zip(WEEKDAYS, hours.weekly, strict=True)
            if windows
        },
    }
    if hours.country:
        form["holidays"] = {"country": hours.country} | (
            {"subdivision": hours.subdivision} if hours.subdivision else {}
        )
    if hours.days_off:
        form["days_off"] = [day_off_to_json(off) for off in hours.days_off]
    return form


def day_off_to_json(off: DayOff) -> dict[str, Any]:
    form: dict[str, Any] = {"name": off.name}
    if off.first == off.last:
        form["date"] = off.first.isoformat()
    else:
        form |= {"from": off.first.isoformat(), "to": off.last.isoformat()}
    if off.yearly:
        form["yearly"] = True
        if off.until is not None:
            form["last_year"] = off.until
    return form
