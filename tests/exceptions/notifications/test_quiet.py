"""Quiet hours and the hour of the summary, by the clock on the wall: over midnight, and across changes of the clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exceptions.notifications.quiet import QuietHours, next_time, quiet_until

LISBON = "Europe/Lisbon"  # 2026: forward on 29 March at 01:00, back on 25 October at 02:00 (01:00 UTC)
INSTANTS = st.integers(0, 364 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
NIGHT = QuietHours(LISBON, time(22), time(7))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-01-10T21:59:59", None),
        ("2026-01-10T22:00", "2026-01-11T07:00"),
        ("2026-01-11T06:59:59", "2026-01-11T07:00"),
        ("2026-01-11T07:00", None),
        ("2026-07-10T21:00", "2026-07-11T06:00"),  # summer: an hour ahead of UTC
        ("2026-03-28T23:00", "2026-03-29T06:00"),  # the night that is an hour shorter
        ("2026-10-24T22:00", "2026-10-25T07:00"),  # the night that is an hour longer
    ],
)
def test_night_ends_by_the_clock_on_the_wall(now: str, until: str | None) -> None:
    assert quiet_until(utc(now), NIGHT) == (utc(until) if until else None)


def test_hours_within_a_day_and_none_at_all() -> None:
    lunch = QuietHours("UTC", time(12), time(13))
    assert quiet_until(utc("2026-01-10T12:30"), lunch) == utc("2026-01-10T13:00")
    assert quiet_until(utc("2026-01-10T13:00"), lunch) is None
    assert quiet_until(utc("2026-01-10T12:30"), None) is None


def test_an_end_that_the_clock_skips_or_repeats() -> None:
    """On 29 March 01:30 is not there: they end when the clock has jumped. On 25 October it comes twice."""
    short = QuietHours(LISBON, time(0, 30), time(1, 30))
    assert quiet_until(utc("2026-03-29T00:45"), short) == utc("2026-03-29T01:30")
    assert quiet_until(utc("2026-10-24T23:45"), short) == utc("2026-10-25T00:30")
    assert quiet_until(utc("2026-10-25T01:15"), short) == utc("2026-10-25T01:30")  # the second time round


@given(
    INSTANTS,
    st.sampled_from([LISBON, "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York"]),
    st.times(),
    st.times(),
)
def test_the_end_lies_ahead_and_within_a_day(now: datetime, zone: str, begins: time, ends: time) -> None:
    hours = QuietHours(zone, begins, ends)
    until = quiet_until(now, hours)
    if until is not None:
        assert timedelta(0) < until - now <= timedelta(hours=25)


@given(
    INSTANTS,
    st.sampled_from([LISBON, "Australia/Lord_Howe", "America/New_York"]),
)
def test_a_summary_comes_every_local_day(after: datetime, zone: str) -> None:
    first = next_time(after, zone=zone, at=time(8))
    second = next_time(first, zone=zone, at=time(8))
    days = [at.astimezone(ZoneInfo(zone)).date() for at in (first, second)]
    assert first > after
    assert days[1] - days[0] == timedelta(days=1)
    assert {at.astimezone(ZoneInfo(zone)).time() for at in (first, second)} == {time(8)}
