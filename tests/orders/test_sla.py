"""The whole verdict: status, parcels, retractions, contradictions; and what the exceptions hear of it (CONTRACT 4)."""

import pytest

from orders.ports import Finding
from orders.sla import REASONS, Fact, changes, finding_of_stage, findings
from tests.orders.sla_cast import DAY, at, created, fact, judged, path, stage, started

NOW = 60
LADDER = [
    ("order_created", "CREATED"),
    ("payment_confirmed", "PAID"),
    ("inventory_allocated", "ALLOCATED"),
    ("order_packed", "PACKED"),
    ("order_fulfilled", "FULFILLED"),
    ("order_delivered", "DELIVERED"),
    ("order_returned", "RETURNED"),
]


@pytest.mark.parametrize("rung", range(len(LADDER)))
def test_status_is_the_furthest_reached(rung: int) -> None:
    steps = [(kind, 50 - minute) for minute, (kind, _) in enumerate(LADDER[: rung + 1])]
    assert judged(*path(*steps), now=NOW).status == LADDER[rung][1]
    assert judged(fact(LADDER[rung][0], 5), now=NOW).status == LADDER[rung][1]


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        (["order_cancelled"], "CANCELLED"),
        (["order_cancelled", "order_fulfilled"], "CANCELLED"),
        (["order_fulfilled", "order_cancelled"], "CANCELLED"),
        (["order_cancelled", "order_returned"], "CANCELLED"),
        (["order_cancelled", "order_delivered"], "DELIVERED"),
        (["order_delivered", "order_cancelled"], "DELIVERED"),
        (["order_cancelled", "order_delivered", "order_returned"], "RETURNED"),
        (["address_invalid", "shipment_delayed"], "CREATED"),
    ],
)
def test_cancelling_outranks_all_but_a_delivery(kinds: list[str], status: str) -> None:
    assert judged(created(), *path(*[(kind, 5 + i) for i, kind in enumerate(kinds)]), now=NOW).status == status


@pytest.mark.parametrize(("delivered", "flag"), [(6, "Delivered after it was cancelled."), (5, ""), (4, "")])
def test_delivery_after_a_cancelling_is_flagged(delivered: float, flag: str) -> None:
    facts = [created(), fact("order_cancelled", 5), fact("order_delivered", delivered)]
    assert judged(*facts, now=NOW).contradiction == flag


def test_one_parcel_that_arrives_after_the_cancelling_is_flagged() -> None:
    parcels = [fact("order_fulfilled", 3, id=name, shipment=name) for name in ("p1", "p2")]
    facts = [created(), *parcels, fact("order_cancelled", 5), fact("order_delivered", 9, shipment="p1")]
    assert judged(*facts, now=NOW).contradiction == "Delivered after it was cancelled."


def shipped(minute: float, shipment: str = "", *numbers: str) -> Fact:
    return fact("order_fulfilled", minute, shipment=shipment, **({"numbers": list(numbers)} if numbers else {}))


def arrived(minute: float, shipment: str = "") -> Fact:
    return fact("order_delivered", minute, shipment=shipment)


