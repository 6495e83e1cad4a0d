"""Whole histories and what the rules make of them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exceptions.analyst.case import Today
from exceptions.analyst.permits import permitted_actions
from exceptions.analyst.rules import judge_case
from exceptions.analyst.words import Action, Blame, Label
from exceptions.playbooks.catalogue import ACTION_KINDS
from tests.exceptions.analyst.cast import PROMISED, Step, case, paid, ready, shipped

HELD = {"hold_id": "h1"}
TABLE: list[tuple[str, str, float, list[Step], Label]] = [
    ("never paid", "PAYMENT_DELAY", 0.6, [(0, "order_created")], Label.PAYMENT_ISSUE),
    ("declined", "PAYMENT_FAILED", 0.2, [(0, "order_created"), (0.1, "payment_failed")], Label.PAYMENT_ISSUE),
    ("paid too late", "PAYMENT_DELAY", 3, [(0, "order_created"), (2, "payment_confirmed")], Label.PAYMENT_ISSUE),
    (
        "goods went out, payment never told",
        "PAYMENT_DELAY",
        9,
        [(0, "order_created"), (1, "order_packed"), (2, "order_fulfilled")],
        Label.SOURCE_TROUBLE,
    ),
    (
        "the shop says in passing that it is paid",
        "PAYMENT_DELAY",
        1,
        [(0, "order_created"), (0.2, "order_updated", {"financial_status": "paid"})],
        Label.SOURCE_TROUBLE,
    ),
    ("no stock set aside", "INVENTORY_DELAY", 1, paid(), Label.INVENTORY_SHORTAGE),
    ("shortage told", "INVENTORY_SHORTAGE", 1, paid((0.5, "inventory_shortage")), Label.INVENTORY_SHORTAGE),
    ("nobody packs", "PREPARATION_DELAY", 5, ready(), Label.DELAYED_FULFILLMENT),
    ("packed after the target", "PREPARATION_DELAY", 9, ready((7, "order_packed")), Label.DELAYED_FULFILLMENT),
    ("packed, never handed over", "FULFILLMENT_DELAY", 25, ready((2, "order_packed")), Label.DELAYED_FULFILLMENT),
    ("unpaid for a day", "FULFILLMENT_DELAY", 25, [(0, "order_created")], Label.PAYMENT_ISSUE),
    ("no stock for a day", "FULFILLMENT_DELAY", 25, paid(), Label.INVENTORY_SHORTAGE),
    (
        "the money took most of the time",
        "FULFILLMENT_DELAY",
        30,
        [
            (0, "order_created"),
            (20, "payment_confirmed"),
            (20.1, "inventory_allocated"),
            (25, "order_packed"),
            (26, "order_fulfilled"),
        ],
        Label.PAYMENT_ISSUE,
    ),
    ("the address is wrong", "ADDRESS_INVALID", 1, ready((0.5, "address_invalid")), Label.ADDRESS_VALIDATION),
    (
        "held for its address until the promise passed",
        "DELIVERY_DELAY",
        49,
        ready((1, "address_invalid"), (1, "order_held", HELD | {"reason": "INCORRECT_ADDRESS"})),
        Label.ADDRESS_VALIDATION,
    ),
    (
        "held for fraud until the promise passed",
        "DELIVERY_DELAY",
        49,
        ready((1, "order_held", HELD | {"reason": "HIGH_RISK_OF_FRAUD"})),
        Label.FRAUD_REVIEW,
    ),
    (
        "held by somebody until the promise passed",
        "DELIVERY_DELAY",
        49,
        ready((1, "order_held", HELD | {"reason": "OTHER"})),
        Label.ORDER_HELD,
    ),
    ("told as delayed", "SHIPPING_DELAY", 20, shipped((9, "shipment_delayed")), Label.SHIPPING_DELAY),
    ("stalled on the road", "DELIVERY_DELAY", 49, shipped((6, "shipment_in_transit")), Label.SHIPPING_DELAY),
    ("never scanned", "DELIVERY_DELAY", 49, shipped(), Label.SHIPPING_DELAY),
    ("silent for nine days", "DELIVERY_DELAY", 222, shipped((6, "shipment_in_transit")), Label.CARRIER_LOST),
    (
        "told as lost",
        "DELIVERY_FAILED",
        60,
        shipped((50, "delivery_failed", {"reason": "parcel lost"})),
        Label.CARRIER_LOST,
    ),
    ("one failed attempt", "DELIVERY_FAILED", 40, shipped((30, "delivery_failed")), Label.SHIPPING_DELAY),
    (
        "nobody at home",
        "DELIVERY_FAILED",
        40,
        shipped((30, "delivery_attempted"), (31, "delivery_failed", {"reason": "recipient not home"})),
        Label.CUSTOMER_UNAVAILABLE,
    ),
    (
        "the carrier names the address",
        "DELIVERY_FAILED",
        40,
        shipped((30, "delivery_failed", {"reason": "insufficient address"})),
        Label.ADDRESS_VALIDATION,
    ),
    (
        "storm",
        "SHIPPING_DELAY",
        20,
        shipped((9, "shipment_delayed", {"reason": "weather delay"})),
        Label.WEATHER,
    ),
    (
        "customs",
        "SHIPPING_DELAY",
        20,
        shipped((9, "shipment_delayed", {"reason": "held at customs"})),
        Label.CUSTOMS_HOLD,
    ),
    (
        "the warehouse took what the road lacked",
        "DELIVERY_DELAY",
        50,
        ready((40, "order_packed"), (41, "order_fulfilled"), (42, "shipment_in_transit")),
        Label.DELAYED_FULFILLMENT,
    ),
    (
        "the road took it",
        "DELIVERY_DELAY",
        90,
        shipped((9, "shipment_in_transit"), (80, "order_delivered")),
        Label.SHIPPING_DELAY,
    ),
    ("the source fell silent", "SOURCE_SILENT", 1, [(0, "source_silent")], Label.SOURCE_TROUBLE),
]


@pytest.mark.parametrize(("reason", "at", "steps", "label"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_history_tells_the_cause(reason: str, at: float, steps: list[Step], label: Label) -> None:
    known = case(reason, steps, at=at)
    judged = judge_case(known)
    assert judged.label == label, judged
    assert 0.5 < judged.confidence <= 0.97
    assert judged.evidence and {one.event_id for one in judged.evidence} <= set(known.event_ids().values())
    assert judged.root_cause and judged.ops_note.startswith(judged.root_cause)
    assert judged.action in permitted_actions(known, judged.plausible)


def test_it_is_no_lookup_by_reason() -> None:
    """The same reason, four causes."""
    labels = {row[4] for row in TABLE if row[1] == "DELIVERY_DELAY"}
    assert len(labels) >= 4


def test_two_good_explanations_make_each_other_unsure() -> None:
    alone = judge_case(case("DELIVERY_FAILED", shipped((30, "delivery_failed")), at=40))
    rivals = judge_case(
        case(
            "DELIVERY_FAILED",
            shipped((28, "delivery_attempted"), (29, "delivery_attempted"), (30, "delivery_failed")),
            at=40,
        )
    )
    assert rivals.confidence < 0.7 < alone.confidence


def test_missing_report_of_a_step_that_nobody_reports_blames_no_stock() -> None:
    known = case("FULFILLMENT_DELAY", paid(), at=25, today=Today(reported=frozenset({"payment_confirmed"})))
    assert judge_case(known).label == Label.DELAYED_FULFILLMENT


def test_others_in_the_same_lane_make_it_surer_and_are_named() -> None:
    crowd = Today(alike={("warehouse", "Zona Franca", Label.DELAYED_FULFILLMENT): 9})
    alone, among = (judge_case(case("PREPARATION_DELAY", ready(), at=5, today=today)) for today in (None, crowd))
    assert among.confidence > alone.confidence
    assert "9 other orders of Zona Franca are in the same trouble today." in among.root_cause


def test_silent_source_casts_doubt_on_what_is_missed() -> None:
    known = case("INVENTORY_DELAY", paid(), at=1, today=Today(silent=frozenset({"wms"})))
    judged = judge_case(known)
    assert judged.confidence < 0.6
    assert {Label.SOURCE_TROUBLE, Label.INVENTORY_SHORTAGE} <= judged.plausible.keys()


def test_what_repeats_is_counted() -> None:
    failed = [(0.1 * n, "payment_failed", {"error_code": "card_declined"}) for n in (1, 2, 3)]
    judged = judge_case(case("PAYMENT_FAILED", [(0, "order_created"), *failed], at=1))
    assert judged.root_cause.startswith("The payment failed 3 times (card_declined) and has not come since.")
    assert [one.event_id for one in judged.evidence] == ["evt-2", "evt-3", "evt-4"]


def test_events_after_the_end_of_an_exception_change_nothing() -> None:
    until = [(0, "order_created"), (0.1, "payment_failed"), (1, "payment_confirmed")]
    later = [*until, (1.1, "inventory_allocated"), (2, "order_packed"), (3, "order_fulfilled"), (9, "shipment_delayed")]
    judged = [judge_case(case("PAYMENT_FAILED", steps, at=20)) for steps in (until, later)]
    assert judged[0] == judged[1]


def test_retracted_event_is_no_evidence() -> None:
    wrong = ready((0.5, "address_invalid"))
    taken_back = [*wrong, (0.6, "event_retracted", {"event_id": "evt-4"})]
    judged = [judge_case(case("PREPARATION_DELAY", steps, at=5)) for steps in (wrong, taken_back)]
    assert [one.label for one in judged] == [Label.ADDRESS_VALIDATION, Label.DELAYED_FULFILLMENT]
    assert "evt-4" not in {one.event_id for one in judged[1].evidence}


@pytest.mark.parametrize(
    ("reason", "at", "steps", "forbidden"),
    [
        ("PAYMENT_DELAY", 0.6, [(0, "order_created")], {Action.SHOPIFY_CANCEL, Action.SHOPIFY_REFUND}),
        ("SHIPPING_DELAY", 20, shipped((9, "shipment_delayed")), {Action.SHOPIFY_CANCEL, Action.SHOPIFY_HOLD}),
        ("INVENTORY_SHORTAGE", 1, paid((0.5, "inventory_shortage")), {Action.SHOPIFY_REFUND, Action.RELEASE}),
    ],
)
def test_what_cannot_be_undone_needs_time_and_goods_that_stand_still(
    reason: str, at: float, steps: list[Step], forbidden: set[Action]
) -> None:
    assert permitted_actions(case(reason, steps, at=at), list(Label)).isdisjoint(forbidden)


def test_hopeless_unpaid_order_may_be_cancelled_but_the_rules_do_not_ask_for_it() -> None:
    known = case("PAYMENT_DELAY", [(0, "order_created")], at=72)
    assert Action.SHOPIFY_CANCEL in permitted_actions(known, [Label.PAYMENT_ISSUE])
    assert judge_case(known).action == Action.EMAIL_CUSTOMER


def test_hold_whose_cause_is_mended_is_to_be_released() -> None:
    steps = ready(
        (1, "order_held", HELD | {"reason": "INCORRECT_ADDRESS"}), (1, "address_invalid"), (30, "address_corrected")
    )
    judged = judge_case(case("DELIVERY_DELAY", steps, at=49))
    assert judged.action == Action.RELEASE


def test_over_leaves_nothing_to_do() -> None:
    judged = judge_case(case("PREPARATION_DELAY", ready((7, "order_packed")), at=9))
    assert judged.action == Action.NONE and judged.blame == Blame.WAREHOUSE


def test_actions_are_those_of_the_playbooks() -> None:
    assert set(Action.values) == {*ACTION_KINDS, "none"}
    assert {kind: ACTION_KINDS[kind].title for kind in ACTION_KINDS} == {
        one.value: one.label for one in Action if one != Action.NONE
    }


KINDS = [
    "order_created", "payment_confirmed", "payment_failed", "inventory_allocated", "inventory_shortage", "order_packed",
    "order_fulfilled", "shipment_in_transit", "shipment_delayed", "delivery_failed", "order_delivered", "order_held",
    "order_released", "address_invalid", "address_corrected", "order_cancelled", "anything",
]  # fmt: skip


@given(st.lists(st.tuples(st.floats(0, 300), st.sampled_from(KINDS)), max_size=14), st.floats(1, 400))
def test_any_history_gets_an_honest_answer(steps: list[tuple[float, str]], at: float) -> None:
    """Whatever happened, every exception gets a label of the list, evidence that exists and an action that is permitted."""
    told: list[Step] = [(0, "order_created", PROMISED), *steps]
    for reason in ("PAYMENT_DELAY", "FULFILLMENT_DELAY", "DELIVERY_DELAY", "PAYMENT_FAILED", "DELIVERY_FAILED"):
        try:
            known = case(reason, told, at=at)
        except KeyError:
            continue
        judged = judge_case(known)
        assert judged.label in Label and 0 < judged.confidence <= 0.97
        assert {one.event_id for one in judged.evidence} <= set(known.event_ids().values()) and judged.evidence
        assert judged.action in permitted_actions(known, list(Label))
        assert abs(sum(judged.plausible.values()) - 1) < 1e-9
        assert known.until - known.began_at >= timedelta(0)
