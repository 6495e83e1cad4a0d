"""Calendars: what opening hours make of instants and lengths. Pure.

Working time between any two instants is two look-ups in the layout of their years (`open_hours`), made when a year is first
asked for. Inside, instants (since 1970) and lengths are whole microseconds, so that nothing is ever rounded.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from tenants.days_off import DaysOff
from tenants.open_hours import EPOCH_DAY, Hours, Layout, lay_out, year_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY_MICROS = 86_400_000_000
FIRST_YEAR, LAST_YEAR = 1969, 2150  # no fact is older; whoever asks for more working time than that gets None


class Stretch(NamedTuple):
    """A part of time: open, closed by the hours, or closed for a day off of that name."""

    kind: Literal["open", "closed", "day_off"]
    since: datetime
    until: datetime
    name: str = ""


class Calendar:
    """Working time by one set of hours; threads may share it."""

    def __init__(self, hours: Hours) -> None:
        self.hours = hours
        self.zone = ZoneInfo(hours.timezone)
        self.off = DaysOff(hours.country, hours.subdivision, hours.days_off)
        self._zero: int | None = None
        self._layout: Layout | None = None
        self._lock = Lock()

    def position(self, at: int) -> int:
        """The open time until `at` since some fixed instant: two positions differ by the working time between them."""
        layout = self._layout
        if layout is None or not layout.low <= at < layout.high:
            layout = self._layout_around(at)
        return layout.open_until(at)

    def instant(self, position: int) -> int | None:
        """The earliest instant at a position: the end of an open interval rather than the start of the next.

        None when there is not so much working time in all the years to come.
        """
        layout = self._layout or self._layout_around(0)
        while not layout.through or position > layout.through[-1]:
            if layout.last_year >= LAST_YEAR:
                return None
            layout = self._layout_until(2 * layout.last_year - layout.first_year + 1)
        return layout.instant_of(position)

    def working_time_between(self, since: datetime, until: datetime) -> timedelta:
        """Negative when `until` is the earlier one."""
        return timedelta(microseconds=self.position(micros(until)) - self.position(micros(since)))

    def add_working_time(self, at: datetime, length: timedelta) -> datetime | None:
        """The earliest instant by which that much working time has passed since `at`; `at` itself for no length."""
        if length <= timedelta(0):
            return at
        found = self.instant(self.position(micros(at)) + length // MICROSECOND)
        return None if found is None else moment(found)

    def next_open(self, at: datetime) -> datetime | None:
        """`at` itself when the place is open then, else the start of the next open interval."""
        layout = self._layout_around(micros(at))
        index = bisect_right(layout.ends, micros(at))
        while index >= len(layout.starts):
            if layout.last_year >= LAST_YEAR:
                return None
            layout = self._layout_until(layout.last_year + 1)
            index = bisect_right(layout.ends, micros(at))
        return moment(max(layout.starts[index], micros(at)))

    def is_open(self, at: datetime) -> bool:
        return self.next_open(at) == at

    def end_of_working_day(self, at: datetime, cutoffs: tuple[int, ...], days: int = 0) -> datetime | None:
        """When the working day closes that counts for what is received at `at`.

        `cutoffs`: seconds after midnight, by weekday, Monday's first. What is received at the cut-off itself is in time;
        later, or on a closed day, the next working day counts. `days` more working days are added.
        """
        local = at.astimezone(self.zone)
        today = local.date().toordinal() - EPOCH_DAY
        layout = self._layout_around(micros(at))
        while True:
            index = bisect_left(layout.days, today)
            if index < len(layout.days) and layout.days[index] == today and is_after(local, cutoffs[local.weekday()]):
                index += 1
            if index + days < len(layout.days):
                return moment(layout.closings[index + days])
            if layout.last_year >= LAST_YEAR:
                return None
            layout = self._layout_until(layout.last_year + 1)

    def stretches(self, since: datetime, until: datetime) -> Iterator[Stretch]:
        """What lies between two instants, in order and without a gap; closed time is told apart by its reason."""
        self._layout_around(micros(until))
        layout = self._layout_around(micros(since))
        index = bisect_right(layout.ends, micros(since))
        at = since
        while at < until:
            opens = moment(layout.starts[index]) if index < len(layout.starts) else until
            if at < opens:
                yield from self.closed_stretches(at, min(opens, until))
                at = min(opens, until)
                continue
            closes = min(moment(layout.ends[index]), until)
            yield Stretch("open", at, closes)
            at, index = closes, index + 1

    def closed_stretches(self, since: datetime, until: datetime) -> Iterator[Stretch]:
        """Closed time by its reason, day by day, joined where the reason stays the same."""
        kept: Stretch | None = None
        at = since
        while at < until:
            local = at.astimezone(self.zone).date()
            following = min(max(self.midnight_after(local), at + timedelta(minutes=1)), until)
            name = self.off.in_year(local.year).get(local)
            kind: Literal["closed", "day_off"] = "closed" if name is None else "day_off"
            if kept and (kept.kind, kept.name) == (kind, name or ""):
                kept = kept._replace(until=following)
            else:
                if kept:
                    yield kept
                kept = Stretch(kind, at, following, name or "")
            at = following
        if kept:
            yield kept

    def midnight_after(self, local: date) -> datetime:
        following = local + timedelta(days=1)
        return datetime(following.year, following.month, following.day, tzinfo=self.zone).astimezone(UTC)

    def _layout_around(self, at: int) -> Layout:
        layout = self._layout
        if layout is not None and layout.low <= at < layout.high:
            return layout
        year = min(max(year_of(at), FIRST_YEAR + 1), LAST_YEAR - 1)
        return self._grown(year - 1, year + 1, at)

    def _layout_until(self, year: int) -> Layout:
        return self._grown(year, year, 0)

    def _grown(self, first: int, last: int, at: int) -> Layout:
        """A layout that holds these years too. The zero point stays, so that positions told before are still right."""
        with self._lock:
            if self._layout is not None:
                first, last = min(first, self._layout.first_year), max(last, self._layout.last_year)
            if self._zero is None:
                self._zero = at
            last = min(last, LAST_YEAR)
            self._layout = lay_out(self.hours, self.zone, self.off, first, last, self._zero)
            return self._layout


def is_after(local: datetime, cutoff: int) -> bool:
    """Whether a local time is later in its day than `cutoff` seconds after midnight."""
    since = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return since > timedelta(seconds=cutoff)


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    since = at - EPOCH
    return since.days * DAY_MICROS + since.seconds * 1_000_000 + since.microseconds


def moment(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)


@lru_cache(maxsize=1024)
def calendar_of(hours: Hours) -> Calendar:
    """One calendar for the same hours, whichever version of a policy says them: its years are laid out once a process."""
    return Calendar(hours)