PARCELS = [
    pytest.param([shipped(5)], 5, None, id="one event for all"),
    pytest.param([shipped(5, "a"), shipped(9, "b")], 9, None, id="fulfilled with the last parcel"),
    pytest.param([shipped(5, "a"), shipped(9, "b"), shipped(12, "b")], 9, None, id="a parcel's first counts"),
    pytest.param([shipped(5, "a"), shipped(9, "b"), shipped(7)], 7, None, id="the whole order's word counts"),
    pytest.param([shipped(5, "a"), shipped(9, "b"), arrived(20, "a")], 9, None, id="one of two arrived"),
    pytest.param([shipped(5, "a"), shipped(9, "b"), arrived(20, "a"), arrived(30, "b")], 9, 30, id="both arrived"),
    pytest.param([shipped(5, "a"), arrived(20, "a"), arrived(30, "b")], 5, 30, id="a parcel known by its arrival only"),
    pytest.param([shipped(5, "a"), shipped(9, "b"), arrived(20)], 9, 20, id="the whole order arrived"),
    pytest.param([shipped(5), arrived(20, "a"), arrived(25, "b")], 5, 25, id="fulfilled as one, arrived in parcels"),
    pytest.param([shipped(5, "a"), shipped(6), arrived(20, "b")], 6, None, id="a named parcel is awaited all the same"),
    pytest.param(
        [shipped(5, "f1", "T1"), shipped(6, "T1", "T1"), arrived(20, "f1")],
        5,
        20,
        id="one parcel that two sources name",
    ),
    pytest.param([shipped(5, "f1", "T1"), arrived(20, "T1")], 5, 20, id="arrived by its tracking number"),
    pytest.param(
        [shipped(5, "f1", "T1"), shipped(6, "s1", "T1"), shipped(9, "f2", "T2"), arrived(20, "s1")],
        9,
        None,
        id="two sources, and one of two parcels arrived",
    ),
    pytest.param(
        [
            *(shipped(5, "f1", "T1"), shipped(6, "s1", "T1"), shipped(9, "f2", "T2"), shipped(8, "s2", "T2")),
            *(arrived(20, "s1"), arrived(30, "f2"), arrived(40, "s2")),
        ],
        8,
        30,
        id="two sources, and both parcels arrived",
    ),
    pytest.param(
        [shipped(5, "f1", "T1"), shipped(6, "f2", "T2"), shipped(7, "s", "T1", "T2"), arrived(20, "f2")],
        5,
        20,
        id="a shipment of two labels joins what it holds",
    ),
]


@pytest.mark.parametrize(("facts", "fulfilled", "delivered"), PARCELS)
def test_order_is_fulfilled_and_delivered_with_its_last_parcel(
    facts: list[Fact], fulfilled: float, delivered: float | None
) -> None:
    verdict = judged(created(), *facts, now=NOW)
    assert verdict.stages["order_fulfillment"].ended_at == at(fulfilled)
    assert verdict.stages["delivery"].ended_at == (None if delivered is None else at(delivered))
    assert verdict.status == ("FULFILLED" if delivered is None else "DELIVERED")


def test_one_parcel_of_two_delivered_shows_no_stage_past() -> None:
    facts = [
        fact("payment_confirmed", 1),
        arrived(9, "a"),
        fact("order_packed", 12),
        shipped(20, "a"),
        shipped(30, "b"),
    ]
    assert started("inventory_check", *facts, now=NOW).ended_at == at(12)


def retracted(minute: float, event: str, *, id: str = "", source: str = "wms") -> Fact:
    return fact("event_retracted", minute, id=id or f"no-{event}", source=source, retracts=event)


PAID = fact("payment_confirmed", 10, id="pay")
RETRACTIONS = [
    pytest.param([retracted(20, "pay")], "RUNNING", id="retracted"),
    pytest.param([retracted(5, "pay")], "RUNNING", id="retracted by an earlier event"),
    pytest.param([retracted(20, "pay", source="shop")], "COMPLETED", id="another source's word"),
    pytest.param([retracted(20, "other")], "COMPLETED", id="another event"),
    pytest.param([retracted(20, "pay", id="r1"), retracted(30, "r1", id="r2")], "COMPLETED", id="taken back"),
    pytest.param(
        [retracted(20, "pay", id="r1"), retracted(30, "r1", id="r2"), retracted(40, "r2", id="r3")],
        "RUNNING",
        id="taken back and given again",
    ),
    pytest.param(
        [retracted(20, "pay", id="r1"), retracted(20, "r1", id="r2")], "COMPLETED", id="tie, the greater id first"
    ),
    pytest.param(
        [retracted(20, "pay", id="r2"), retracted(20, "r2", id="r1")], "RUNNING", id="tie, the smaller id last"
    ),
    pytest.param([retracted(20, "r1", id="r1")], "COMPLETED", id="of itself"),
    pytest.param([fact("event_retracted", 20)], "COMPLETED", id="of nothing"),
]


