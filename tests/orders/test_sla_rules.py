"""The fold under a policy of rules: which rule, at risk, saved, pauses by reason and problem, severities, what an order carries."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.carried import NOTHING, carried_of
from orders.clocks import UNWATCHED, pass_time
from orders.ports import Finding
from orders.sla import Fact, Verdict, findings, fold
from tenants.policy import PolicyVersion, parse_policy
from tenants.weights import Bearing
from tests.orders.sla_cast import DAY, HOUR, at, created, fact
from tests.orders.test_sla_properties import HISTORIES, LOOKS, SETTLE

WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]
POLICY = {
    "calendars": {"utc": {"timezone": "UTC", "weekly": {day: ["09:00-17:00"] for day in WORKDAYS}}},
    "rules": [
        {
            "name": "Express",
            "when": {"shipping_service": "express"},
            "targets": {
                "payment_processing": {"minutes": 30, "warn": {"share": 0.5}},
                "inventory_check": {"minutes": 15},
                "shipping_preparation": {"working_hours": 2, "warn": {"before_minutes": 30, "open_exception": True}},
                "order_fulfillment": {"working_hours": 4, "warn": {"share": 0.75, "open_exception": True}},
            },
            "pauses": {"holds": {"except": ["GIFT"]}, "problems": ["ADDRESS_INVALID"]},
        },
        {"name": "Preorders", "when": {"tag": "preorder"}, "excluded": "They ship when the goods arrive."},
        {"name": "Wms", "when": {"source": "wms", "merchant": "north"}, "targets": {"order_fulfillment": {"hours": 6}}},
        {"name": "Shop", "when": {"source": "shop"}, "targets": {"order_fulfillment": {"hours": 8}}},
    ],
    "severity": {
        "stages": {"order_fulfillment": [{"severity": "LOW"}, {"severity": "HIGH", "after_hours": 1}]},
        "problems": {"ADDRESS_INVALID": "HIGH"},
        "raise": [{"when": {"customer_tier": "gold"}, "by": 1}],
    },
    "priority": {"customer_tier": {"gold": 20}},
}
VERSIONS = (PolicyVersion(id=9, valid_from=at(-30 * DAY), policy=parse_policy(POLICY)),)
# T0 is a Monday, 10:00: four working hours from then end at 14:00, three at 13:00.


def express(minute: float = 0, **more: Any) -> Fact:
    return created(minute, carries={"shipping_service": "Express", **more})


def judged(*facts: Fact, now: float, **options: Any) -> Verdict:
    return fold(facts, VERSIONS, at(now), **options)


def clock(verdict: Verdict, name: str = "order_fulfillment") -> tuple[Any, ...]:
    """State, due, breached, severity, next look."""
    stage = verdict.stages[name]
    return stage.state, stage.due_at, stage.breached, stage.severity, stage.judge_at


RISK, DUE = 3 * HOUR, 4 * HOUR


@pytest.mark.parametrize(
    ("now", "breached", "severity", "judge_at"),
    [
        (RISK, False, "", RISK),
        (RISK + 0.01, False, "LOW", DUE),
        (DUE, False, "LOW", DUE),
        (DUE + 0.01, True, "LOW", DUE + HOUR),
        (DUE + HOUR, True, "LOW", DUE + HOUR),
        (DUE + HOUR + 0.01, True, "HIGH", None),
    ],
)
def test_stage_is_at_risk_then_late_then_worse(
    now: float, breached: bool, severity: str, judge_at: float | None
) -> None:
    expected = None if judge_at is None else at(judge_at)
    assert clock(judged(express(), now=now)) == ("RUNNING", at(DUE), breached, severity, expected)


@pytest.mark.parametrize(
    ("end", "breached", "severity"),
    [
        (RISK, False, ""),
        (RISK + 1, False, "LOW"),
        (DUE, False, "LOW"),
        (DUE + 1, True, "LOW"),
        (DUE + 61, True, "HIGH"),
    ],
)
def test_ended_after_the_warning_and_in_time_is_saved(end: float, breached: bool, severity: str) -> None:
    verdict = judged(express(), fact("order_fulfilled", end), now=DAY)
    assert clock(verdict) == ("COMPLETED", at(DUE), breached, severity, None)


def warning(state: str, ended: float | None = None, how: str | None = None) -> Finding:
    over = at(ended) if ended is not None else None
    return Finding(state, at(RISK), over, how, "LOW", "at_risk", "order_fulfillment", at(DUE), Bearing())  # type: ignore[arg-type]


def test_exceptions_hear_of_a_stage_at_risk_and_of_its_rescue() -> None:
    assert findings(judged(express(), now=RISK)).get("FULFILLMENT_DELAY") is None
    assert findings(judged(express(), now=RISK + 1))["FULFILLMENT_DELAY"] == warning("active")
    saved = judged(express(), fact("order_fulfilled", RISK + 5), now=DAY)
    assert findings(saved)["FULFILLMENT_DELAY"] == warning("over", RISK + 5, "saved")
    gone = judged(express(), fact("order_cancelled", RISK + 5), now=DAY)
    assert findings(gone)["FULFILLMENT_DELAY"] == warning("over", RISK + 5, "cancelled")
    late = findings(judged(express(), now=DUE + 1))["FULFILLMENT_DELAY"]
    assert (late.opened_at, late.occurrence_key, late.verdict) == (at(DUE), "stage", "active")


def test_a_warning_that_opens_nothing_is_no_finding() -> None:
    verdict = judged(express(), now=20)
    assert verdict.stages["payment_processing"].severity == "LOW"
    assert findings(verdict) == {}


def held(minute: float, hold: str, reason: str = "") -> Fact:
    return fact("order_held", minute, id=f"{hold}-{minute}", hold_id=hold, reason=reason)


def released(minute: float, hold: str) -> Fact:
    return fact("order_released", minute, id=f"{hold}-{minute}", hold_id=hold)


@pytest.mark.parametrize(
    ("facts", "due"),
    [
        ([held(60, "a"), released(120, "a")], DUE + 60),
        ([held(60, "a", "gift"), released(120, "a")], DUE),  # a reason that does not count
        ([held(60, "a", "GIFT, FRAUD"), released(120, "a")], DUE + 60),  # one of its reasons does
        ([held(60, "a", "GIFT")], DUE),
        ([held(60, "a", "FRAUD")], None),
        ([fact("address_invalid", 60)], None),
        ([fact("address_invalid", 60), fact("address_corrected", 120)], DUE + 60),
        ([fact("address_invalid", 60), fact("address_invalid", 90), fact("address_corrected", 120)], DUE + 60),
        ([fact("address_invalid", 60), fact("address_corrected", 120), fact("address_invalid", 150)], None),
        ([fact("address_invalid", 60), fact("address_corrected", 60)], DUE),
        ([fact("address_invalid", 60), fact("address_corrected", 120), held(90, "a"), released(150, "a")], DUE + 90),
        ([fact("inventory_shortage", 60)], DUE),  # not one that the rule names
        ([held(7 * HOUR + 30, "a"), released(8 * HOUR, "a")], DUE),  # after it was due
    ],
)
def test_pauses_are_those_that_the_rule_lets_count(facts: list[Fact], due: float | None) -> None:
    verdict = judged(express(), *facts, now=DAY)
    assert verdict.stages["order_fulfillment"].due_at == (None if due is None else at(due))


def test_hold_that_does_not_count_shows_all_the_same() -> None:
    assert judged(express(), held(60, "a", "GIFT"), now=DAY).held is True


def test_paused_clock_never_breaches_and_stays_at_risk_if_it_was() -> None:
    before, after = (clock(judged(express(), held(hour * HOUR, "a"), now=90 * DAY)) for hour in (2, 3.5))
    assert before == ("RUNNING", None, False, "", None)
    assert after == ("RUNNING", None, False, "LOW", None)


@pytest.mark.parametrize(
    ("facts", "merchant", "rule", "hours"),
    [
        ([express()], "north", "Express", 4),
        ([created()], "north", "Wms", 6),
        ([created()], "south", "", None),
        ([created(source="shop")], "south", "Shop", 8),
        ([created(source="shop"), created(source="wms", id="again")], "north", "Shop", 8),  # the first by rank
        ([created(5, source="wms"), created(0, source="shop")], "north", "Shop", 8),
        ([created(source="shop", carries={"tags": ["PREORDER"]})], "south", "Preorders", None),
        (
            [created(source="shop"), fact("order_updated", 9, carries={"shipping_service": "EXPRESS"})],
            "x",
            "Express",
            4,
        ),
        (
            [
                created(source="shop", carries={"shipping_service": "express"}),
                fact("order_updated", 9, carries={"shipping_service": ""}),
            ],
            "x",
            "Shop",
            8,
        ),
    ],
)
def test_first_rule_that_takes_the_order(facts: list[Fact], merchant: str, rule: str, hours: float | None) -> None:
    verdict = judged(*facts, now=60, merchant=merchant)
    assert verdict.rule == rule
    start = verdict.stages["order_fulfillment"].started_at
    due = verdict.stages["order_fulfillment"].due_at
    assert (due and start and (due - start).total_seconds() / 3600) == hours


def test_severity_is_raised_for_the_orders_that_the_policy_names() -> None:
    facts = [express(customer_tier="Gold"), fact("address_invalid", DUE + 90)]
    verdict = judged(*facts, now=DUE + 91)
    assert verdict.bearing == Bearing(1, 20, 0)
    assert verdict.stages["order_fulfillment"].severity == "CRITICAL"  # HIGH after an hour, one step up
    assert verdict.problems["ADDRESS_INVALID"].severity == "CRITICAL"
    assert {finding.bearing for finding in findings(verdict).values()} == {Bearing(1, 20, 0)}
    usual = judged(express(), *facts[1:], now=DUE + 91)
    assert (usual.stages["order_fulfillment"].severity, usual.problems["ADDRESS_INVALID"].severity) == ("HIGH", "HIGH")


def test_last_statement_of_each_thing_counts_whatever_the_order_of_arrival() -> None:
    facts = [
        fact(
            "order_created",
            0,
            carries={"carrier": "dhl", "warehouse": "LIS1", "tags": ["a"], "value_cents": 5, "currency": "EUR"},
        ),
        fact("order_updated", 9, carries={"carrier": "ups", "tags": []}),
        fact("order_packed", 5, carries={"carrier": "gls"}),
    ]
    for seed in range(6):
        random.Random(seed).shuffle(facts)
        carried = carried_of(facts)
        assert (carried.carrier, carried.warehouse, carried.tags, carried.value_cents) == ("ups", "LIS1", [], 5)
    assert carried_of([]) == NOTHING


def test_what_a_later_release_stores_is_no_trouble() -> None:
    assert carried_of([fact("order_created", 0, carries={"carrier": "dhl", "colour": "red"})]).carrier == "dhl"


def test_changing_the_policy_touches_no_order_that_began_under_another() -> None:
    draft = PolicyVersion(10, at(60), parse_policy({"order_fulfillment_hours": 1}))
    for facts in ([express()], [created(59)], [express(), held(10, "a")]):
        assert fold(facts, (*VERSIONS, draft), at(DAY)) == fold(facts, VERSIONS, at(DAY))
    assert fold([created(60)], (*VERSIONS, draft), at(DAY)).policy_id == 10


carried = st.fixed_dictionaries(
    {},
    optional={
        "shipping_service": st.sampled_from(["express", "std"]),
        "customer_tier": st.sampled_from(["gold", ""]),
        "tags": st.sampled_from([[], ["preorder"]]),
    },
)


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """The ones of the flat form, each of whose orders' facts may carry something; the first is express more often than not."""
    facts = draw(HISTORIES)
    said = [
        each._replace(detail={**(each.detail or {}), "carries": draw(carried)})
        if each.event_type in ("order_created", "order_updated")
        else each
        for each in facts
    ]
    return [express(draw(st.integers(-DAY, DAY)), customer_tier="gold"), *said] if draw(st.booleans()) else said


