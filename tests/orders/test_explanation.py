"""How a due time came about: the pieces add up, end at the due time, and say who paused the clock and why."""

import random
import time
from datetime import timedelta
from itertools import pairwise

import pytest

from orders.explanation import MOST_SEGMENTS, Explanation, explain
from orders.facts import Fact
from orders.outcome import Outcome, contract_outcome, promise_outcome
from orders.sla import fold
from orders.wording import differences, length_words, roll_words, target_words
from tenants.policy import PolicyVersion, parse_policy
from tenants.targets import Cutoff, Length, Promise, Warn
from tests.orders.minutes import utc
from tests.tenants.calendar_cast import FORMS, local

POLICY = parse_policy(
    {
        "calendars": {"lisbon": FORMS["lisbon"]},
        "rules": [
            {"name": "Preorders", "when": {"tag": "preorder"}, "excluded": "They ship when the goods arrive."},
            {
                "name": "All",
                "targets": {
                    "payment_processing": {"hours": 2},
                    "inventory_check": {"working_hours": 5000},
                    "order_fulfillment": {"cutoff": {**dict.fromkeys(["mon", "tue", "wed", "thu", "fri"], "14:00"), "sat": "11:00"}},
                    "shipping_preparation": {"working_hours": 8, "warn": {"share": 0.75}},
                },
                "pauses": {"holds": {"except": ["GIFT"]}, "problems": ["ADDRESS_INVALID"]},
            },
        ],
    }
)  # fmt: skip
VERSIONS = (PolicyVersion(1, utc("2020-01-01"), POLICY),)
ALL = ("order_created", "payment_confirmed", "inventory_allocated")


def told(kind: str, at: str, source: str = "wms", **detail: object) -> Fact:
    when = local("lisbon", at)
    return Fact(source, f"{kind}@{at}", kind, when, when, dict(detail) or None)


def one(stage: str, *facts: Fact) -> Explanation:
    [found] = explain(facts, VERSIONS, stage=stage)
    return found


def test_pieces_of_a_packing_over_a_weekend_a_hold_and_a_holiday() -> None:
    found = one(
        "shipping_preparation",
        told("inventory_allocated", "2026-11-28 12:00"),
        told("order_held", "2026-11-30 10:00", "e2a", hold_id="h", reason="stock count", actor="user:ann"),
        told("order_released", "2026-11-30 11:00", "e2a", hold_id="h"),
        told("order_held", "2026-11-30 15:00", hold_id="g", reason="gift"),
        told("address_invalid", "2026-11-30 17:30"),
        told("address_corrected", "2026-12-02 09:30"),
    )
    pieces = [
        (each.kind, each.since, each.until, each.length / timedelta(minutes=1), each.reason, each.actor)
        for each in found.segments
    ]

    def on(text: str) -> object:
        return local("lisbon", text)

    assert pieces == [
        ("counted", on("2026-11-28 12:00"), on("2026-11-28 13:00"), 60, "", ""),
        ("closed", on("2026-11-28 13:00"), on("2026-11-30 09:00"), 0, "", ""),
        ("counted", on("2026-11-30 09:00"), on("2026-11-30 10:00"), 60, "", ""),
        ("paused", on("2026-11-30 10:00"), on("2026-11-30 11:00"), 60, "stock count", "user:ann"),
        ("counted", on("2026-11-30 11:00"), on("2026-11-30 13:00"), 120, "", ""),
        ("closed", on("2026-11-30 13:00"), on("2026-11-30 14:00"), 0, "", ""),
        ("counted", on("2026-11-30 14:00"), on("2026-11-30 17:30"), 210, "", ""),
        ("paused", on("2026-11-30 17:30"), on("2026-12-02 09:30"), 60, "ADDRESS_INVALID", "wms"),
        ("counted", on("2026-12-02 09:30"), on("2026-12-02 10:00"), 30, "", ""),
    ]
    assert (found.due_at, found.unpaused_due_at) == (on("2026-12-02 10:00"), on("2026-11-30 17:00"))
    assert [pause.reason for pause in found.ignored] == ["gift"]
    assert (found.rule, found.calendar, found.timezone) == ("All", "lisbon", "Europe/Lisbon")
    assert differences([found], "UTC") == [
        "Packing: pauses (stock count, address unclear) moved the contract's due time by 2 h, "
        "from Mon 30 Nov 2026 17:00 (UTC) to Wed 02 Dec 2026 10:00 (UTC)."
    ]


