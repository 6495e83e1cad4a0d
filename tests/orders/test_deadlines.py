"""Due times and warning points in worked examples: pauses over closed hours, cut-offs at the very minute, promises."""

from datetime import datetime

import pytest

from orders.deadlines import Deadline, deadline_of
from orders.facts import Fact
from orders.holds import Pause
from tenants.calendars import Calendar
from tenants.targets import Cutoff, Length, Promise, Target, Warn
from tests.tenants.calendar_cast import calendar, local

HOUR = 3600
SHARE, LEAD = Warn(share=0.75), Warn(before_seconds=HOUR)


def found(
    place: str, target: Target, start: str, *pauses: tuple[str, str | None], facts: tuple[Fact, ...] = ()
) -> Deadline:
    used: Calendar | None = calendar(place)
    if isinstance(target, Promise) or target.calendar is None:
        used = None
    stops = [Pause(local(place, since), local(place, until) if until else None) for since, until in pauses]
    return deadline_of(target, used, local(place, start), None, pauses=stops, detailed=facts)


def on_wall(place: str, at: str | None) -> datetime | None:
    return local(place, at) if at else None


# hours of target, start, pauses, due; all in Lisbon, which closes from 13:00 to 14:00 and at 18:00
PAUSED = [
    (4, "2026-11-23 09:00", [], "2026-11-23 13:00"),
    (4, "2026-11-23 10:00", [], "2026-11-23 15:00"),
    (4, "2026-11-23 10:00", [("2026-11-23 11:00", "2026-11-23 12:00")], "2026-11-23 16:00"),
    (4, "2026-11-23 10:00", [("2026-11-23 12:30", "2026-11-23 14:30")], "2026-11-23 16:00"),  # an hour of it was lunch
    (4, "2026-11-23 10:00", [("2026-11-23 13:00", "2026-11-23 14:00")], "2026-11-23 15:00"),  # all of it was
    (4, "2026-11-23 10:00", [("2026-11-23 13:10", "2026-11-23 13:50")], "2026-11-23 15:00"),
    (4, "2026-11-23 10:00", [("2026-11-23 14:59", "2026-11-23 15:59")], "2026-11-23 16:00"),  # a minute before
    (4, "2026-11-23 10:00", [("2026-11-23 15:00", "2026-11-23 16:00")], "2026-11-23 15:00"),  # when it was due
    (4, "2026-11-23 10:00", [("2026-11-23 15:01", "2026-11-23 16:00")], "2026-11-23 15:00"),
    (8, "2026-11-27 09:00", [("2026-11-27 17:00", "2026-11-28 10:00")], "2026-11-28 11:00"),  # over a night
    (8, "2026-11-27 09:00", [("2026-11-27 18:00", "2026-11-28 10:00")], "2026-11-27 18:00"),  # from closing, when due
    (8, "2026-11-27 10:00", [("2026-11-27 19:00", "2026-11-27 20:00")], "2026-11-28 10:00"),  # at night only
    (8, "2026-11-27 10:00", [("2026-11-28 14:00", "2026-11-30 08:00")], "2026-11-28 10:00"),  # after it was due
    (8, "2026-11-28 12:00", [("2026-11-28 12:30", "2026-11-30 09:30")], "2026-11-30 18:00"),  # half an hour twice
    (2, "2026-11-28 10:00", [("2026-11-28 11:00", "2026-11-29 12:00")], "2026-11-30 10:00"),  # over Saturday's closing
    (2, "2026-11-29 10:00", [("2026-11-29 11:00", "2026-11-29 20:00")], "2026-11-30 11:00"),  # on a Sunday
    (2, "2026-11-30 17:00", [("2026-12-01 09:00", "2026-12-01 18:00")], "2026-12-02 10:00"),  # on a holiday
    (2, "2026-11-30 17:00", [("2026-11-30 17:30", "2026-12-02 09:30")], "2026-12-02 11:00"),  # over a holiday
    (4, "2026-11-23 10:00", [("2026-11-23 08:00", "2026-11-23 09:30")], "2026-11-23 15:00"),  # before the start
    (4, "2026-11-23 10:00", [("2026-11-23 08:00", "2026-11-23 10:30")], "2026-11-23 15:30"),  # begun before the start
    (4, "2026-11-23 10:00", [("2026-11-23 11:00", "2026-11-23 11:30"), ("2026-11-23 12:00", "2026-11-23 12:30")], "2026-11-23 16:00"),
    (4, "2026-11-23 10:00", [("2026-11-23 14:30", "2026-11-23 15:30"), ("2026-11-23 15:45", "2026-11-23 16:45")], "2026-11-23 17:00"),
    (4, "2026-11-23 10:00", [("2026-11-23 11:00", "2026-11-23 12:00"), ("2026-11-23 16:00", None)], "2026-11-23 16:00"),
    (4, "2026-11-23 10:00", [("2026-11-23 11:00", None)], None),  # open
    (4, "2026-11-23 10:00", [("2026-11-23 13:30", None)], None),  # open since lunch
    (4, "2026-11-23 10:00", [("2026-11-23 15:00", None)], "2026-11-23 15:00"),  # open since it was due
    (8, "2026-11-27 09:00", [("2026-11-27 22:00", None)], "2026-11-27 18:00"),  # open since after closing, when due
    (8, "2026-11-27 10:00", [("2026-11-27 22:00", None)], None),
    (4, "2026-03-28 11:00", [("2026-03-28 12:00", "2026-03-30 10:00")], "2026-03-30 13:00"),  # the clock went forward
    (4, "2026-10-24 11:00", [("2026-10-24 12:00", "2026-10-26 10:00")], "2026-10-26 13:00"),  # and back
]  # fmt: skip


