"""The table of stages of CONTRACT 4, line by line: when each starts and ends, and in which state that leaves it."""

import pytest

from orders.sla import Fact
from orders.stages import STAGES
from tests.orders.sla_cast import DAY, HOUR, at, created, fact, judged, path, stage, started

NOW = 10
STARTS = [
    ("payment_processing", "order_created"),
    ("inventory_check", "payment_confirmed"),
    ("shipping_preparation", "inventory_allocated"),
    ("order_fulfillment", "order_created"),
    ("delivery", "order_created"),
]
OWN_ENDS = [
    ("payment_processing", "order_created", "payment_confirmed"),
    ("inventory_check", "payment_confirmed", "inventory_allocated"),
    ("shipping_preparation", "inventory_allocated", "order_packed"),
    ("order_fulfillment", "order_created", "order_fulfilled"),
    ("delivery", "order_created", "order_delivered"),
    ("delivery", "order_created", "order_returned"),
]
SHOWN_PAST = [
    ("inventory_check", "payment_confirmed", "order_packed"),
    ("inventory_check", "payment_confirmed", "order_fulfilled"),
    ("inventory_check", "payment_confirmed", "order_delivered"),
    ("shipping_preparation", "inventory_allocated", "order_fulfilled"),
    ("shipping_preparation", "inventory_allocated", "order_delivered"),
    ("order_fulfillment", "order_created", "order_delivered"),
]
NOT_SHOWN_PAST = [
    ("payment_processing", "order_created", "order_packed"),
    ("payment_processing", "order_created", "order_fulfilled"),
    ("payment_processing", "order_created", "order_delivered"),
    ("order_fulfillment", "order_created", "order_packed"),
    ("delivery", "order_created", "order_fulfilled"),
]


def test_the_reasons_are_those_of_the_contract() -> None:
    assert [(line.name, line.reason) for line in STAGES] == [
        ("payment_processing", "PAYMENT_DELAY"),
        ("inventory_check", "INVENTORY_DELAY"),
        ("shipping_preparation", "PREPARATION_DELAY"),
        ("order_fulfillment", "FULFILLMENT_DELAY"),
        ("delivery", "DELIVERY_DELAY"),
    ]


@pytest.mark.parametrize(("name", "starts"), STARTS)
def test_stage_runs_from_its_start(name: str, starts: str) -> None:
    assert started(name, fact(starts, 3), fact(starts, 5), now=NOW)[:3] == ("RUNNING", at(3), None)


@pytest.mark.parametrize(("name", "starts"), STARTS)
def test_stage_without_start_or_end_is_pending_and_absent(name: str, starts: str) -> None:
    assert stage(name, fact("address_invalid", 3), now=NOW) is None


@pytest.mark.parametrize(("name", "starts", "end"), OWN_ENDS)
def test_own_end_completes(name: str, starts: str, end: str) -> None:
    verdict = started(name, fact(starts, 1), fact(end, 9), fact(end, 4), now=NOW)
    assert verdict[:3] == ("COMPLETED", at(1), at(4))


@pytest.mark.parametrize(("name", "starts", "end"), OWN_ENDS)
def test_end_before_the_start_counts_as_the_start(name: str, starts: str, end: str) -> None:
    assert started(name, fact(starts, 5), fact(end, 2), now=NOW)[:3] == ("COMPLETED", at(5), at(5))


@pytest.mark.parametrize(("name", "starts", "end"), OWN_ENDS)
def test_end_without_start_skips(name: str, starts: str, end: str) -> None:
    assert started(name, fact(end, 4), now=NOW)[:5] == ("SKIPPED", None, at(4), None, False)


@pytest.mark.parametrize(("name", "starts", "past"), SHOWN_PAST)
def test_what_shows_it_past_completes(name: str, starts: str, past: str) -> None:
    assert started(name, fact(starts, 1), fact(past, 4), now=NOW)[:3] == ("COMPLETED", at(1), at(4))


@pytest.mark.parametrize(("name", "starts", "past"), SHOWN_PAST)
def test_what_shows_it_past_at_the_very_start_completes(name: str, starts: str, past: str) -> None:
    assert started(name, fact(starts, 4), fact(past, 4), now=NOW)[:3] == ("COMPLETED", at(4), at(4))