def test_day_off_is_named() -> None:
    found = one("shipping_preparation", told("inventory_allocated", "2026-11-30 17:00"))
    assert ("day_off", "Restoration of Independence Day") in [(each.kind, each.reason) for each in found.segments]


def test_open_pause_is_the_last_piece() -> None:
    held = told("order_held", "2026-11-27 17:00", hold_id="h")
    found = one("shipping_preparation", told("inventory_allocated", "2026-11-27 16:00"), held)
    assert (found.segments[-1].kind, found.segments[-1].until, found.due_at) == ("paused", None, None)
    assert differences([found], "UTC") == [
        "Packing: paused (no reason given), so the contract's clock stands; by the wall clock it is due "
        "Mon 30 Nov 2026 11:00 (UTC)."
    ]


@pytest.mark.parametrize(
    ("received", "sentence"),
    [
        ("2026-11-27 14:00", "Received Fri 27 Nov 2026 14:00 (Europe/Lisbon), in time for that working day, which ends Fri 27 Nov 2026 18:00 (Europe/Lisbon)."),
        ("2026-11-27 14:01", "Received Fri 27 Nov 2026 14:01 (Europe/Lisbon), after the cut-off at 14:00: the next working day counts, which ends Sat 28 Nov 2026 13:00 (Europe/Lisbon)."),
    ],
)  # fmt: skip
def test_cutoff_is_told(received: str, sentence: str) -> None:
    found = one("order_fulfillment", told("order_created", received))
    assert found.roll is not None and roll_words(found.roll, found.timezone) == sentence


def test_excluded_order_says_why() -> None:
    found = one("order_fulfillment", told("order_created", "2026-11-27 10:00", carries={"tags": ["preorder"]}))
    assert (found.target, found.due_at, found.segments) == (None, None, ())
    assert differences([found], "UTC") == [
        "Handover to the carrier: the rule “Preorders” excludes the order: They ship when the goods arrive."
    ]


def test_hold_moves_no_promise_and_that_is_told() -> None:
    created = told("order_created", "2026-11-27 10:00", promise=local("lisbon", "2026-11-30 10:00").isoformat())
    found = one("delivery", created, told("order_held", "2026-11-28 10:00", hold_id="h", reason="fraud"))
    assert found.due_at == found.unpaused_due_at == local("lisbon", "2026-11-30 10:00")
    assert [pause.reason for pause in found.ignored] == ["fraud"]
    assert [each.kind for each in found.segments] == ["counted"]


def test_very_long_target_is_told_in_pieces_that_a_page_can_hold() -> None:
    found = one("inventory_check", told("payment_confirmed", "2026-11-27 10:00"))
    assert (len(found.segments), found.segments[-1].kind) == (MOST_SEGMENTS + 1, "rest")
    assert sum((each.length for each in found.segments), timedelta()) == timedelta(hours=5000)
    assert found.segments[-1].until == found.due_at


def random_facts(dice: random.Random) -> list[Fact]:
    zero = utc("2026-11-16")

    def at(kind: str, minute: int, **detail: object) -> Fact:
        when = zero + timedelta(minutes=minute, seconds=dice.choice([0, 0.123456, 30]))
        return Fact("wms", f"{kind}{minute}{detail}", kind, when, when, dict(detail) or None)

    facts = [at(kind, dice.randrange(10_000)) for kind in ALL]
    for number in range(dice.choice([0, 1, 2, 4])):
        since = dice.randrange(15_000)
        hold, reason = f"h{number}", dice.choice(["", "gift", "fraud"])
        facts.append(at("order_held", since, hold_id=hold, reason=reason))
        if dice.random() < 0.9:
            facts.append(at("order_released", since + dice.choice([0, 1, 60, 4000]), hold_id=hold))
    for _ in range(dice.choice([0, 0, 1, 2])):
        facts += [at("address_invalid", dice.randrange(15_000)), at("address_corrected", dice.randrange(20_000))]
    return facts


def test_pieces_add_up_to_the_target_and_end_at_the_due_time_of_the_fold() -> None:
    dice, explained = random.Random(11), 0
    for _ in range(500):
        facts = random_facts(dice)
        verdict = fold(facts, VERSIONS, utc("2027-06-01"), settle=None)
        for found in explain(facts, VERSIONS):
            stage = verdict.stages[found.stage]
            assert (found.due_at, found.target_seconds) == (stage.due_at, stage.target_seconds)
            assert all(before.until == after.since for before, after in pairwise(found.segments))
            if found.due_at is None or found.target is None:
                continue
            explained += 1
            counted = sum((each.length for each in found.segments if each.kind in ("counted", "rest")), timedelta())
            assert abs(counted - timedelta(seconds=found.target_seconds or 0)) < timedelta(seconds=1)
            assert (found.segments[0].since, found.segments[-1].until) == (found.started_at, found.due_at)
            watch = verdict.watches.get(found.stage)
            assert found.at_risk_at == (watch.at_risk_at if watch else None)
    assert explained > 1_000