@pytest.mark.parametrize(("hours", "start", "pauses", "due"), PAUSED)
def test_pause_moves_the_due_time_by_the_working_time_it_took(
    hours: int, start: str, pauses: list[tuple[str, str | None]], due: str | None
) -> None:
    assert found("lisbon", Length(hours * HOUR, ""), start, *pauses).due_at == on_wall("lisbon", due)


TWO = (14 * HOUR,) * 5 + (11 * HOUR, 0)
CUT = [
    ("2026-11-20 14:00", [], "2026-11-20 18:00", 4 * HOUR),
    ("2026-11-20 14:01", [], "2026-11-21 13:00", 4 * HOUR - 60 + 4 * HOUR),
    ("2026-11-20 08:00", [], "2026-11-20 18:00", 8 * HOUR),
    ("2026-11-21 11:00", [], "2026-11-21 13:00", 2 * HOUR),
    ("2026-11-21 11:01", [], "2026-11-23 18:00", 2 * HOUR - 60 + 8 * HOUR),
    ("2026-11-22 12:00", [], "2026-11-23 18:00", 8 * HOUR),
    ("2026-11-20 14:00", [("2026-11-20 15:00", "2026-11-20 16:00")], "2026-11-21 10:00", 4 * HOUR),
    ("2026-11-20 14:00", [("2026-11-20 17:59", "2026-11-23 09:00")], "2026-11-23 09:01", 4 * HOUR),
    ("2026-11-20 14:00", [("2026-11-20 18:00", "2026-11-23 09:00")], "2026-11-20 18:00", 4 * HOUR),
    ("2026-11-20 14:00", [("2026-11-20 15:00", None)], None, 4 * HOUR),
    ("2026-11-30 15:00", [], "2026-12-02 18:00", 3 * HOUR + 8 * HOUR),
]


@pytest.mark.parametrize(("start", "pauses", "due", "seconds"), CUT)
def test_cutoff_is_due_at_closing_and_paused_like_a_length(
    start: str, pauses: list[tuple[str, str | None]], due: str | None, seconds: int
) -> None:
    deadline = found("lisbon", Cutoff(TWO), start, *pauses)
    assert (deadline.due_at, deadline.target_seconds) == (on_wall("lisbon", due), seconds)


