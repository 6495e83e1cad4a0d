"""When a person may be told: quiet hours and the hour of the daily summary, by the clock on the person's wall. Pure.

A time of day that a change of the clock skips counts as the instant to which the clock jumps; one that it repeats counts
the first time, unless that is past.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begins` until `ends`, local times of the zone; over midnight when `ends` is not after `begins`."""

    timezone: str
    begins: time
    ends: time

    def holds(self, local: time) -> bool:
        if self.begins < self.ends:
            return self.begins <= local < self.ends
        return local >= self.begins or local < self.ends


def quiet_until(now: datetime, hours: QuietHours | None) -> datetime | None:
    """When the quiet hours that hold now end; None when none do."""
    if hours is None:
        return None
    local = now.astimezone(ZoneInfo(hours.timezone))
    if not hours.holds(local.time()):
        return None
    day = local.date() + (A_DAY if local.time() >= hours.ends else timedelta(0))
    return instant(day, hours.ends, hours.timezone, after=now)


def instant(day: date, at: time, zone: str, *, after: datetime) -> datetime:
    """The instant of a local time, in UTC: the first that lies after `after`, where the clock shows it twice."""
    local = datetime.combine(day, at, ZoneInfo(zone))
    first = local.astimezone(UTC)
    return first if first > after else local.replace(fold=1).astimezone(UTC)


def next_time(after: datetime, *, zone: str, at: time) -> datetime:
    """The first instant after `after` at which the clock of the zone shows `at`, in UTC."""
    day = after.astimezone(ZoneInfo(zone)).date()
    found = instant(day, at, zone, after=after)
    return found if found > after else instant(day + A_DAY, at, zone, after=after)
