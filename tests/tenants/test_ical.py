"""Days off out of an iCalendar file."""

from datetime import date

import pytest

from tenants.days_off import DayOff
from tenants.ical import IcalError, days_off_from_ical


def file(*events: str) -> str:
    body = "".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n{body}END:VCALENDAR\r\n"


DAY = "DTSTART;VALUE=DATE:20261224"
FIRST = date(2026, 12, 24)
TAKEN = [
    (f"SUMMARY:Eve\r\n{DAY}", DayOff("Eve", FIRST, FIRST)),
    (f"{DAY}", DayOff("Closed", FIRST, FIRST)),
    (f"SUMMARY:Break\r\n{DAY}\r\nDTEND;VALUE=DATE:20270102", DayOff("Break", FIRST, date(2027, 1, 1))),
    (f"SUMMARY:Eve\r\n{DAY}\r\nDTEND;VALUE=DATE:20261224", DayOff("Eve", FIRST, FIRST)),
    (f"SUMMARY:Two\r\n{DAY}\r\nDURATION:P2D", DayOff("Two", FIRST, date(2026, 12, 25))),
    (f"SUMMARY:Week\r\n{DAY}\r\nDURATION:P1W", DayOff("Week", FIRST, date(2026, 12, 30))),
    (f"SUMMARY:Eve\r\n{DAY}\r\nRRULE:FREQ=YEARLY", DayOff("Eve", FIRST, FIRST, True)),
    (f"SUMMARY:Eve\r\n{DAY}\r\nRRULE:FREQ=YEARLY;COUNT=3", DayOff("Eve", FIRST, FIRST, True, 2028)),
    (f"SUMMARY:Eve\r\n{DAY}\r\nRRULE:FREQ=YEARLY;UNTIL=20291224", DayOff("Eve", FIRST, FIRST, True, 2029)),
    (f"SUMMARY:Eve\r\n{DAY}\r\nRRULE:FREQ=YEARLY;UNTIL=20291223T000000Z", DayOff("Eve", FIRST, FIRST, True, 2028)),
    (f"SUMMARY:Eve\r\n{DAY}\r\nRRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24;INTERVAL=1;WKST=MO", DayOff("Eve", FIRST, FIRST, True)),
    (f"SUMMARY:A long name that is fol\r\n ded\\, with \\;signs\\n\r\n{DAY}", DayOff("A long name that is folded, with ;signs", FIRST, FIRST)),
    (f"summary:Eve\r\n{DAY}\r\nBEGIN:VALARM\r\nSUMMARY:Ring\r\nDTSTART:20200101\r\nEND:VALARM", DayOff("Eve", FIRST, FIRST)),
]  # fmt: skip


@pytest.mark.parametrize(("event", "off"), TAKEN)
def test_whole_days_are_taken(event: str, off: DayOff) -> None:
    found = days_off_from_ical(file(event))
    assert (found.days_off, found.left_out) == ([off], [])


LEFT_OUT = [
    ("DTSTART:20261224T090000Z", "DTSTART is no whole day"),
    ("DTSTART;VALUE=DATE:20261324", "DTSTART is no date"),
    ("SUMMARY:x", "it has no DTSTART"),
    (f"{DAY}\r\nRRULE:FREQ=WEEKLY", "its rhythm FREQ=WEEKLY is not understood"),
    (f"{DAY}\r\nRRULE:FREQ=YEARLY;BYDAY=4TH", "its rhythm BYDAY=4TH is not understood"),
    (f"{DAY}\r\nRRULE:FREQ=YEARLY;INTERVAL=2", "its rhythm INTERVAL=2 is not understood"),
    (f"{DAY}\r\nRRULE:COUNT=2", "its rhythm is not understood"),
    (f"{DAY}\r\nRRULE:FREQ=YEARLY;COUNT=x", "its count is not understood"),
    ("DTSTART;VALUE=DATE:20240229\r\nRRULE:FREQ=YEARLY;COUNT=2", "its count is not understood"),
    (f"{DAY}\r\nRRULE:FREQ=YEARLY;UNTIL=soon", "its end is not understood"),
    (f"{DAY}\r\nRRULE:FREQ=YEARLY\r\nEXDATE;VALUE=DATE:20271224", "EXDATE is not understood"),
    (f"{DAY}\r\nSTATUS:CANCELLED", "it is cancelled"),
    (f"{DAY}\r\nDURATION:PT8H", "its duration is no number of days"),
    (f"{DAY}\r\nDTEND;VALUE=DATE:20280101", "it is longer than a year"),
]


@pytest.mark.parametrize(("event", "reason"), LEFT_OUT)
def test_what_is_no_day_off_is_left_out_with_a_sentence(event: str, reason: str) -> None:
    found = days_off_from_ical(file(event, f"SUMMARY:Eve\r\n{DAY}"))
    assert found.days_off == [DayOff("Eve", FIRST, FIRST)]
    assert len(found.left_out) == 1 and found.left_out[0].endswith(f"was left out: {reason}.")


@pytest.mark.parametrize("text", ["", "hello", "BEGIN:VCARD\r\nEND:VCARD", "x" * 1_000_001])
def test_what_is_no_calendar_is_refused(text: str) -> None:
    with pytest.raises(IcalError, match=r"\.$"):
        days_off_from_ical(text)
