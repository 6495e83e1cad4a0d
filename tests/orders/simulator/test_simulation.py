"""Another policy tried on past orders: real ones against an independent computation, and what is stored, read only."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from e2a.postgresql.raw import database_now, raw_connection
from orders.backfill import backfill
from orders.detail import detail_of
from orders.facts import Fact
from orders.ingest import ingest
from orders.simulator.runs import start_run, work_on_run
from orders.simulator.simulation import Simulation, StoredOrder, count_stored, simulate, stored_orders
from orders.simulator.tallies import rows_of
from tenants.models import SlaPolicy, Tenant
from tenants.policy import Policy, PolicyVersion, parse_policy
from tests.orders.equal_state import versions
from tests.orders.minutes import Minutes, utc
from tests.orders.sla_cast import DAY, HOUR, at, created, fact
from tests.orders.test_door_properties import event_at, read
from tests.real_data import EVENTS, POLICY, needs_real_data, truth
from tests.tenants.calendar_cast import FORMS

NOW = datetime(2026, 11, 24, tzinfo=UTC)
STAGES = ("payment_processing", "order_fulfillment", "delivery")
WORKING_HOURS = {
    "calendars": {"sp": FORMS["sao_paulo"]},
    "rules": [
        {
            "name": "Office hours",
            "targets": {
                "payment_processing": {"working_minutes": 30, "warn": {"share": 0.5}},
                "order_fulfillment": {"working_hours": 24, "warn": {"before_hours": 6}},
            },
        }
    ],
}


def last(steps: Iterator[Simulation]) -> Simulation:
    *_, found = steps
    return found


def run(orders: Iterable[StoredOrder], policy: Any, draft: Any, now: datetime = NOW) -> Simulation:
    versions = (PolicyVersion(1, utc("1970-01-01"), parse_policy(policy)),)
    return last(simulate(orders, versions, parse_policy(draft), now=now))


@cache
def real_orders() -> list[StoredOrder]:
    facts: dict[str, list[Fact]] = {}
    for line in EVENTS.read_text().splitlines():
        event = json.loads(line)
        at = datetime.fromisoformat(event["occurred_at"])
        detail = detail_of(event["event_type"], event["payload"])
        told = Fact(event["source"], event["event_id"], event["event_type"], at, at, detail)
        facts.setdefault(event["order_id"], []).append(told)
    return [StoredOrder(number, "default", name, each) for number, (name, each) in enumerate(facts.items())]


@needs_real_data
def test_real_orders_under_the_flat_policy_are_the_truth() -> None:
    found = run(real_orders(), POLICY, POLICY)
    expected = {name: len(orders) for name, orders in truth()["breaches"].items()}
    assert {name: found.now[name].breaches for name in expected} == expected
    assert (found.orders, found.crossed, found.failed, found.now == found.then) == (1500, 0, [], True)


class Counted:
    """One order by the minute: no code of the engine, and its own reading of the contract's table."""

    def __init__(self, known: Minutes, facts: list[Fact]) -> None:
        self.known = known
        self.times = {
            each.event_type: each.effective_at
            for each in sorted(facts, key=lambda fact: fact.effective_at, reverse=True)
        }

    def ended(self, *kinds: str) -> datetime | None:
        ends = [self.times[kind] for kind in kinds if kind in self.times][:1]
        cancelled = self.times.get("order_cancelled")
        if cancelled is not None and (not ends or ends[0] > cancelled):
            return cancelled
        return max(ends[0], self.times["order_created"]) if ends else None

    def reached(self, minutes: int) -> datetime:
        due = self.known.due(self.known.index(self.times["order_created"]), minutes, [])
        assert due is not None
        return self.known.since + timedelta(minutes=due)

    def passed(self, point: datetime, *kinds: str) -> bool:
        return (self.ended(*kinds) or NOW) > point


@cache
def by_minutes() -> tuple[dict[str, list[int]], set[tuple[str, str]]]:
    """By stage: breaches, warnings and saved in working hours; and the (order, stage) that are late."""
    known = Minutes(FORMS["sao_paulo"], utc("2016-09-01"), 820)
    expected = {name: [0, 0, 0] for name in ("payment_processing", "order_fulfillment")}
    late: set[tuple[str, str]] = set()
    for order in real_orders():
        counted = Counted(known, list(order.facts))
        for name, target, warn, ends in (
            ("payment_processing", 30, 15, ("payment_confirmed",)),
            ("order_fulfillment", 24 * 60, 18 * 60, ("order_fulfilled", "order_delivered")),
        ):
            breached = counted.passed(counted.reached(target), *ends)
            warned = counted.passed(counted.reached(warn), *ends)
            completed = any(kind in counted.times for kind in ends)
            expected[name][0] += breached
            expected[name][1] += warned
            expected[name][2] += warned and completed and not breached
            late |= {(order.order_id, name)} if breached else set()
    return expected, late


