"""The same due times, counted minute by minute: an independent check that shares no code with the engine.

Whether a minute is open is looked up in the calendar's JSON form and the library of holidays, by the wall's date and time.
"""

from array import array
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MINUTE = timedelta(minutes=1)


class Minutes:
    """Some months of a calendar: for each minute whether it is open, and its date and minute of the day on the wall."""

    def __init__(self, form: dict[str, Any], since: datetime, days: int) -> None:
        self.since, self.count = since, days * 1440
        zone = ZoneInfo(form["timezone"])
        windows = {day: [minutes_of(text) for text in form["weekly"].get(day, [])] for day in DAYS}
        off = days_off(form, range(since.year - 1, since.year + 3))
        self.open = bytearray(self.count)
        self.dates = array("l", bytes(8 * self.count))
        self.walls = array("l", bytes(8 * self.count))
        first = int(since.timestamp())
        for index in range(self.count):
            wall = datetime.fromtimestamp(first + index * 60, zone)
            today, minute = wall.date(), wall.hour * 60 + wall.minute
            self.dates[index], self.walls[index] = today.toordinal(), minute
            if today not in off:
                self.open[index] = any(begin <= minute < end for begin, end in windows[DAYS[wall.weekday()]])

    def index(self, at: datetime) -> int:
        return (at - self.since) // MINUTE

    def due(self, start: int, target: int, pauses: Sequence[tuple[int, int | None]]) -> int | None:
        """The minute at whose beginning so many open and unpaused minutes have passed; None if it does not come."""
        paused = bytearray(self.count)
        for begin, end in pauses:
            stop = self.count if end is None else end
            paused[begin:stop] = b"\1" * (stop - begin)
        counted, at = 0, start
        while counted < target:
            if at >= self.count:
                return None
            counted += self.open[at] and not paused[at]
            at += 1
        return at

    def closing(self, received: int, cutoff: int, days: int) -> int | None:
        """The end of the last open minute of the working day that a cut-off gives."""
        first = self.dates[received] + (self.walls[received] > cutoff)
        found: dict[int, int] = {}
        for index in range(max(received - 2880, 0), self.count):
            if self.open[index] and self.dates[index] >= first:
                found[self.dates[index]] = index + 1
                if len(found) > days + 2:
                    break
        dates = sorted(found)
        return found[dates[days]] if len(dates) > days + 1 else None

    def opened(self, since: int, until: int) -> int:
        return sum(self.open[since:until])


def minutes_of(text: str) -> tuple[int, int]:
    begin, end = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    return begin, end


def days_off(form: dict[str, Any], years: Sequence[int]) -> set[date]:
    off: set[date] = set()
    if "holidays" in form:
        off |= set(holidays.country_holidays(form["holidays"]["country"], years=years))
    for own in form.get("days_off", []):
        first = date.fromisoformat(own.get("date") or own["from"])
        length = (date.fromisoformat(own.get("date") or own["to"]) - first).days
        for year in years:
            if year == first.year or (own.get("yearly") and first.year <= year <= own.get("last_year", 9999)):
                try:
                    begins = first.replace(year=year)
                except ValueError:
                    continue
                off |= {begins + timedelta(days=number) for number in range(length + 1)}
    return off


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
