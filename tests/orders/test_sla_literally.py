"""The fold against the contract read word for word (`literal_fold`), on random courses of orders."""

import random
from datetime import datetime

import pytest

from orders.sla import Fact, StageVerdict, fold
from tests.orders.literal_fold import Read, Said, Stage, random_course, read
from tests.orders.sla_cast import T0, VERSIONS, at, fact

COURSES, PARTS = 2_400, 4


def fact_of(place: int, said: Said) -> Fact:
    detail = dict(said.detail)
    if said.kind == "event_retracted" and detail:
        detail = {"retracts": f"e{detail['of']}"}
    if detail.get("promise") is not None:
        detail["promise"] = at(detail["promise"]).isoformat()
    return fact(said.kind, said.minute, id=f"e{place}", **detail)


def minute_of(moment: datetime | None) -> int | None:
    return None if moment is None else round((moment - T0).total_seconds() / 60)


def as_stage(found: StageVerdict | None) -> Stage:
    """Of a stage that never started the contract says no more than that."""
    if found is None:
        return Stage("PENDING")
    if found.started_at is None:
        return Stage(found.state)
    times = (minute_of(moment) for moment in (found.started_at, found.ended_at, found.due_at))
    return Stage(found.state, *times, found.breached)


def folded(course: list[Said], now: int) -> Read:
    verdict = fold([fact_of(place, said) for place, said in enumerate(course)], VERSIONS, at(now))
    active = {reason for reason, problem in verdict.problems.items() if problem.verdict == "active"}
    stages = {name: as_stage(verdict.stages.get(name)) for name in read([], 0).stages}
    return Read(stages, active, verdict.status, verdict.status == "CANCELLED")


@pytest.mark.parametrize("part", range(PARTS))
def test_the_fold_says_what_the_contract_says(part: int) -> None:
    late = 0
    for seed in range(part, COURSES, PARTS):
        dice = random.Random(seed)
        course = random_course(dice)
        now = dice.randrange(12_000)
        expected, found = read(course, now), folded(course, now)
        for name, stage in expected.stages.items():
            if stage.started is not None or found.stages[name].started is not None:
                assert found.stages[name] == stage, (seed, name, course, now)
            late += stage.breached
        if not expected.cancelled:
            assert found.problems == expected.problems, (seed, course)
        assert expected.status in ("", found.status), (seed, course)
    assert late > COURSES / PARTS / 5
