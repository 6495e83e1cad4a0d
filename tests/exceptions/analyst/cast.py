"""Cases for the analyst's tests: an order told in one line an event, judged at an instant."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from exceptions.analyst.case import Case, Subject, Today, make_case, told_of
from orders.facts import Fact
from orders.sla import findings, fold
from tenants.policy import DEFAULT_RULES, PolicyVersion, parse_policy

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
POLICIES = (PolicyVersion(1, datetime(1970, 1, 1, tzinfo=UTC), parse_policy(DEFAULT_RULES)),)
Step = tuple[float, str] | tuple[float, str, Mapping[str, Any]]
FOLDED = (("hold_id", "hold_id"), ("reason", "reason"), ("promise", "promised_delivery_at"), ("retracts", "event_id"))
PROMISED = {"promised_delivery_at": (START + timedelta(hours=48)).isoformat()}


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def facts_of(steps: Iterable[Step], source: str = "wms") -> list[tuple[Fact, Any]]:
    """(hours after START, type, payload): one event each, `evt-1`, `evt-2`, …"""
    made = []
    for number, (after, kind, *more) in enumerate(steps, 1):
        payload = dict(more[0]) if more else {}
        detail = {name: payload[key] for name, key in FOLDED if key in payload}
        at = START + hours(after)
        made.append((Fact(source, f"evt-{number}", kind, at, at, detail or None), told_of(payload, detail)))
    return made


def case(reason: str, steps: Iterable[Step], *, at: float, today: Today | None = None) -> Case:
    """The case of the order's exception for this reason, `at` hours after START; it must exist by then."""
    now = START + hours(at)
    events = [pair for pair in facts_of(steps) if pair[0].effective_at <= now]
    verdict = fold([fact for fact, _ in events], POLICIES, now)
    found = findings(verdict)[reason]
    subject = Subject(reason, found.verdict, found.severity, found.opened_at, found.due_at, found.ended_at, found.stage)
    return make_case(subject, events, verdict, now=now, today=today)


def paid(*more: Step) -> list[Step]:
    return [(0, "order_created", PROMISED), (0.1, "payment_confirmed"), *more]


def ready(*more: Step) -> list[Step]:
    return paid((0.2, "inventory_allocated", {"warehouse": "Zona Franca"}), *more)


def shipped(*more: Step) -> list[Step]:
    sent = {"carrier": "SEUR", "shipment_id": "s1", "tracking_number": "T1"}
    return ready((2, "order_packed"), (3, "order_fulfilled", sent), *more)
