"""Problems that events name, their cures, runs and ties (CONTRACT 4)."""

import json
from datetime import timedelta, timezone

import pytest

from orders.problems import PROBLEMS
from orders.sla import Fact, ProblemVerdict, problems_from_json, problems_to_json
from tests.orders.sla_cast import at, created, fact, judged

NOW = 60
TABLE = {
    "payment_failed": ("PAYMENT_FAILED", "HIGH", ["payment_confirmed"]),
    "inventory_shortage": (
        "INVENTORY_SHORTAGE",
        "HIGH",
        ["inventory_allocated", "order_packed", "order_fulfilled", "order_delivered"],
    ),
    "shipment_delayed": ("SHIPPING_DELAY", "MEDIUM", ["shipment_in_transit", "order_delivered"]),
    "delivery_failed": ("DELIVERY_FAILED", "HIGH", ["order_delivered", "order_returned"]),
    "address_invalid": ("ADDRESS_INVALID", "MEDIUM", ["address_corrected", "order_delivered"]),
    "source_silent": ("SOURCE_SILENT", "HIGH", ["source_heard"]),
    "order_numbers_missing": ("ORDERS_MISSING", "HIGH", ["order_numbers_complete"]),
}
CURES = [(problem, cure) for problem, (_, _, cures) in TABLE.items() for cure in cures]
TYPES = sorted({cure for _, cure in CURES} | {"order_updated", "delivery_attempted", "order_refunded"})
NO_CURES = [(problem, kind) for problem, (_, _, cures) in TABLE.items() for kind in TYPES if kind not in cures]


def failed(minute: float) -> Fact:
    return fact("payment_failed", minute)


def paid(minute: float) -> Fact:
    return fact("payment_confirmed", minute)


def problem(*facts: Fact, reason: str = "PAYMENT_FAILED") -> ProblemVerdict:
    return judged(created(), *facts, now=NOW).problems[reason]


def test_the_table_is_that_of_the_contract() -> None:
    assert {line.event_type: (line.reason, line.severity, list(line.cures)) for line in PROBLEMS} == TABLE


@pytest.mark.parametrize("kind", TABLE)
def test_problem_is_active_from_its_first_mention(kind: str) -> None:
    reason, severity, _ = TABLE[kind]
    verdict = problem(fact(kind, 9), fact(kind, 5), reason=reason)
    assert verdict == ("active", at(5), None, None, severity, "first")


@pytest.mark.parametrize(("kind", "cure"), CURES)
def test_cure_after_the_problem_ends_it(kind: str, cure: str) -> None:
    reason, severity, _ = TABLE[kind]
    verdict = problem(fact(kind, 5), fact(cure, 12), fact(cure, 8), reason=reason)
    assert verdict == ("over", at(5), at(8), "cured", severity, "first")


@pytest.mark.parametrize(("kind", "cure"), CURES)
def test_cure_at_the_same_instant_cures(kind: str, cure: str) -> None:
    verdict = problem(fact(kind, 5), fact(cure, 5), reason=TABLE[kind][0])
    assert verdict[:4] == ("over", at(5), at(5), "cured")


@pytest.mark.parametrize(("kind", "cure"), CURES)
def test_cure_before_the_problem_leaves_it_active(kind: str, cure: str) -> None:
    verdict = problem(fact(cure, 4), fact(kind, 5), reason=TABLE[kind][0])
    assert verdict[:4] == ("active", at(5), None, None)
    assert verdict.occurrence_key == at(4).isoformat()


@pytest.mark.parametrize(("kind", "other"), NO_CURES)
def test_what_is_no_cure_of_it_leaves_it_active(kind: str, other: str) -> None:
    verdict = problem(fact(kind, 5), fact(other, 8), reason=TABLE[kind][0])
    assert (verdict.verdict, verdict.occurrence_key) == ("active", "first")


