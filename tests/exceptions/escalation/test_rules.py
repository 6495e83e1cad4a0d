"""Chains and rotas: which steps are due, who is on call at which instant, and what a plan may not say."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exceptions.escalation.chain import Standing, Step, next_look, steps_due
from exceptions.escalation.people import Person, reached_by
from exceptions.escalation.preview import courses
from exceptions.escalation.reading import Plan, read_plan
from exceptions.escalation.rota import Hours, Override, Rota, Shift, on_call, who_is_on_call

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
ANNA, BEN, MAX = 1, 2, 3
TEAM = [Person(ANNA, "anna", "operator"), Person(BEN, "ben", "operator"), Person(MAX, "max", "manager")]
TELL = Step(15, "acknowledged", "notify", "on_call")
GIVE = Step(60, "resolved", "assign", "role:operator")
CHAINS = {"HIGH": [TELL, GIVE], "CRITICAL": [Step(5, "acknowledged", "notify", f"user:{MAX}")]}
WEEK = frozenset(range(5))
LISBON = Rota(
    "Europe/Lisbon",
    [
        Shift(WEEK, Hours(time(9), time(18)), ANNA),
        Shift(frozenset({4}), Hours(time(18), time(9)), BEN),  # Friday night into Saturday
    ],
    [
        Override(date(2026, 3, 4), Hours(time(12), time(14)), BEN),
        Override(date(2026, 3, 5), Hours(time(0), time(0)), None),  # nobody, the whole day
    ],
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def standing(**changes: Any) -> Standing:
    given: dict[str, Any] = {
        "status": "OPEN",
        "verdict": "active",
        "severity": "HIGH",
        "started_at": START,
        "done": (),
    } | changes
    return Standing(**given)


@pytest.mark.parametrize(
    ("minutes", "changes", "due"),
    [
        (14, {}, []),
        (15, {}, [TELL]),
        (15, {"status": "ACKNOWLEDGED"}, []),
        (60, {"status": "ACKNOWLEDGED"}, [GIVE]),
        (60, {"status": "IN_PROGRESS"}, [GIVE]),
        (60, {}, [TELL, GIVE]),
        (60, {"done": (TELL.key("HIGH"),)}, [GIVE]),
        (999, {"status": "RESOLVED"}, []),
        (999, {"verdict": "over"}, []),
        (999, {"severity": "LOW"}, []),
    ],
)
def test_steps_are_due_by_time_status_and_severity(minutes: int, changes: dict[str, Any], due: list[Step]) -> None:
    assert steps_due(CHAINS, standing(**changes), now=START + timedelta(minutes=minutes)) == due


def test_next_look_is_at_the_step_of_any_severity() -> None:
    at = START + timedelta(minutes=1)
    assert next_look(CHAINS, standing(severity="LOW"), now=at) == START + timedelta(minutes=5)
    assert next_look(CHAINS, standing(), now=START + timedelta(minutes=15)) == START + timedelta(minutes=60)
    assert next_look(CHAINS, standing(), now=START + timedelta(minutes=60)) is None
    assert next_look(CHAINS, standing(status="RESOLVED"), now=at) is None


def test_a_severity_that_rises_takes_the_steps_of_its_own_chain() -> None:
    done = (TELL.key("HIGH"), GIVE.key("HIGH"))
    (step,) = steps_due(CHAINS, standing(severity="CRITICAL", done=done), now=START + timedelta(hours=9))
    assert step.to == f"user:{MAX}"


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2026-03-02T08:59", None),
        ("2026-03-02T09:00", ANNA),
        ("2026-03-02T17:59", ANNA),
        ("2026-03-02T18:00", None),
        ("2026-03-04T12:30", BEN),
        ("2026-03-04T14:00", ANNA),
        ("2026-03-05T10:00", None),
        ("2026-03-06T18:00", BEN),
        ("2026-03-07T08:59", BEN),
        ("2026-03-07T09:00", None),
        ("2026-03-30T08:00", ANNA),  # summer time: nine o'clock comes an hour earlier
    ],
)
def test_who_is_on_call(at: str, who: int | None) -> None:
    assert who_is_on_call(LISBON, utc(at)) == who


def test_it_is_said_until_when() -> None:
    assert on_call(LISBON, utc("2026-03-04T10:00")).until == utc("2026-03-04T12:00")
    assert on_call(LISBON, utc("2026-03-06T12:00")).until == utc("2026-03-06T18:00")
    always = Rota("UTC", [Shift(frozenset(range(7)), Hours(time(0), time(0)), ANNA)])
    assert on_call(always, START) == on_call(always, START + timedelta(days=3))
    assert on_call(always, START).until is None
    assert on_call(Rota("UTC"), START).user_id is None


@given(st.integers(0, 365 * 24 * 60), st.sampled_from(["Europe/Lisbon", "Australia/Lord_Howe", "America/New_York"]))
def test_a_handover_says_the_truth(minutes: int, zone: str) -> None:
    """Until the change it is the same person, at the change another."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    rota = Rota(zone, LISBON.shifts, LISBON.overrides)
    found = on_call(rota, at)
    assert found.until is not None
    assert who_is_on_call(rota, found.until) != found.user_id
    assert who_is_on_call(rota, found.until - timedelta(minutes=1)) == found.user_id or found.until - at < timedelta(
        minutes=1
    )


