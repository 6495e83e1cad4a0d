"""Working time in worked examples: several zones, both days of daylight saving, holidays, lunch breaks, midnights, odd offsets."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Thread

import pytest

from tenants.calendars import Calendar, calendar_of, micros
from tests.tenants.calendar_cast import calendar, local

# place, start, minutes, end: on the wall of the place
ADD = [
    ("utc", "2026-11-23 09:00", 60, "2026-11-23 10:00"),
    ("utc", "2026-11-23 09:00", 480, "2026-11-23 17:00"),  # to closing, not to the next opening
    ("utc", "2026-11-23 09:00", 481, "2026-11-24 09:01"),
    ("utc", "2026-11-20 16:59", 2, "2026-11-23 09:01"),  # over a weekend
    ("utc", "2026-11-21 12:00", 30, "2026-11-23 09:30"),  # received on a Saturday
    ("utc", "2026-11-23 03:00", 30, "2026-11-23 09:30"),  # before opening
    ("utc", "2026-11-23 17:00", 30, "2026-11-24 09:30"),  # at closing
    ("utc", "2028-02-28 16:00", 120, "2028-02-29 10:00"),  # 29 February is a day
    ("utc", "2027-02-26 16:00", 120, "2027-03-01 10:00"),
    ("utc", "2026-12-31 16:00", 120, "2027-01-01 10:00"),  # over a year's end
    ("utc", "2026-11-23 09:00", 5 * 480, "2026-11-27 17:00"),
    ("utc", "2026-11-23 09:00", 260 * 480, "2027-11-19 17:00"),  # a year of working days
    ("lisbon", "2026-11-23 12:30", 60, "2026-11-23 14:30"),  # over lunch
    ("lisbon", "2026-11-23 13:30", 30, "2026-11-23 14:30"),  # received at lunch
    ("lisbon", "2026-11-23 12:00", 60, "2026-11-23 13:00"),  # until lunch
    ("lisbon", "2026-11-27 17:30", 60, "2026-11-28 09:30"),  # Saturday's morning counts
    ("lisbon", "2026-11-28 12:00", 120, "2026-11-30 10:00"),
    ("lisbon", "2026-11-30 17:00", 120, "2026-12-02 10:00"),  # 1 December: Restauração
    ("lisbon", "2026-12-07 17:00", 120, "2026-12-09 10:00"),  # 8 December: Imaculada Conceição
    ("lisbon", "2026-04-02 17:00", 120, "2026-04-04 10:00"),  # Good Friday, then Saturday
    ("lisbon", "2026-03-28 12:00", 120, "2026-03-30 10:00"),  # the clock goes forward on Sunday
    ("lisbon", "2026-10-24 12:00", 120, "2026-10-26 10:00"),  # and back
    ("sao_paulo", "2026-11-19 17:00", 120, "2026-11-23 10:00"),  # 20 November is a holiday since 2024
    ("sao_paulo", "2018-11-19 17:00", 120, "2018-11-20 10:00"),  # and was none in 2018
    ("sao_paulo", "2018-02-16 17:00", 120, "2018-02-19 10:00"),  # daylight saving ended at midnight between
    ("sao_paulo", "2017-10-13 17:00", 120, "2017-10-16 10:00"),  # and began at a midnight that there was not
    ("sao_paulo", "2026-09-04 17:30", 60, "2026-09-08 09:30"),  # 7 September, a Monday
    ("new_york", "2026-03-07 12:00", 24 * 60, "2026-03-08 13:00"),  # a day of 23 hours
    ("new_york", "2026-10-31 12:00", 24 * 60, "2026-11-01 11:00"),  # and one of 25
    ("new_york", "2026-11-24 12:00", 24 * 60, "2026-11-25 12:00"),
    ("kathmandu", "2026-11-20 16:30", 60, "2026-11-22 10:30"),  # Saturday off, Sunday on, 5:45 ahead
    ("kathmandu", "2026-11-22 10:00", 7 * 60, "2026-11-22 17:00"),
    ("lord_howe", "2026-10-03 05:00", 120, "2026-10-04 01:00"),
    ("lord_howe", "2026-10-04 01:00", 120, "2026-10-04 03:30"),  # half an hour is skipped at 2:00
    ("lord_howe", "2026-04-05 01:00", 120, "2026-04-05 02:30"),  # half an hour comes twice before 2:00
    ("night", "2026-11-23 23:00", 120, "2026-11-24 01:00"),  # through midnight without a break
    ("night", "2026-11-23 05:30", 60, "2026-11-23 22:30"),
    ("night", "2026-03-28 23:00", 180, "2026-03-29 03:00"),  # 2:00 to 3:00 is not there
    ("night", "2026-10-24 23:00", 240, "2026-10-25 02:00"),  # and is there twice: the second 2:00 begins
    ("night", "2026-12-31 23:00", 120, "2027-01-01 01:00"),
    ("gap", "2026-03-28 12:00", 60, "2026-03-29 03:30"),  # half an hour before the gap, half an hour after
    ("gap", "2026-03-28 12:00", 30, "2026-03-29 01:59:60"),  # the gap's very edge
    ("gap", "2026-10-24 12:00", 180, "2026-10-25 03:30"),  # an hour more in autumn
    ("apia", "2011-12-29 15:00", 120, "2011-12-31 09:00"),  # Friday the 30th was skipped
    ("own", "2026-12-23 16:00", 120, "2027-01-04 10:00"),
    ("own", "2027-12-23 16:00", 120, "2028-01-03 10:00"),
    ("own", "2028-12-22 16:00", 120, "2028-12-25 10:00"),  # the break was for two years
    ("own", "2028-02-28 16:00", 120, "2028-03-01 10:00"),  # leap day off in a leap year
]


def wall(place: str, text: str) -> datetime:
    if text.endswith(":60"):  # the instant at which that minute ends, whatever the clock shows then
        return local(place, text[:-3]) + timedelta(seconds=60)
    return local(place, text)


@pytest.mark.parametrize(("place", "start", "minutes", "end"), ADD)
def test_working_time_is_added(place: str, start: str, minutes: int, end: str) -> None:
    found = calendar(place).add_working_time(wall(place, start), timedelta(minutes=minutes))
    expected = wall(place, end)
    if (place, end) == ("night", "2026-10-25 02:00"):
        expected = local(place, "2026-10-25 02:00", fold=1)
    assert found == expected


@pytest.mark.parametrize(("place", "start", "minutes", "end"), ADD)
def test_working_time_between_is_what_was_added(place: str, start: str, minutes: int, end: str) -> None:
    found = calendar(place).add_working_time(wall(place, start), timedelta(minutes=minutes))
    assert found is not None
    assert calendar(place).working_time_between(wall(place, start), found) == timedelta(minutes=minutes)
    assert calendar(place).working_time_between(found, wall(place, start)) == -timedelta(minutes=minutes)


NEXT = [
    ("utc", "2026-11-23 08:59", "2026-11-23 09:00"),
    ("utc", "2026-11-23 09:00", "2026-11-23 09:00"),
    ("utc", "2026-11-23 16:59:59", "2026-11-23 16:59:59"),
    ("utc", "2026-11-23 17:00", "2026-11-24 09:00"),
    ("utc", "2026-11-27 17:00", "2026-11-30 09:00"),
    ("lisbon", "2026-11-23 13:00", "2026-11-23 14:00"),
    ("lisbon", "2026-11-30 18:00", "2026-12-02 09:00"),
    ("night", "2026-11-23 00:00", "2026-11-23 00:00"),
    ("night", "2026-11-23 06:00", "2026-11-23 22:00"),
    ("gap", "2026-03-29 04:00", "2026-03-30 08:00"),
    ("own", "2026-12-24 10:00", "2027-01-04 09:00"),
]


@pytest.mark.parametrize(("place", "at", "opens"), NEXT)
def test_next_opening(place: str, at: str, opens: str) -> None:
    assert calendar(place).next_open(local(place, at)) == local(place, opens)
    assert calendar(place).is_open(local(place, at)) is (at == opens)


TWO = 14 * 3600
# place, received, cut-off by weekday or for all, further days, closing
CUTOFFS = [
    ("utc", "2026-11-20 13:59", TWO, 0, "2026-11-20 17:00"),
    ("utc", "2026-11-20 14:00", TWO, 0, "2026-11-20 17:00"),  # at the very minute
    ("utc", "2026-11-20 14:00:00.000001", TWO, 0, "2026-11-23 17:00"),
    ("utc", "2026-11-20 14:01", TWO, 0, "2026-11-23 17:00"),
    ("utc", "2026-11-20 00:00", TWO, 0, "2026-11-20 17:00"),  # before opening
    ("utc", "2026-11-20 20:00", TWO, 0, "2026-11-23 17:00"),  # after closing
    ("utc", "2026-11-21 10:00", TWO, 0, "2026-11-23 17:00"),  # Saturday
    ("utc", "2026-11-21 15:00", TWO, 0, "2026-11-23 17:00"),  # Saturday after the hour: still Monday
    ("utc", "2026-11-20 13:00", TWO, 1, "2026-11-23 17:00"),
    ("utc", "2026-11-20 15:00", TWO, 2, "2026-11-25 17:00"),
    ("lisbon", "2026-11-27 14:00", TWO, 0, "2026-11-27 18:00"),
    ("lisbon", "2026-11-27 14:01", TWO, 0, "2026-11-28 13:00"),  # Saturday's morning is a working day
    ("lisbon", "2026-11-30 15:00", TWO, 0, "2026-12-02 18:00"),  # over a holiday
    ("lisbon", "2026-12-01 10:00", TWO, 0, "2026-12-02 18:00"),  # on a holiday
    ("sao_paulo", "2026-11-19 14:01", TWO, 0, "2026-11-23 18:00"),
    ("kathmandu", "2026-11-20 14:00", TWO, 0, "2026-11-20 17:00"),
    ("kathmandu", "2026-11-20 14:01", TWO, 0, "2026-11-22 17:00"),
    ("night", "2026-11-23 14:00", TWO, 0, "2026-11-23 23:59:60"),  # closes at 24:00
    ("night", "2026-11-23 14:01", TWO, 0, "2026-11-24 23:59:60"),
    ("new_york", "2026-03-08 13:00", TWO, 0, "2026-03-08 23:59:60"),
    ("gap", "2026-03-28 10:00", 3600, 0, "2026-03-29 03:30"),
    ("own", "2026-12-23 15:00", TWO, 0, "2027-01-04 17:00"),
    ("own", "2026-12-31 10:00", TWO, 0, "2027-01-04 17:00"),
    ("utc", "2026-12-31 15:00", TWO, 60, "2027-03-26 17:00"),
]


@pytest.mark.parametrize(("place", "received", "cutoff", "days", "closes"), CUTOFFS)
def test_cutoff_gives_the_end_of_a_working_day(place: str, received: str, cutoff: int, days: int, closes: str) -> None:
    found = calendar(place).end_of_working_day(local(place, received), (cutoff,) * 7, days)
    assert found == wall(place, closes)


def test_each_weekday_may_have_its_own_cutoff() -> None:
    cutoffs = (TWO, TWO, TWO, TWO, TWO, 11 * 3600, 0)
    ends = [
        calendar("lisbon").end_of_working_day(local("lisbon", f"2026-11-28 {at}"), cutoffs) for at in ("11:00", "11:01")
    ]
    assert ends == [local("lisbon", "2026-11-28 13:00"), local("lisbon", "2026-11-30 18:00")]


def test_stretches_tell_why_time_does_not_count() -> None:
    lisbon = calendar("lisbon")
    found = lisbon.stretches(local("lisbon", "2026-11-28 12:00"), local("lisbon", "2026-12-02 10:00"))
    told = [(each.kind, each.since, each.until, each.name) for each in found]
    assert told == [
        ("open", local("lisbon", "2026-11-28 12:00"), local("lisbon", "2026-11-28 13:00"), ""),
        ("closed", local("lisbon", "2026-11-28 13:00"), local("lisbon", "2026-11-30 09:00"), ""),
        ("open", local("lisbon", "2026-11-30 09:00"), local("lisbon", "2026-11-30 13:00"), ""),
        ("closed", local("lisbon", "2026-11-30 13:00"), local("lisbon", "2026-11-30 14:00"), ""),
        ("open", local("lisbon", "2026-11-30 14:00"), local("lisbon", "2026-11-30 18:00"), ""),
        ("closed", local("lisbon", "2026-11-30 18:00"), local("lisbon", "2026-12-01 00:00"), ""),
        (
            "day_off",
            local("lisbon", "2026-12-01 00:00"),
            local("lisbon", "2026-12-02 00:00"),
            "Restoration of Independence Day",
        ),
        ("closed", local("lisbon", "2026-12-02 00:00"), local("lisbon", "2026-12-02 09:00"), ""),
        ("open", local("lisbon", "2026-12-02 09:00"), local("lisbon", "2026-12-02 10:00"), ""),
    ]


@pytest.mark.parametrize("place", ["apia", "sao_paulo", "gap", "lord_howe"])
def test_stretches_leave_no_gap(place: str) -> None:
    since, until = datetime(2011, 9, 1, tzinfo=UTC), datetime(2012, 5, 1, tzinfo=UTC)
    found = list(calendar(place).stretches(since, until))
    assert (found[0].since, found[-1].until) == (since, until)
    assert all(before.until == after.since for before, after in pairwise(found))
    opened = sum((each.until - each.since for each in found if each.kind == "open"), timedelta())
    assert opened == calendar(place).working_time_between(since, until)


def test_positions_stay_true_while_the_layout_grows() -> None:
    fresh = Calendar(calendar("lisbon").hours)
    at, early = (datetime(year, 6, 1, 12, tzinfo=UTC) for year in (2026, 1975))
    before = fresh.position(micros(at))
    between = fresh.working_time_between(early, at)
    assert fresh.position(micros(at)) == before
    assert fresh.add_working_time(early, between) == at
    assert fresh.add_working_time(at, timedelta(days=365 * 3)) is not None
    assert fresh.position(micros(at)) == before


def test_threads_share_a_calendar() -> None:
    fresh, found = Calendar(calendar("lisbon").hours), []

    def look(year: int) -> None:
        found.append(
            (year, fresh.working_time_between(datetime(year, 1, 1, tzinfo=UTC), datetime(year, 7, 1, tzinfo=UTC)))
        )

    threads = [Thread(target=look, args=[year]) for year in range(2001, 2025)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for year, length in found:
        known = calendar("lisbon").working_time_between(
            datetime(year, 1, 1, tzinfo=UTC), datetime(year, 7, 1, tzinfo=UTC)
        )
        assert length == known


def test_no_length_is_no_time() -> None:
    at = local("utc", "2026-11-22 12:00")
    assert calendar("utc").add_working_time(at, timedelta()) == at


def test_more_than_all_the_years_to_come_is_never_reached() -> None:
    scarce = calendar("gap")
    assert scarce.add_working_time(local("gap", "2026-01-01 00:00"), timedelta(days=10_000)) is None
    assert Calendar(scarce.hours).end_of_working_day(datetime(2149, 12, 1, tzinfo=UTC), (0,) * 7, 2000) is None


def test_the_same_hours_are_one_calendar() -> None:
    assert calendar_of(calendar("lisbon").hours) is calendar_of(calendar("lisbon").hours)