RUNS = [
    pytest.param([failed(5), paid(8), failed(9)], ("active", 9, None, 8), id="named anew after a cure"),
    pytest.param([failed(5), paid(8), failed(9), failed(12)], ("active", 9, None, 8), id="the new run's first"),
    pytest.param([failed(5), paid(8), failed(9), paid(12)], ("over", 9, 12, 8), id="the new run cured too"),
    pytest.param([failed(5), failed(7), paid(8), paid(12)], ("over", 5, 8, None), id="the first cure ends it"),
    pytest.param([paid(3), paid(4), failed(5)], ("active", 5, None, 4), id="the last cure before it is its key"),
    pytest.param(
        [failed(5), paid(5), failed(9)], ("active", 9, None, 5), id="a problem tied with a cure is of the run before"
    ),
    pytest.param(
        [failed(5), paid(9), failed(9)], ("over", 5, 9, None), id="a tied cure belongs to the run that it ends"
    ),
    pytest.param([failed(5), paid(6), failed(7), paid(8), failed(9), paid(10)], ("over", 9, 10, 8), id="three runs"),
]


@pytest.mark.parametrize(("facts", "expected"), RUNS)
def test_the_verdict_is_on_the_last_run(
    facts: list[Fact], expected: tuple[str, float, float | None, float | None]
) -> None:
    word, opened, ended, key = expected
    verdict = problem(*facts)
    assert verdict[:3] == (word, at(opened), None if ended is None else at(ended))
    assert verdict.occurrence_key == ("first" if key is None else at(key).isoformat())


def test_cancelling_ends_what_is_active() -> None:
    assert problem(failed(5), fact("order_cancelled", 7))[:4] == ("over", at(5), at(7), "cancelled")


@pytest.mark.parametrize(("cure", "ended", "how"), [(6, 6, "cured"), (7, 7, "cured"), (8, 7, "cancelled")])
def test_what_comes_first_of_cure_and_cancelling_ends_it(cure: float, ended: float, how: str) -> None:
    assert problem(failed(5), paid(cure), fact("order_cancelled", 7))[2:4] == (at(ended), how)


def test_problem_named_at_the_cancelling_was_one() -> None:
    assert problem(failed(7), fact("order_cancelled", 7))[:4] == ("over", at(7), at(7), "cancelled")


def test_problems_named_after_the_cancelling_are_none() -> None:
    assert judged(created(), fact("order_cancelled", 7), failed(8), now=NOW).problems == {}
    assert problem(failed(5), fact("order_cancelled", 7), failed(8))[:3] == ("over", at(5), at(7))


def test_full_refund_before_the_shipping_ends_it_as_cancelled() -> None:
    assert problem(failed(5), fact("order_refunded", 6, full=True))[2:4] == (at(6), "cancelled")


def test_one_parcel_delivered_cures_though_the_order_is_not_delivered() -> None:
    parcels = [fact("order_fulfilled", 5, id=name, shipment=name) for name in ("p1", "p2")]
    facts = [*parcels, fact("shipment_delayed", 20), fact("order_delivered", 30, shipment="p1")]
    assert problem(*facts, reason="SHIPPING_DELAY")[:4] == ("over", at(20), at(30), "cured")


def test_each_reason_is_judged_by_itself() -> None:
    problems = judged(failed(5), fact("address_invalid", 6), paid(7), now=NOW).problems
    assert {reason: verdict.verdict for reason, verdict in problems.items()} == {
        "PAYMENT_FAILED": "over",
        "ADDRESS_INVALID": "active",
    }


def test_problems_survive_their_way_through_json() -> None:
    facts = [failed(5), paid(8), fact("delivery_failed", 20), fact("address_invalid", 3), fact("order_cancelled", 30)]
    problems = judged(created(), *facts, now=NOW).problems
    assert {verdict.how for verdict in problems.values()} == {"cured", "cancelled"}
    assert problems_from_json(json.loads(json.dumps(problems_to_json(problems)))) == problems
    assert (
        problems_from_json(problems_to_json(judged(failed(5), now=NOW).problems)) == judged(failed(5), now=NOW).problems
    )
    assert (problems_to_json({}), problems_from_json({})) == ({}, {})


def test_json_and_occurrence_key_are_the_same_whatever_zone_a_time_was_read_in() -> None:
    facts = [created(), paid(4), failed(5)]
    elsewhere = [
        each._replace(effective_at=each.effective_at.astimezone(timezone(timedelta(hours=5.5)))) for each in facts
    ]
    here = judged(*facts, now=NOW).problems
    assert problems_to_json(judged(*elsewhere, now=NOW).problems) == problems_to_json(here)
