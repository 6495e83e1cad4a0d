"""What holds for any facts: no order of arrival, no duplicate and no second look changes the verdict (CONTRACT 4)."""

import random
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from orders.problems import PROBLEMS
from orders.sla import Fact, Verdict, findings, fold, pass_time, problems_from_json, problems_to_json
from orders.stages import STAGES, next_raise
from tests.orders.sla_cast import DAY, VERSIONS, at, fact

TYPES = sorted(
    {stage.starts for stage in STAGES}
    | {kind for stage in STAGES for kind in (*stage.ends, *stage.shown_past_by)}
    | {kind for problem in PROBLEMS for kind in (problem.event_type, *problem.cures)}
    | {
        "order_updated",
        "order_cancelled",
        "order_held",
        "order_released",
        "order_refunded",
        "event_retracted",
        "gift_wrapped",
    }
)
MINUTES = st.integers(min_value=-20, max_value=20) | st.integers(min_value=-5 * DAY, max_value=5 * DAY)
IDS = st.sampled_from(["e1", "e2", "e3", "e4", "e5", "e6"])
SETTLE = st.none() | st.dictionaries(st.sampled_from(["wms", "shop"]), st.integers(min_value=1, max_value=7200))


@st.composite
def details(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    if kind in ("order_created", "order_updated") and draw(st.booleans()):
        return {"promise": draw(st.none() | MINUTES.map(lambda minute: at(minute).isoformat()))}
    if kind in ("order_held", "order_released"):
        return {"hold_id": draw(st.sampled_from(["a", "b"]))} if draw(st.booleans()) else {}
    if kind in ("order_fulfilled", "order_delivered") and draw(st.booleans()):
        named = {"shipment": draw(st.sampled_from(["p1", "p2", "T1"]))}
        numbers = draw(st.lists(st.sampled_from(["T1", "T2"]), unique=True, max_size=2))
        return {**named, "numbers": numbers} if numbers and kind == "order_fulfilled" else named
    if kind == "order_refunded":
        return {"full": True} if draw(st.booleans()) else {}
    return {"retracts": draw(IDS)} if kind == "event_retracted" else {}


@st.composite
def events(draw: st.DrawFn) -> Fact:
    kind, minute = draw(st.sampled_from(TYPES)), draw(MINUTES)
    late = draw(st.sampled_from([0, 0, 1, 300, 80 * 60]))
    source = draw(st.sampled_from(["wms", "shop"]))
    return fact(kind, minute, id=draw(IDS), source=source, received=minute + late, **draw(details(kind)))


HISTORIES = st.lists(events(), min_size=1, max_size=12, unique_by=lambda each: (each.source, each.event_id))
LOOKS = st.integers(min_value=-DAY, max_value=9 * DAY)


@settings(max_examples=300)
@given(facts=HISTORIES, now=LOOKS, settle=SETTLE, seed=st.integers(min_value=0, max_value=2**32))
def test_any_order_and_any_duplicates_give_the_same_verdict(
    facts: list[Fact], now: int, settle: dict[str, int] | None, seed: int
) -> None:
    dice = random.Random(seed)
    shuffled = facts + dice.choices(facts, k=dice.randrange(5))
    dice.shuffle(shuffled)
    verdict = fold(facts, VERSIONS, at(now), settle=settle)
    assert fold(shuffled, VERSIONS, at(now), settle=settle) == verdict
    assert fold(facts, VERSIONS, at(now), settle=settle) == verdict


@settings(max_examples=300)
@given(facts=HISTORIES, now=LOOKS, later=st.integers(min_value=0, max_value=9 * DAY), settle=SETTLE)
def test_time_alone_takes_nothing_back(facts: list[Fact], now: int, later: int, settle: dict[str, int] | None) -> None:
    before, after = (fold(facts, VERSIONS, at(minute), settle=settle) for minute in (now, now + later))
    severities = ["", "MEDIUM", "HIGH", "CRITICAL"]
    assert before.stages.keys() == after.stages.keys()
    for name, stage in before.stages.items():
        assert after.stages[name].breached >= stage.breached
        assert severities.index(after.stages[name].severity) >= severities.index(stage.severity)
        if stage.state != "RUNNING":
            assert after.stages[name] == stage
    assert after._replace(stages={}) == before._replace(stages={})


@settings(max_examples=300)
@given(facts=HISTORIES, now=LOOKS, later=st.integers(min_value=0, max_value=9 * DAY * 60), settle=SETTLE)
def test_passing_time_over_a_stored_stage_equals_the_fold(
    facts: list[Fact], now: int, later: int, settle: dict[str, int] | None
) -> None:
    stored = fold(facts, VERSIONS, at(now), settle=settle)
    then = at(now + later / 60)
    for name, stage in fold(facts, VERSIONS, then, settle=settle).stages.items():
        assert pass_time(stored.stages[name], then, name) == stage


@settings(max_examples=300)
@given(facts=HISTORIES, now=LOOKS, settle=SETTLE)
def test_nothing_changes_before_the_instant_to_judge_and_something_does_after(
    facts: list[Fact], now: int, settle: dict[str, int] | None
) -> None:
    for name, stage in fold(facts, VERSIONS, at(now), settle=settle).stages.items():
        if stage.judge_at is None:
            assert pass_time(stage, at(900 * DAY), name) == stage
            continue
        assert stage.judge_at >= at(now)
        assert pass_time(stage, at(now) + (stage.judge_at - at(now)) / 2, name) == stage
        assert pass_time(stage, stage.judge_at + (at(1) - at(0)), name) != stage


def made_up(facts: list[Fact], now: int) -> Verdict:
    return fold(facts, VERSIONS, at(now), settle=None)


@settings(max_examples=300)
@given(facts=HISTORIES, now=LOOKS)
def test_every_verdict_makes_sense(facts: list[Fact], now: int) -> None:
    verdict = made_up(facts, now)
    for stage in verdict.stages.values():
        assert (stage.ended_at is None) == (stage.state == "RUNNING")
        assert stage.breached == bool(stage.severity)
        if stage.breached:
            assert stage.due_at is not None and stage.due_at < (stage.ended_at or at(now))
        if stage.state == "SKIPPED":
            assert (stage.started_at, stage.due_at, stage.breached) == (None, None, False)
        if stage.started_at and stage.ended_at:
            assert stage.started_at <= stage.ended_at
    for problem in verdict.problems.values():
        assert (problem.verdict == "over") == (problem.ended_at is not None) == (problem.how is not None)
        assert problem.ended_at is None or problem.opened_at <= problem.ended_at
    for finding in findings(verdict).values():
        assert (finding.verdict == "over") == (finding.ended_at is not None) == (finding.how is not None)


@settings(max_examples=200)
@given(facts=HISTORIES, now=LOOKS)
def test_problems_are_the_same_after_their_way_through_json(facts: list[Fact], now: int) -> None:
    problems = made_up(facts, now).problems
    assert problems_from_json(problems_to_json(problems)) == problems


@settings(max_examples=200)
@given(facts=HISTORIES, mistake=events(), now=LOOKS)
@example(facts=[fact("order_created", 0, id="e1")], mistake=fact("order_cancelled", 5, id="e2"), now=40)
def test_retracting_an_event_gives_the_verdict_without_it(facts: list[Fact], mistake: Fact, now: int) -> None:
    mistake = mistake._replace(event_id="mistake")
    assume(mistake.event_type != "event_retracted")
    retraction = fact("event_retracted", 5 * DAY, id="retraction", source=mistake.source, retracts="mistake")
    assert made_up([*facts, mistake, retraction], now) == made_up([*facts, retraction], now)


def test_next_raise_of_the_worst_is_none() -> None:
    assert next_raise(at(0), 60, "CRITICAL") is None