@pytest.mark.parametrize(("name", "starts", "past"), SHOWN_PAST)
def test_what_shows_it_past_before_its_start_skips(name: str, starts: str, past: str) -> None:
    assert started(name, fact(starts, 5), fact(past, 4), now=40 * DAY)[:5] == ("SKIPPED", None, at(4), None, False)


@pytest.mark.parametrize(("name", "starts", "past"), SHOWN_PAST)
def test_what_shows_it_past_without_a_start_skips(name: str, starts: str, past: str) -> None:
    assert started(name, fact(past, 4), now=40 * DAY)[:5] == ("SKIPPED", None, at(4), None, False)


@pytest.mark.parametrize(("name", "starts", "past"), NOT_SHOWN_PAST)
def test_what_does_not_show_it_past_leaves_it_running(name: str, starts: str, past: str) -> None:
    assert started(name, fact(starts, 1), fact(past, 4), now=NOW).state == "RUNNING"


def test_own_end_outranks_an_earlier_event_that_shows_it_past() -> None:
    facts = path(("payment_confirmed", 1), ("order_packed", 3), ("inventory_allocated", 6))
    assert started("inventory_check", *facts, now=NOW)[:3] == ("COMPLETED", at(1), at(6))


def test_delivery_before_the_order_does_not_hide_a_late_shipping() -> None:
    facts = path(("order_delivered", -150 * DAY), ("order_created", 0), ("order_fulfilled", 26 * HOUR))
    verdict = started("order_fulfillment", *facts, now=30 * HOUR)
    assert verdict[:5] == ("COMPLETED", at(0), at(26 * HOUR), at(24 * HOUR), True)


def test_earliest_of_several_that_show_it_past_ends_it() -> None:
    facts = path(("inventory_allocated", 1), ("order_delivered", 9), ("order_fulfilled", 5))
    assert started("shipping_preparation", *facts, now=NOW).ended_at == at(5)


def test_paid_before_created_takes_no_time() -> None:
    facts = path(("payment_confirmed", 0), ("order_created", 2))
    assert started("payment_processing", *facts, now=NOW)[:3] == ("COMPLETED", at(2), at(2))
    assert started("inventory_check", *facts, now=NOW)[:2] == ("RUNNING", at(0))


def test_shipped_then_paid_skips_the_stock_check_and_times_the_payment() -> None:
    facts = path(("order_created", 0), ("order_fulfilled", 20), ("payment_confirmed", 45))
    verdict = judged(*facts, now=60)
    assert verdict.stages["inventory_check"][:3] == ("SKIPPED", None, at(20))
    assert verdict.stages["payment_processing"][:5] == ("COMPLETED", at(0), at(45), at(30), True)


def test_unknown_type_changes_nothing_but_the_beginning() -> None:
    assert judged(created(5), fact("gift_wrapped", 6), now=NOW) == judged(created(5), now=NOW)
    assert judged(fact("gift_wrapped", 6), now=NOW).began_at == at(6)


def test_order_begins_with_its_creation_else_with_its_earliest_event() -> None:
    assert judged(fact("payment_confirmed", -5), created(2), now=NOW).began_at == at(2)
    assert judged(fact("payment_confirmed", -5), fact("order_packed", 2), now=NOW).began_at == at(-5)


def test_order_without_facts_has_no_verdict_worth_a_row() -> None:
    verdict = judged(now=NOW)
    assert (verdict.status, verdict.began_at, verdict.stages, verdict.problems) == ("CREATED", None, {}, {})


@pytest.mark.parametrize(("name", "starts"), [line for line in STARTS if line[1] != "order_created"])
def test_cancelling_ends_what_is_pending_without_a_due_time(name: str, starts: str) -> None:
    verdict = started(name, created(), fact("order_cancelled", 5), now=40 * DAY)
    assert verdict[:5] == ("CANCELLED", None, at(5), None, False)


@pytest.mark.parametrize(("name", "starts"), STARTS)
def test_cancelling_ends_what_runs(name: str, starts: str) -> None:
    verdict = started(name, fact(starts, 1), fact("order_cancelled", 5), now=40 * DAY)
    assert verdict[:3] == ("CANCELLED", at(1), at(5))


@pytest.mark.parametrize(("name", "starts"), STARTS)
def test_nothing_starts_after_the_cancelling(name: str, starts: str) -> None:
    verdict = started(name, fact("order_cancelled", 5), fact(starts, 6), now=40 * DAY)
    assert verdict[:5] == ("CANCELLED", None, at(5), None, False)


