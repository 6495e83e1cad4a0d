"""Due times, breaches and severities of CONTRACT 4: targets, promises, settling."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from orders.sla import Fact, fold
from tenants.policy import PolicyVersion, parse_policy
from tests.orders.sla_cast import DAY, HOUR, POLICY, T0, at, created, fact, judged, path, started

TARGETS = [
    ("payment_processing", "order_created", 30),
    ("inventory_check", "payment_confirmed", 15),
    ("shipping_preparation", "inventory_allocated", 4 * HOUR),
    ("order_fulfillment", "order_created", 24 * HOUR),
]
PROMISE = at(2 * DAY).isoformat()


def updated(minute: float, promise: float | None, **options: Any) -> Fact:
    return fact("order_updated", minute, promise=None if promise is None else at(promise).isoformat(), **options)


@pytest.mark.parametrize(("name", "starts", "target"), TARGETS)
def test_due_is_the_target_after_the_start(name: str, starts: str, target: int) -> None:
    verdict = started(name, fact(starts, 3), now=4)
    assert (verdict.due_at, verdict.target_seconds, verdict.judge_at) == (at(3 + target), target * 60, at(3 + target))


@pytest.mark.parametrize(("name", "starts", "target"), TARGETS)
def test_running_exactly_on_time_is_in_time(name: str, starts: str, target: int) -> None:
    assert started(name, fact(starts, 0), now=target)[4:6] == (False, "")


@pytest.mark.parametrize(("name", "starts", "target"), TARGETS)
def test_running_past_its_due_time_is_late(name: str, starts: str, target: int) -> None:
    verdict = started(name, fact(starts, 0), now=target + 0.01)
    assert (verdict.state, verdict.breached, verdict.severity) == ("RUNNING", True, "MEDIUM")
    assert verdict.judge_at == at(2 * target)


@pytest.mark.parametrize(("minute", "breached"), [(29, False), (30, False), (30.01, True), (90, True)])
def test_ended_after_its_due_time_is_late(minute: float, breached: bool) -> None:
    verdict = started("payment_processing", created(), fact("payment_confirmed", minute), now=DAY)
    assert (verdict.state, verdict.due_at, verdict.breached, verdict.judge_at) == ("COMPLETED", at(30), breached, None)


@pytest.mark.parametrize(("name", "starts", "target"), TARGETS)
def test_without_a_target_a_stage_is_tracked_and_never_late(name: str, starts: str, target: int) -> None:
    none = (PolicyVersion(id=1, valid_from=T0, policy=parse_policy({})),)
    verdict = fold([fact(starts, 0)], none, at(400 * DAY)).stages[name]
    assert verdict == ("RUNNING", at(0), None, None, False, "", None, None)


def test_without_any_policy_no_clock_runs() -> None:
    verdict = fold([created()], (), at(400 * DAY))
    assert (verdict.policy_id, verdict.stages["order_fulfillment"].due_at) == (None, None)


def test_order_keeps_the_policy_it_began_under() -> None:
    short = PolicyVersion(id=8, valid_from=at(60), policy=parse_policy({"payment_processing_minutes": 5}))
    long = PolicyVersion(id=7, valid_from=at(-60), policy=POLICY)
    before = fold([created(59)], (long, short), at(61))
    after = fold([created(60)], (long, short), at(61))
    assert (before.policy_id, before.stages["payment_processing"].due_at) == (7, at(89))
    assert (after.policy_id, after.stages["payment_processing"].due_at) == (8, at(65))


@pytest.mark.parametrize(("cancelled", "breached"), [(29, False), (30, False), (31, True)])
def test_what_was_due_before_the_cancelling_stays_late(cancelled: float, breached: bool) -> None:
    verdict = started("payment_processing", created(), fact("order_cancelled", cancelled), now=DAY)
    assert (verdict.state, verdict.due_at, verdict.breached) == ("CANCELLED", at(30), breached)


@pytest.mark.parametrize(
    ("late", "severity"), [(1, "MEDIUM"), (30, "MEDIUM"), (30.1, "HIGH"), (90, "HIGH"), (90.1, "CRITICAL")]
)
def test_severity_grows_with_the_targets_length(late: float, severity: str) -> None:
    running = started("payment_processing", created(), now=30 + late)
    ended = started("payment_processing", created(), fact("payment_confirmed", 30 + late), now=DAY)
    assert (running.severity, ended.severity) == (severity, severity)


@pytest.mark.parametrize(
    ("now", "judge_at"), [(20, 30), (30, 30), (31, 60), (60, 60), (61, 120), (120, 120), (121, None)]
)
def test_next_judging_is_the_next_change_by_time_alone(now: float, judge_at: float | None) -> None:
    expected = None if judge_at is None else at(judge_at)
    assert started("payment_processing", created(), now=now).judge_at == expected


@pytest.mark.parametrize(
    ("late", "severity"), [(1, "HIGH"), (2 * DAY + 1, "HIGH"), (6 * DAY, "HIGH"), (6 * DAY + 1, "CRITICAL")]
)
def test_late_delivery_is_high_from_the_first(late: float, severity: str) -> None:
    verdict = started("delivery", created(promise=PROMISE), now=2 * DAY + late)
    assert (verdict.severity, verdict.target_seconds) == (severity, 2 * DAY * 60)
    assert verdict.judge_at == (at(8 * DAY) if severity == "HIGH" else None)


def test_delivery_is_due_at_the_promise() -> None:
    verdict = started("delivery", created(promise=PROMISE), now=5)
    assert (verdict.due_at, verdict.judge_at, verdict.breached) == (at(2 * DAY), at(2 * DAY), False)


def test_delivery_without_a_promise_is_never_late() -> None:
    assert started("delivery", created(), now=400 * DAY)[3:] == (None, False, "", None, None)


def test_return_ends_the_delivery() -> None:
    facts = [created(promise=PROMISE), *path(("order_returned", DAY), ("order_delivered", 3 * DAY))]
    assert started("delivery", *facts, now=4 * DAY)[:5] == ("COMPLETED", at(0), at(DAY), at(2 * DAY), False)


def test_promise_before_the_order_is_late_but_its_length_says_nothing() -> None:
    verdict = started("delivery", created(promise=at(-60).isoformat()), now=400 * DAY)
    assert (verdict.due_at, verdict.severity, verdict.target_seconds, verdict.judge_at) == (at(-60), "HIGH", None, None)


def test_promise_in_the_farthest_year_is_no_trouble() -> None:
    promise = "9999-12-31T23:59:59+00:00"
    assert started("delivery", created(promise=promise), now=DAY).breached is False


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ([], 100),
        ([updated(50, 200)], 200),
        ([updated(50, 60)], 60),
        ([updated(100, 200)], 200),
        ([updated(101, 200)], 100),
        ([updated(50, None)], None),
        ([updated(50, None), updated(150, 300)], 300),
        ([updated(50, 200), updated(150, 300)], 300),
        ([updated(50, 60), updated(70, 300)], 60),
        ([fact("order_updated", 50, note="no promise in it")], 100),
        ([updated(50, 200, id="b"), updated(50, 300, id="a")], 200),
        ([updated(50, 200, source="a"), updated(50, 300, source="b")], 300),
    ],
)
def test_changed_promise_counts_until_the_old_one_has_passed(changes: list[Fact], due: float | None) -> None:
    verdict = started("delivery", created(promise=at(100).isoformat()), *changes, now=400)
    assert verdict.due_at == (None if due is None else at(due))


@pytest.mark.parametrize("end", ["order_delivered", "order_returned", "order_cancelled"])
@pytest.mark.parametrize(("changed", "due"), [(49, 60), (50, 100), (51, 100)])
def test_promise_changed_at_or_after_the_end_counts_no_more(end: str, changed: float, due: float) -> None:
    facts = [created(promise=at(100).isoformat()), updated(changed, 60), fact(end, 50)]
    verdict = started("delivery", *facts, now=400)
    assert (verdict.due_at, verdict.ended_at, verdict.breached) == (at(due), at(50), False)


def test_first_statement_sets_the_promise_whoever_makes_it() -> None:
    verdict = started("delivery", created(), updated(5, 100), now=10)
    assert (verdict.due_at, verdict.target_seconds) == (at(100), 6000)


@pytest.mark.parametrize(
    ("now", "breached", "judge_at"), [(31, False, 35), (34.9, False, 35), (35, True, 60), (35.1, True, 60)]
)
def test_source_that_reports_late_is_waited_for(now: float, breached: bool, judge_at: float) -> None:
    facts = [created(source="slow"), fact("order_updated", 25, source="slow"), fact("order_updated", 29)]
    verdict = started("payment_processing", *facts, now=now, settle={"slow": 600})
    assert (verdict.breached, verdict.judge_at) == (breached, at(judge_at))


def test_settled_before_the_due_time_waits_no_longer() -> None:
    verdict = started("payment_processing", created(source="slow"), now=20, settle={"slow": 600})
    assert verdict.judge_at == at(30)


def test_what_ended_late_waits_for_nobody() -> None:
    facts = [created(source="slow"), fact("payment_confirmed", 40, source="slow")]
    assert started("payment_processing", *facts, now=41, settle={"slow": 600}).breached is True


@pytest.mark.parametrize(
    ("age", "settle", "settled"),
    [
        (72 * HOUR, {}, None),
        (72 * HOUR + 1, {}, 1),
        (72 * HOUR + 1, {"wms": 30}, 1),
        (72 * HOUR + 1, {"wms": 90}, 1.5),
        (72 * HOUR + 1, None, None),
        (1, {"wms": 90}, 1.5),
        (1, {"shop": 90}, None),
    ],
)
def test_history_settles_for_a_minute(age: float, settle: dict[str, int] | None, settled: float | None) -> None:
    verdict = judged(created(-age, received=0), now=0.5, settle=settle)
    assert verdict.settled_at == (None if settled is None else at(settled))


def test_late_history_is_no_breach_until_it_has_settled() -> None:
    old = created(-80 * HOUR, received=0)
    assert started("order_fulfillment", old, now=0.99).breached is False
    assert started("order_fulfillment", old, now=1)[4:6] == (True, "HIGH")
    assert started("order_fulfillment", old, now=0, settle=None).breached is True


def test_times_of_any_zone_are_the_same_instants() -> None:
    in_kathmandu = created(0)._replace(effective_at=at(0).astimezone(ZoneInfo("Asia/Kathmandu")))
    assert judged(in_kathmandu, now=31) == judged(created(0), now=31)
