"""Who is on call: a weekly rota by the clock of its zone, and overrides for single days, which go before it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

A_DAY = timedelta(days=1)
LOOK_AHEAD = 9  # days: a rota repeats after seven


@dataclass(frozen=True, slots=True)
class Hours:
    """Local times. Over midnight when `until` is not after `begins`; so the same time twice is a whole day."""

    begins: time
    until: time

    def of_its_day(self, local: time) -> bool:
        return local >= self.begins and (local < self.until or self.until <= self.begins)

    def of_the_day_before(self, local: time) -> bool:
        return self.until <= self.begins and local < self.until


@dataclass(frozen=True, slots=True)
class Shift:
    """`days`: 0 is Monday; the day on which it begins."""

    days: frozenset[int]
    hours: Hours
    user_id: int

    def begins_on(self, day: date) -> bool:
        return day.weekday() in self.days


@dataclass(frozen=True, slots=True)
class Override:
    """`user_id` None: nobody is on call."""

    day: date
    hours: Hours
    user_id: int | None

    def begins_on(self, day: date) -> bool:
        return day == self.day


@dataclass(frozen=True, slots=True)
class Rota:
    timezone: str
    shifts: Sequence[Shift] = ()
    overrides: Sequence[Override] = ()


@dataclass(frozen=True, slots=True)
class OnCall:
    """`until`: when somebody else is, in UTC; None when nothing changes within a week."""

    user_id: int | None
    until: datetime | None


def who_is_on_call(rota: Rota, at: datetime) -> int | None:
    """The user; the first shift that holds where several do."""
    local = at.astimezone(ZoneInfo(rota.timezone))
    for entries in (rota.overrides, rota.shifts):
        for entry in entries:
            if holds(entry, local):
                return entry.user_id
    return None


def holds(entry: Shift | Override, local: datetime) -> bool:
    day, clock = local.date(), local.time()
    today = entry.begins_on(day) and entry.hours.of_its_day(clock)
    return today or (entry.begins_on(day - A_DAY) and entry.hours.of_the_day_before(clock))


def on_call(rota: Rota, at: datetime) -> OnCall:
    user_id = who_is_on_call(rota, at)
    changes = (change for change in sorted(set(boundaries(rota, at))) if change > at)
    return OnCall(user_id, next((change for change in changes if who_is_on_call(rota, change) != user_id), None))


def boundaries(rota: Rota, at: datetime) -> Iterator[datetime]:
    """The instants at which a shift or an override may begin or end."""
    zone = ZoneInfo(rota.timezone)
    first = at.astimezone(zone).date() - A_DAY
    hours = [shift.hours for shift in rota.shifts] + [override.hours for override in rota.overrides]
    clocks = {clock for each in hours for clock in (each.begins, each.until)}
    for number in range(LOOK_AHEAD + 1):
        for clock in clocks:
            yield datetime.combine(first + number * A_DAY, clock, zone).astimezone(UTC)