@settings(max_examples=200)
@given(facts=histories(), now=LOOKS, settle=SETTLE, seed=st.integers(min_value=0, max_value=2**32))
def test_any_order_and_any_duplicates_give_the_same_verdict(
    facts: list[Fact], now: int, settle: dict[str, int] | None, seed: int
) -> None:
    dice = random.Random(seed)
    shuffled = facts + dice.choices(facts, k=dice.randrange(5))
    dice.shuffle(shuffled)
    assert fold(shuffled, VERSIONS, at(now), settle=settle) == fold(facts, VERSIONS, at(now), settle=settle)


@settings(max_examples=300)
@given(facts=histories(), now=LOOKS, later=st.integers(min_value=0, max_value=9 * DAY * 60), settle=SETTLE)
def test_passing_time_over_a_stored_stage_equals_the_fold(
    facts: list[Fact], now: int, later: int, settle: dict[str, int] | None
) -> None:
    stored, then = fold(facts, VERSIONS, at(now), settle=settle), at(now + later / 60)
    after = fold(facts, VERSIONS, then, settle=settle)
    assert after.watches == stored.watches
    for name, stage in after.stages.items():
        assert pass_time(stored.stages[name], then, name, stored.watches.get(name, UNWATCHED)) == stage


@settings(max_examples=200)
@given(facts=histories(), now=LOOKS, settle=SETTLE)
def test_nothing_changes_before_the_instant_to_judge_and_something_does_after(
    facts: list[Fact], now: int, settle: dict[str, int] | None
) -> None:
    verdict = fold(facts, VERSIONS, at(now), settle=settle)
    for name, stage in verdict.stages.items():
        watch = verdict.watches.get(name, UNWATCHED)
        if stage.judge_at is None:
            assert pass_time(stage, at(900 * DAY), name, watch) == stage
            continue
        assert stage.judge_at >= at(now)
        assert pass_time(stage, at(now) + (stage.judge_at - at(now)) / 2, name, watch) == stage
        assert pass_time(stage, stage.judge_at + (at(1) - at(0)), name, watch) != stage


@settings(max_examples=200)
@given(facts=histories(), now=LOOKS)
def test_time_alone_takes_nothing_back_and_every_finding_makes_sense(facts: list[Fact], now: int) -> None:
    before, after = (fold(facts, VERSIONS, at(minute), settle=None) for minute in (now, now + 600))
    severities = ["", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
    for name, stage in before.stages.items():
        assert after.stages[name].breached >= stage.breached
        assert severities.index(after.stages[name].severity) >= severities.index(stage.severity)
        if stage.severity and not stage.breached:
            assert before.watches[name].at_risk_at is not None
    for finding in findings(before).values():
        assert (finding.verdict == "over") == (finding.ended_at is not None) == (finding.how is not None)
