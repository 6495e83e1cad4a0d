"""When a source counts as unusually silent."""

from datetime import UTC, datetime, timedelta

import pytest

from orders.silence import silent_since, usual_pause

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def receipts(*, every: int, count: int) -> list[datetime]:
    return [START + timedelta(minutes=every * n) for n in range(count)]


@pytest.mark.parametrize(
    ("every", "quiet", "silent"),
    [(5, 30, False), (5, 31, True), (20, 40, False), (20, 41, True), (60, 119, False), (60, 121, True)],
)
def test_twice_the_longest_pause_and_half_an_hour(every: int, quiet: int, silent: bool) -> None:
    heard = receipts(every=every, count=30)
    now = heard[-1] + timedelta(minutes=quiet)
    assert silent_since(heard, [], now) == (heard[-1] if silent else None)


def test_new_source_is_never_silent() -> None:
    assert silent_since(receipts(every=1, count=19), [], START + timedelta(days=3)) is None
    assert silent_since([], [], START) is None


def test_nights_of_two_weeks_are_usual() -> None:
    hours = [START + timedelta(days=day, hours=hour) for day in range(14) for hour in range(10)]
    heard = receipts(every=1, count=1000)
    assert usual_pause(heard, hours) == timedelta(hours=14)
    assert silent_since(heard, hours, heard[-1] + timedelta(hours=27)) is None
    assert silent_since(heard, hours, heard[-1] + timedelta(hours=29)) == heard[-1]