WARNED = [
    (Length(4 * HOUR, "", SHARE), "2026-11-23 10:00", [], "2026-11-23 13:00"),  # after three hours, as lunch begins
    (Length(4 * HOUR, "", LEAD), "2026-11-23 10:00", [], "2026-11-23 13:00"),
    (Length(8 * HOUR, "", LEAD), "2026-11-27 10:00", [], "2026-11-27 18:00"),  # an hour of work before, not of night
    (Length(4 * HOUR, "", SHARE), "2026-11-23 10:00", [("2026-11-23 11:00", "2026-11-23 12:00")], "2026-11-23 15:00"),
    (Length(4 * HOUR, "", SHARE), "2026-11-23 10:00", [("2026-11-23 11:00", None)], None),
    (
        Length(4 * HOUR, "", LEAD),
        "2026-11-23 10:00",
        [("2026-11-23 14:30", None)],
        "2026-11-23 13:00",
    ),  # it was at risk
    (Length(4 * HOUR, None, SHARE), "2026-11-23 22:00", [], "2026-11-24 01:00"),  # every hour counts
    (Length(4 * HOUR, None, LEAD), "2026-11-23 22:00", [("2026-11-23 23:00", "2026-11-24 00:00")], "2026-11-24 02:00"),
    (Cutoff(TWO, warn=LEAD), "2026-11-20 14:00", [], "2026-11-20 17:00"),
    (Cutoff(TWO, warn=SHARE), "2026-11-20 14:00", [], "2026-11-20 17:00"),
    (Cutoff(TWO, warn=Warn(before_seconds=5 * HOUR)), "2026-11-20 14:00", [], "2026-11-20 14:00"),  # from the start
]


@pytest.mark.parametrize(("target", "start", "pauses", "risk"), WARNED)
def test_warning_point_is_a_part_of_the_same_time(
    target: Target, start: str, pauses: list[tuple[str, str | None]], risk: str | None
) -> None:
    assert found("lisbon", target, start, *pauses).at_risk_at == on_wall("lisbon", risk)


def stated(key: str, at: str, value: str | None) -> Fact:
    when = local("lisbon", at)
    detail = {key: local("lisbon", value).isoformat() if value else None}
    return Fact("shop", f"{key}@{at}", "order_updated", when, when, detail)


PROMISED = [
    (Promise("fulfil_by"), [stated("fulfil_by", "2026-11-23 10:00", "2026-11-24 12:00")], "2026-11-24 12:00", None),
    (Promise("fulfil_by"), [stated("promise", "2026-11-23 10:00", "2026-11-24 12:00")], None, None),
    (
        Promise("delivery_window", Warn(before_seconds=HOUR)),
        [stated("window_until", "2026-11-23 10:00", "2026-11-24 12:00")],
        "2026-11-24 12:00",
        "2026-11-24 11:00",
    ),
    (
        Promise("promised_delivery_at", Warn(share=0.5)),
        [stated("promise", "2026-11-23 10:00", "2026-11-24 10:00")],
        "2026-11-24 10:00",
        "2026-11-23 22:00",
    ),
    (Promise("promised_delivery_at", LEAD), [stated("promise", "2026-11-23 10:00", "2026-11-23 10:30")], "2026-11-23 10:30", "2026-11-23 10:00"),
    (Promise("promised_delivery_at", LEAD), [stated("promise", "2026-11-23 10:00", "2026-11-20 10:30")], "2026-11-20 10:30", "2026-11-23 10:00"),
    (
        Promise("fulfil_by"),
        [stated("fulfil_by", "2026-11-23 10:00", "2026-11-24 12:00"), stated("fulfil_by", "2026-11-24 12:01", "2026-11-25 12:00")],
        "2026-11-24 12:00",
        None,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("target", "facts", "due", "risk"), PROMISED)
def test_promise_is_what_the_order_carries_and_no_pause_moves_it(
    target: Promise, facts: list[Fact], due: str | None, risk: str | None
) -> None:
    hold = ("2026-11-23 11:00", None)
    deadline = found("lisbon", target, "2026-11-23 10:00", hold, facts=tuple(facts))
    assert (deadline.due_at, deadline.at_risk_at) == (on_wall("lisbon", due), on_wall("lisbon", risk))


def test_cutoff_with_days_to_come_beyond_all_calendars_has_no_deadline() -> None:
    late = local("lisbon", "2150-12-31 12:00")
    assert deadline_of(Cutoff(TWO, 60), calendar("lisbon"), late, None, pauses=(), detailed=()) == Deadline(None)
