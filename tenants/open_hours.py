"""Opening hours laid out in time: the open intervals of some years, in UTC, with a running sum of their lengths. Pure.

An instant is open when its local time lies in a window of its weekday and its local date is no day off. Between two changes of
a zone's offset local time is UTC plus a constant, so each such span is laid out by itself: no rule is needed for daylight
saving, for a midnight that does not exist, or for a day that a zone skips.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tenants.days_off import DayOff, DaysOff

DAY = 86_400
SECOND = 1_000_000  # microseconds
EPOCH_DAY = date(1970, 1, 1).toordinal()
THURSDAY = 3  # the weekday of day 0
OFFSET_STEP = 6 * 3600  # no zone has changed its offset twice within so short a time


class Window(NamedTuple):
    """From `opens` until `closes`, in seconds after local midnight; 24:00 is 86400."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Hours:
    """What a calendar says. `weekly`: seven tuples of windows, Monday's first, each sorted and disjoint."""

    timezone: str
    weekly: tuple[tuple[Window, ...], ...]
    country: str = ""  # of the holidays, ISO 3166-1 alpha-2
    subdivision: str = ""
    days_off: tuple[DayOff, ...] = ()

    @property
    def weekly_seconds(self) -> int:
        return sum(window.closes - window.opens for windows in self.weekly for window in windows)


class Layout(NamedTuple):
    """All local days of some whole years. Instants and lengths are microseconds; closed for good outside `low`…`high`.

    `starts`, `ends`: of the open intervals, sorted, none touching the next. `through`: the open time from the zero point to
    the end of each. `days`: the local days (since 1970) that have open time, and when each closes for the last time.
    """

    first_year: int
    last_year: int
    low: int
    high: int
    starts: Sequence[int]
    ends: Sequence[int]
    through: Sequence[int]
    days: Sequence[int]
    closings: Sequence[int]

    def open_until(self, at: int) -> int:
        """The open time from the zero point to `at`."""
        index = bisect_right(self.starts, at) - 1
        if not self.starts:
            return 0
        if index < 0:
            return self.through[0] - (self.ends[0] - self.starts[0])
        return self.through[index] - max(self.ends[index] - at, 0)

    def instant_of(self, position: int) -> int:
        """The earliest instant until which there is so much open time; the caller knows that there is one."""
        index = bisect_left(self.through, position)
        return self.ends[index] - (self.through[index] - position)


def lay_out(hours: Hours, zone: ZoneInfo, off: DaysOff, first_year: int, last_year: int, zero: int) -> Layout:
    """`zero`: the instant from which open time is counted, so that layouts of different years agree."""
    begins, ends = day_number(first_year), day_number(last_year + 1)
    closed = {day.toordinal() - EPOCH_DAY for year in range(first_year, last_year + 1) for day in off.in_year(year)}
    pieces: list[tuple[int, int]] = []
    closings: dict[int, int] = {}
    for since, until, offset in offsets(zone, (begins - 2) * DAY, (ends + 2) * DAY):
        first, last = (since + offset) // DAY, (until - 1 + offset) // DAY
        for day in range(max(first, begins), min(last, ends - 1) + 1):
            if day in closed:
                continue
            for opens, closes in hours.weekly[(day + THURSDAY) % 7]:
                start = max(day * DAY - offset + opens, since)
                end = min(day * DAY - offset + closes, until)
                if start < end:
                    pieces.append((start, end))
                    closings[day] = end
    starts, stops = joined(pieces)
    layout = Layout(
        first_year,
        last_year,
        (begins + 1) * DAY * SECOND,
        (ends - 1) * DAY * SECOND,
        array("q", (start * SECOND for start in starts)),
        array("q", (stop * SECOND for stop in stops)),
        array("q", running_sum(starts, stops)),
        array("q", sorted(closings)),
        array("q", (closings[day] * SECOND for day in sorted(closings))),
    )
    passed = layout.open_until(zero)
    return layout._replace(through=array("q", (sum_ - passed for sum_ in layout.through)))


def joined(pieces: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Starts and ends; pieces that touch (24:00 and 00:00) are one interval."""
    starts: list[int] = []
    ends: list[int] = []
    for start, end in pieces:
        if ends and ends[-1] == start:
            ends[-1] = end
        else:
            starts.append(start)
            ends.append(end)
    return starts, ends


def running_sum(starts: Sequence[int], ends: Sequence[int]) -> Iterator[int]:
    total = 0
    for start, end in zip(starts, ends, strict=True):
        total += (end - start) * SECOND
        yield total


def offsets(zone: ZoneInfo, since: int, until: int) -> Iterator[tuple[int, int, int]]:
    """The spans of constant offset: (since, until, offset), in seconds; the first and last are cut to what was asked."""
    begin, offset = since, offset_at(zone, since)
    at = since
    while at < until:
        following = min(at + OFFSET_STEP, until)
        changed = offset_at(zone, following)
        if changed != offset:
            low, high = at, following
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset_at(zone, middle) == offset else (low, middle)
            yield begin, high, offset
            begin, offset = high, changed
        at = following
    yield begin, until, offset


def offset_at(zone: ZoneInfo, at: int) -> int:
    difference = datetime.fromtimestamp(at, zone).utcoffset()
    assert difference is not None
    return difference.days * DAY + difference.seconds


def day_number(year: int) -> int:
    """The days from 1970 to 1 January of that year."""
    return date(year, 1, 1).toordinal() - EPOCH_DAY


def year_of(at: int) -> int:
    """The UTC year of an instant in microseconds."""
    return datetime.fromtimestamp(at // SECOND, UTC).year