@pytest.mark.parametrize(("name", "starts", "end"), OWN_ENDS)
def test_what_ended_by_the_cancelling_stays_completed(name: str, starts: str, end: str) -> None:
    verdict = started(name, fact(starts, 1), fact(end, 5), fact("order_cancelled", 5), now=NOW)
    assert verdict[:3] == ("COMPLETED", at(1), at(5))


@pytest.mark.parametrize(("name", "starts", "end"), OWN_ENDS)
def test_end_after_the_cancelling_leaves_it_cancelled(name: str, starts: str, end: str) -> None:
    verdict = started(name, fact(starts, 1), fact("order_cancelled", 5), fact(end, 7), now=NOW)
    assert verdict[:3] == ("CANCELLED", at(1), at(5))


@pytest.mark.parametrize(("name", "starts"), STARTS)
def test_what_starts_at_the_cancelling_did_start(name: str, starts: str) -> None:
    verdict = started(name, fact(starts, 5), fact("order_cancelled", 5), now=40 * DAY)
    assert verdict[:3] == ("CANCELLED", at(5), at(5))


@pytest.mark.parametrize("end", ["inventory_allocated", "order_packed", "order_delivered"])
@pytest.mark.parametrize(("minute", "state"), [(4, "SKIPPED"), (5, "SKIPPED"), (6, "CANCELLED")])
def test_what_was_past_by_the_cancelling_never_started_else_it_was_cancelled(
    end: str, minute: float, state: str
) -> None:
    verdict = started("inventory_check", fact(end, minute), fact("order_cancelled", 5), now=NOW)
    assert verdict[:3] == (state, None, at(min(minute, 5)))


def test_what_was_past_by_the_cancelling_without_a_start_stays_skipped() -> None:
    facts = path(("order_packed", 3), ("order_cancelled", 5))
    assert started("inventory_check", *facts, now=NOW)[:3] == ("SKIPPED", None, at(3))


def test_cancelled_then_paid_starts_no_stock_check() -> None:
    facts = path(("order_created", 0), ("order_cancelled", 5), ("payment_confirmed", 8))
    verdict = judged(*facts, now=2 * DAY)
    assert verdict.stages["payment_processing"][:5] == ("CANCELLED", at(0), at(5), at(30), False)
    assert verdict.stages["inventory_check"][:3] == ("CANCELLED", None, at(5))


def test_earliest_cancelling_counts() -> None:
    facts = path(("order_created", 0), ("order_cancelled", 9), ("order_cancelled", 4))
    assert started("delivery", *facts, now=NOW).ended_at == at(4)


@pytest.mark.parametrize(
    ("refund", "shipping", "status"),
    [
        (fact("order_refunded", 5, full=True), [], "CANCELLED"),
        (fact("order_refunded", 5, full=True), [("order_fulfilled", 6)], "CANCELLED"),
        (fact("order_refunded", 6, full=True), [("order_fulfilled", 6)], "FULFILLED"),
        (fact("order_refunded", 7, full=True), [("order_fulfilled", 6)], "FULFILLED"),
        (fact("order_refunded", 7, full=True), [("order_delivered", 6)], "DELIVERED"),
        (fact("order_refunded", 5), [], "CREATED"),
    ],
)
def test_full_refund_before_the_shipping_cancels(refund: Fact, shipping: list[tuple[str, float]], status: str) -> None:
    verdict = judged(created(), fact("address_invalid", 1), refund, *path(*shipping), now=NOW)
    assert verdict.status == status
    assert (verdict.problems["ADDRESS_INVALID"].how == "cancelled") == (status == "CANCELLED")


def test_refund_after_a_delivery_whose_shipping_nobody_reported_cancels_nothing() -> None:
    facts = [created(), fact("order_delivered", 6), fact("order_refunded", 7, full=True)]
    assert started("payment_processing", *facts, now=NOW).state == "RUNNING"


def test_earlier_of_refund_and_cancelling_counts() -> None:
    facts = [created(), fact("order_cancelled", 8), fact("order_refunded", 5, full=True)]
    assert started("delivery", *facts, now=NOW).ended_at == at(5)


def test_late_refund_does_not_hide_an_earlier_full_one() -> None:
    refunds = [fact("order_refunded", 4, full=True), fact("order_refunded", 20, full=True)]
    assert started("order_fulfillment", created(), *refunds, fact("order_fulfilled", 9), now=30).ended_at == at(4)