@pytest.mark.parametrize(
    ("step", "names", "why"),
    [
        (TELL, "anna", "on call"),
        (Step(0, "acknowledged", "notify", "role:operator"), "anna and ben", "the operators"),
        (GIVE, "ben", "the operators; has the fewest"),
        (Step(0, "resolved", "assign", f"user:{BEN}"), "ben", ""),
        (Step(0, "resolved", "notify", "user:99"), "max", "who was chosen has left, so the managers"),
        (Step(0, "resolved", "notify", "role:viewer"), "max", "there are no viewers, so the managers"),
    ],
)
def test_nobody_is_reached_in_vain(step: Step, names: str, why: str) -> None:
    reached = reached_by(step, LISBON, TEAM, at=utc("2026-03-02T10:00"), load={ANNA: 3, BEN: 1})
    assert (reached.names, reached.why) == (names, why)


def test_at_night_the_managers_are_reached() -> None:
    reached = reached_by(TELL, LISBON, TEAM, at=utc("2026-03-02T20:00"))
    assert (reached.names, reached.why) == ("max", "nobody is on call, so the managers")


def test_preview_tells_when_whom_and_unless() -> None:
    plan = Plan(CHAINS, LISBON)
    high = next(course for course in courses(plan, TEAM, now=utc("2026-03-02T17:50")) if course.severity == "HIGH")
    assert [(step.at, step.who, step.did, step.unless) for step in high.steps] == [
        (utc("2026-03-02T18:05"), "max", "is told", "acknowledged"),
        (utc("2026-03-02T18:50"), "anna", "gets it", "resolved"),
    ]


GOOD: dict[str, Any] = {"after_minutes": 5, "unless": "resolved", "effect": "notify", "to": "user:1"}
SHIFT: dict[str, Any] = {"days": [0], "from": "09:00", "until": "17:00", "user_id": 1}
ROTA: dict[str, Any] = {"timezone": "UTC", "shifts": [], "overrides": []}


@pytest.mark.parametrize(
    ("chains", "rota", "path"),
    [
        ({"PURPLE": []}, {}, "PURPLE"),
        ({"HIGH": [GOOD | {"after_minutes": -1}]}, {}, "HIGH[0].after_minutes"),
        ({"HIGH": [GOOD | {"after_minutes": "x"}]}, {}, "HIGH[0].after_minutes"),
        ({"HIGH": [GOOD | {"unless": "tired"}]}, {}, "HIGH[0].unless"),
        ({"HIGH": [GOOD | {"effect": "page"}]}, {}, "HIGH[0].effect"),
        ({"HIGH": [GOOD, GOOD | {"to": "user:9"}]}, {}, "HIGH[1].to"),
        ({"HIGH": [GOOD | {"to": "role:king"}]}, {}, "HIGH[0].to"),
        ({"HIGH": [GOOD, GOOD]}, {}, "HIGH"),
        ({"HIGH": [GOOD] * 11}, {}, "HIGH"),
        ({}, {"timezone": "Mars"}, "rota.timezone"),
        ({}, {"shifts": [SHIFT | {"days": []}]}, "rota.shifts[0].days"),
        ({}, {"shifts": [SHIFT | {"days": [7]}]}, "rota.shifts[0].days[0]"),
        ({}, {"shifts": [SHIFT | {"from": "25:00"}]}, "rota.shifts[0].from"),
        ({}, {"shifts": [SHIFT | {"user_id": 9}]}, "rota.shifts[0].user_id"),
        ({}, {"shifts": [SHIFT | {"user_id": True}]}, "rota.shifts[0].user_id"),
        ({}, {"overrides": [{"date": "2026-02-30", "from": "1:00", "until": "02:00"}]}, "rota.overrides[0].date"),
        ({}, {"shifts": "many"}, "rota.shifts"),
    ],
)
def test_what_a_plan_may_not_say_is_told_at_its_path(chains: Any, rota: dict[str, Any], path: str) -> None:
    _, errors = read_plan(chains, ROTA | rota, members=[1])
    assert path in errors


def test_what_is_kept_reads_the_same_again() -> None:
    plan, errors = read_plan({"HIGH": [GOOD]}, ROTA | {"shifts": [SHIFT]}, members=[1])
    assert errors == {}
    assert plan.chains == {"HIGH": [Step(5, "resolved", "notify", "user:1")]}
    assert plan.rota.shifts == [Shift(frozenset({0}), Hours(time(9), time(17)), 1)]