@needs_real_data
def test_real_orders_in_working_hours_are_what_counting_minutes_gives() -> None:
    expected, late = by_minutes()
    found = run(real_orders(), POLICY, WORKING_HOURS)
    tallies = {
        name: [found.then[name].breaches, found.then[name].warnings, found.then[name].saved] for name in expected
    }
    assert tallies == expected
    assert found.then["delivery"] == found.now["delivery"]
    before = {(order, name) for name in expected for order in truth()["breaches"][name]}
    crossed = {(each.order_id, each.stage) for each in found.crossings}
    assert crossed == before ^ late
    assert all(each.late_then == ((each.order_id, each.stage) in late) for each in found.crossings)
    assert found.crossed == len(crossed) == sum(found.by_rule.values())


@needs_real_data
def test_stored_real_orders_in_the_background_give_the_same(in_acme: Tenant) -> None:
    now = database_now(raw_connection())
    SlaPolicy.objects.filter(tenant=in_acme).update(rules=POLICY)
    with EVENTS.open("rb") as file:
        backfill("acme", file)
    asked = start_run(title="Working hours", rules=WORKING_HOURS, start=utc("2016-01-01"), end=now, by="user:maria")
    found = work_on_run("acme", asked.pk)
    expected, late = by_minutes()
    assert (found.status, found.orders, found.total, found.failed) == ("done", 1500, 1500, 0)
    stages = {row.stage: row for row in rows_of(found.tallies)}
    assert {
        name: [stages[name].then.breaches, stages[name].then.warnings, stages[name].then.saved] for name in expected
    } == expected
    assert {name: stages[name].now.breaches for name in STAGES} == {
        name: len(truth()["breaches"][name]) for name in STAGES
    }
    crossed = {(each.order_ref, each.stage) for each in found.crossings.all()}
    assert crossed == {(order, name) for name in expected for order in truth()["breaches"][name]} ^ late
    assert len(crossed) == found.crossed == found.listed


def order(number: int, *facts: Fact) -> StoredOrder:
    return StoredOrder(number, "default", f"o{number}", facts)


DRAFT = {"rules": [{"name": "Gold", "when": {"customer_tier": "gold"}, "targets": {"order_fulfillment": {"hours": 1}}}]}


def test_orders_that_change_sides_are_named_with_the_rule() -> None:
    gold = created(carries={"customer_tier": "gold"})
    orders = [
        order(1, gold, fact("order_fulfilled", 2 * HOUR)),
        order(2, created(), fact("order_fulfilled", 2 * HOUR)),
        order(3, created(), fact("order_fulfilled", 30 * HOUR)),
        order(4, gold, fact("order_fulfilled", 30)),
    ]
    found = run(orders, {"order_fulfillment_hours": 24}, DRAFT, at(9 * DAY))
    assert [(each.order_id, each.late_now, each.late_then, each.rule_then) for each in found.crossings] == [
        ("o1", False, True, "Gold"),
        ("o3", True, False, ""),
    ]
    assert found.by_rule == {("order_fulfillment", "Gold", True): 1, ("order_fulfillment", "", False): 1}
    assert found.breaches()["order_fulfillment"] == (1, 1)


def test_an_order_that_cannot_be_judged_stops_nothing() -> None:
    broken = fact("order_created", 0, promise="no time")
    found = run([order(1, broken), order(2, created())], {"order_fulfillment_hours": 1}, DRAFT, at(DAY))
    assert (found.failed, found.orders, found.now["order_fulfillment"].breaches) == (["o1"], 2, 1)


def test_progress_is_told_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.simulator.simulation.CHUNK", 2)
    orders = [order(number, created()) for number in range(5)]
    steps = [found.orders for found in simulate(orders, (), Policy(), now=NOW)]
    assert steps == [2, 4, 5]


@pytest.mark.django_db
def test_stored_orders_of_a_period_are_read_and_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.simulator.simulation.CHUNK", 2)
    now = database_now(raw_connection())
    bodies = [event_at(now, "order_created", f"e{n}", f"o{n}") for n in range(5)]
    ingest("acme", read(bodies, now), now=now)
    ingest("globex", read(bodies[:1], now), now=now)
    before = versions()
    period = {"start": now - timedelta(days=30), "end": now + timedelta(days=1)}
    assert (count_stored("acme", **period), count_stored("globex", **period)) == (5, 1)
    found = run(stored_orders("acme", **period), {"order_fulfillment_hours": 24}, DRAFT, now + timedelta(days=9))
    assert (found.orders, found.breaches()["order_fulfillment"]) == (5, (5, 0))
    assert versions() == before
    assert list(stored_orders("acme", start=now + timedelta(days=1), end=now + timedelta(days=2))) == []