@pytest.mark.parametrize(("retractions", "state"), RETRACTIONS)
def test_retracted_event_is_judged_as_if_it_had_never_come(retractions: list[Fact], state: str) -> None:
    assert started("payment_processing", created(), PAID, *retractions, now=25).state == state


def test_retraction_reaches_everything_that_the_event_said() -> None:
    mistakes = [
        created(-99, id="m1", promise=at(1).isoformat()),
        fact("order_held", 1, id="m2"),
        fact("payment_failed", 2, id="m3"),
        fact("order_cancelled", 3, id="m4"),
        fact("order_refunded", 3, id="m5", full=True),
        fact("order_fulfilled", 4, id="m6", shipment="p"),
        fact("gift_wrapped", -200, id="m7", received=60 * DAY),
    ]
    taken_back = [retracted(20, mistake.event_id) for mistake in mistakes]
    assert judged(created(), *mistakes, *taken_back, now=25) == judged(created(), now=25)


def test_findings_name_the_breach_and_its_due_time() -> None:
    late = Finding("active", at(30), None, None, "MEDIUM", "stage", "payment_processing", at(30))
    assert findings(judged(created(), now=31)) == {"PAYMENT_DELAY": late}
    assert findings(judged(created(), now=30)) == {}


def test_finding_of_a_stage_that_ended_late_is_over() -> None:
    verdict = started("payment_processing", created(), fact("payment_confirmed", 100), now=DAY)
    assert finding_of_stage("payment_processing", verdict) == Finding(
        "over", at(30), at(100), "completed_late", "HIGH", "stage", "payment_processing", at(30)
    )


def test_finding_of_a_late_stage_that_was_cancelled_is_over() -> None:
    verdict = started("payment_processing", created(), fact("order_cancelled", 40), now=DAY)
    assert finding_of_stage("payment_processing", verdict) == Finding(
        "over", at(30), at(40), "cancelled", "MEDIUM", "stage", "payment_processing", at(30)
    )


@pytest.mark.parametrize("end", ["payment_confirmed", "order_cancelled"])
def test_nothing_is_found_of_a_stage_that_ended_in_time(end: str) -> None:
    verdict = started("payment_processing", created(), fact(end, 30), now=DAY)
    assert finding_of_stage("payment_processing", verdict) is None


def test_findings_name_problems() -> None:
    found = findings(judged(fact("payment_failed", 5), fact("payment_confirmed", 8), now=NOW))
    assert found["PAYMENT_FAILED"] == Finding("over", at(5), at(8), "cured", "HIGH", "first", None, None)


def test_late_proof_takes_a_breach_back() -> None:
    before = findings(judged(created(), now=44))
    now = findings(judged(created(), fact("payment_confirmed", 29, received=43), now=44))
    assert changes(before, now) == [("PAYMENT_DELAY", before["PAYMENT_DELAY"], None)]


def test_changes_are_what_differs_by_reason() -> None:
    before = findings(judged(created(), fact("address_invalid", 3), now=31))
    facts = [created(), fact("address_invalid", 3), fact("payment_confirmed", 40), fact("payment_failed", 5)]
    now = findings(judged(*facts, now=41))
    assert changes(before, now) == [
        ("PAYMENT_DELAY", before["PAYMENT_DELAY"], now["PAYMENT_DELAY"]),
        ("PAYMENT_FAILED", None, now["PAYMENT_FAILED"]),
    ]
    assert changes(now, now) == []


def test_every_stage_has_its_reason() -> None:
    assert REASONS["delivery"] == "DELIVERY_DELAY"
    assert stage("delivery", now=NOW) is None
