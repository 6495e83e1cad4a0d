"""Days off out of an iCalendar file (RFC 5545): all-day events, once or every year. Pure.

What says something else (a time of day, another rhythm) is left out, each with a sentence, so that nothing is closed by guess.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from tenants.days_off import LONGEST, DayOff

MOST_BYTES = 1_000_000
ONE_DAY = timedelta(days=1)
LEAP_DAY = (2, 29)
DATE = re.compile(r"\d{8}", re.ASCII)
DURATION = re.compile(r"\+?P(?:(\d{1,3})W|(\d{1,4})D)", re.ASCII)
ESCAPE = re.compile(r"\\([\\;,nN])")


class IcalError(ValueError):
    """The text is no iCalendar file."""


@dataclass(slots=True)
class Imported:
    days_off: list[DayOff] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # a sentence for each event that could not be taken


class LeftOut(Exception):
    """The event says something that a day off cannot. The sentence's end is the argument."""


def days_off_from_ical(text: str) -> Imported:
    """Raises: IcalError."""
    if len(text.encode()) > MOST_BYTES:
        raise IcalError(f"The file is larger than {MOST_BYTES // 1000} kB; export the days off only.")
    lines = list(unfolded(text))
    if not lines or lines[0].upper() != "BEGIN:VCALENDAR":
        raise IcalError("The file does not begin with BEGIN:VCALENDAR, so it is no iCalendar file.")
    found = Imported()
    for event in events_of(lines):
        name = plain(event.get("SUMMARY", ("", ""))[1])[:120].strip() or "Closed"
        try:
            found.days_off.append(day_off_of(name, event))
        except LeftOut as reason:
            found.left_out.append(f"“{name}” was left out: {reason}.")
    return found


def unfolded(text: str) -> Iterator[str]:
    """The content lines: one that begins with a space or a tab goes on the line before it."""
    kept = ""
    for line in text.lstrip("\ufeff").splitlines():
        if line[:1] in (" ", "\t"):
            kept += line[1:]
            continue
        if kept:
            yield kept
        kept = line.rstrip()
    if kept:
        yield kept


def events_of(lines: list[str]) -> Iterator[dict[str, tuple[str, str]]]:
    """Property → (parameters, value) of each VEVENT. What stands in an alarm within it is not the event's."""
    event: dict[str, tuple[str, str]] | None = None
    inner = 0
    for line in lines:
        head, _, value = line.partition(":")
        name, _, parameters = head.upper().partition(";")
        if name == "BEGIN" and event is None and value.upper() == "VEVENT":
            event = {}
        elif name == "BEGIN" and event is not None:
            inner += 1
        elif name == "END" and event is not None and inner:
            inner -= 1
        elif name == "END" and event is not None:
            yield event
            event = None
        elif event is not None and not inner:
            event.setdefault(name, (parameters, value))


def day_off_of(name: str, event: Mapping[str, tuple[str, str]]) -> DayOff:
    """Raises: LeftOut."""
    if event.get("STATUS", ("", ""))[1].upper() == "CANCELLED":
        raise LeftOut("it is cancelled")
    for key in ("RDATE", "EXDATE", "EXRULE"):
        if key in event:
            raise LeftOut(f"{key} is not understood")
    first = day_of(event, "DTSTART")
    last = first
    if "DTEND" in event:
        last = max(day_of(event, "DTEND") - ONE_DAY, first)  # the end is the first day that is not off
    elif "DURATION" in event:
        last = first + length_of(event["DURATION"][1]) - ONE_DAY
    if last - first >= LONGEST:
        raise LeftOut("it is longer than a year")
    if "RRULE" not in event:
        return DayOff(name, first, last)
    return DayOff(name, first, last, True, last_year_of(event["RRULE"][1], first))


def day_of(event: Mapping[str, tuple[str, str]], key: str) -> date:
    parameters, value = event.get(key, ("", ""))
    if not DATE.fullmatch(value):
        raise LeftOut(f"{key} is no whole day" if value or parameters else f"it has no {key}")
    try:
        return date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        raise LeftOut(f"{key} is no date") from None


def length_of(text: str) -> timedelta:
    match = DURATION.fullmatch(text.upper())
    days = int(match[1]) * 7 if match and match[1] else int(match[2]) if match else 0
    if days < 1:
        raise LeftOut("its duration is no number of days")
    return timedelta(days=days)


def last_year_of(rule: str, first: date) -> int | None:
    """The last year of a rule that repeats the same days every year; None: without end. Raises: LeftOut."""
    parts = dict(part.upper().split("=", 1) for part in rule.split(";") if "=" in part)
    same = {"FREQ": "YEARLY", "INTERVAL": "1", "BYMONTH": str(first.month), "BYMONTHDAY": str(first.day)}
    for key, value in parts.items():
        if key in same and value != same[key]:
            raise LeftOut(f"its rhythm {key}={value} is not understood")
        if key not in same and key not in ("COUNT", "UNTIL", "WKST"):
            raise LeftOut(f"its rhythm {key}={value} is not understood")
    if "FREQ" not in parts:
        raise LeftOut("its rhythm is not understood")
    return end_of_rule(parts.get("COUNT", ""), parts.get("UNTIL", "")[:8], first)


def end_of_rule(count: str, until: str, first: date) -> int | None:
    if count:
        if not (count.isascii() and count.isdigit() and 0 < int(count) < 1000) or (first.month, first.day) == LEAP_DAY:
            raise LeftOut("its count is not understood")
        return first.year + int(count) - 1
    if not until:
        return None
    if not DATE.fullmatch(until):
        raise LeftOut("its end is not understood")
    year, day = int(until[:4]), until[4:]
    return year if day >= f"{first:%m%d}" else year - 1


def plain(text: str) -> str:
    return ESCAPE.sub(lambda match: " " if match[1] in "nN" else match[1], text)