def test_an_explanation_takes_less_than_a_millisecond() -> None:
    facts = [
        told("inventory_allocated", "2026-11-28 12:00"),
        told("order_held", "2026-11-30 10:00", hold_id="h"),
        told("order_released", "2026-11-30 11:00", hold_id="h"),
    ]
    one("shipping_preparation", *facts)
    best = min(timed(facts) for _ in range(20))
    assert best < 0.001


def timed(facts: list[Fact]) -> float:
    began = time.perf_counter()
    explain(facts, VERSIONS, stage="shipping_preparation")
    return time.perf_counter() - began


@pytest.mark.parametrize(
    ("target", "calendar", "words"),
    [
        (None, "", "No deadline."),
        (Length(5_400), "", "1 h 30 min, every hour counts."),
        (Length(28_800, "x", Warn(share=0.75)), "x", "8 h of working time by the calendar “x”; at risk after 75% of it."),
        (Promise("fulfil_by", Warn(before_seconds=3600)), "", "Until the hour by which it must ship; at risk 1 h before."),
        (Cutoff((0,) * 7, 2), "x", "Until the end of the working day by the calendar “x”, if received by the cut-off, and 2 working days more."),
    ],
)  # fmt: skip
def test_targets_in_words(target: Length | Promise | Cutoff | None, calendar: str, words: str) -> None:
    assert target_words(target, calendar) == words


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (90_061, "25 h 1 min")])
def test_lengths_in_words(seconds: int, words: str) -> None:
    assert length_words(timedelta(seconds=seconds)) == words


PROMISE = local("lisbon", "2026-11-30 10:00").isoformat()
# what happened (hour: event), contract and promise on 1 December at noon
OUTCOMES = [
    ({}, Outcome.NONE, Outcome.NONE),
    ({"2026-11-27 10:00": "order_created"}, Outcome.BROKEN, Outcome.BROKEN),
    ({"2026-11-27 10:00": "order_created", "2026-11-27 11:00": "payment_confirmed", "2026-11-27 12:00": "order_fulfilled"}, Outcome.KEPT, Outcome.BROKEN),
    ({"2026-11-27 10:00": "order_created", "2026-11-27 11:00": "payment_confirmed", "2026-11-27 12:00": "order_fulfilled", "2026-11-29 12:00": "order_delivered"}, Outcome.KEPT, Outcome.KEPT),
    ({"2026-11-27 10:00": "order_created", "2026-11-27 11:00": "payment_confirmed", "2026-11-28 14:00": "order_fulfilled", "2026-11-29 12:00": "order_delivered"}, Outcome.BROKEN, Outcome.KEPT),
    ({"2026-11-27 10:00": "order_created", "2026-11-27 11:00": "payment_confirmed", "2026-11-27 11:30": "order_held"}, Outcome.PAUSED, Outcome.BROKEN),
    ({"2026-11-27 10:00": "order_created", "2026-11-27 11:00": "order_cancelled"}, Outcome.CANCELLED, Outcome.CANCELLED),
]  # fmt: skip


@pytest.mark.parametrize(("course", "contract", "promise"), OUTCOMES)
def test_contract_and_promise_are_two_verdicts(course: dict[str, str], contract: Outcome, promise: Outcome) -> None:
    facts = [told(kind, at, **({"promise": PROMISE} if kind == "order_created" else {})) for at, kind in course.items()]
    now = local("lisbon", "2026-12-01 12:00")
    verdict = fold(facts, VERSIONS, now, settle=None)
    stages = [Row(name, stage) for name, stage in verdict.stages.items()]
    delivery = next((row for row in stages if row.name == "delivery"), None)
    found = (
        contract_outcome(stages, verdict.promised.promised_at),
        promise_outcome(verdict.promised.promised_at, delivery, now),
    )
    assert found == (contract, promise)


class Row:
    """A stage as it is stored."""

    def __init__(self, name: str, stage: object) -> None:
        self.name = name
        for key in ("state", "ended_at", "due_at", "breached", "severity", "target_seconds"):
            setattr(self, key, getattr(stage, key))
