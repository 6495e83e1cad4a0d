"""Facts for the rules' tests. Times are minutes after T0, so that a table reads like a clock."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from orders.sla import Fact, StageVerdict, Verdict, fold
from tenants.policy import PolicyVersion, parse_policy

T0 = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOUR, DAY = 60, 24 * 60
POLICY = parse_policy(
    {
        "payment_processing_minutes": 30,
        "inventory_check_minutes": 15,
        "shipping_preparation_hours": 4,
        "order_fulfillment_hours": 24,
    }
)
VERSIONS = (PolicyVersion(id=7, valid_from=T0 - timedelta(days=30), policy=POLICY),)


def at(minute: float) -> datetime:
    return T0 + timedelta(minutes=minute)


def fact(
    kind: str, minute: float, *, id: str = "", source: str = "wms", received: float | None = None, **detail: Any
) -> Fact:
    """`received`: minute of the receipt, by default that of the event. A detail of "" is left out."""
    said = {key: value for key, value in detail.items() if value != ""}
    when = minute if received is None else received
    return Fact(source, id or f"{kind}@{minute}", kind, at(minute), at(when), said or None)


def created(minute: float = 0, **options: Any) -> Fact:
    return fact("order_created", minute, **options)


def judged(*facts: Fact, now: float, **options: Any) -> Verdict:
    return fold(facts, VERSIONS, at(now), **options)


def stage(name: str, *facts: Fact, now: float, **options: Any) -> StageVerdict | None:
    return judged(*facts, now=now, **options).stages.get(name)


def started(name: str, *facts: Fact, now: float, **options: Any) -> StageVerdict:
    verdict = stage(name, *facts, now=now, **options)
    assert verdict is not None
    return verdict


def path(*steps: tuple[str, float]) -> Sequence[Fact]:
    return [fact(kind, minute) for kind, minute in steps]
