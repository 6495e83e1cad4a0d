"""Problems that events name: active while the last problem is later than the last cure (CONTRACT 4). Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from orders import facts
from orders.facts import Fact
from tenants.weights import HIGH, MEDIUM

FIRST = "first"  # the occurrence key of a problem that no cure came before


class Problem(NamedTuple):
    """A line of the table."""

    event_type: str
    reason: str
    cures: tuple[str, ...]
    severity: str = MEDIUM


PROBLEMS = (
    Problem("payment_failed", "PAYMENT_FAILED", (facts.PAID,), HIGH),
    Problem(
        "inventory_shortage",
        "INVENTORY_SHORTAGE",
        (facts.ALLOCATED, facts.PACKED, facts.FULFILLED, facts.DELIVERED),
        HIGH,
    ),
    Problem("shipment_delayed", "SHIPPING_DELAY", ("shipment_in_transit", facts.DELIVERED)),
    Problem("delivery_failed", "DELIVERY_FAILED", (facts.DELIVERED, facts.RETURNED), HIGH),
    Problem("address_invalid", "ADDRESS_INVALID", ("address_corrected", facts.DELIVERED)),
    # Told by orders/source_watch.py, of the order that stands for a source.
    Problem("source_silent", "SOURCE_SILENT", ("source_heard",), HIGH),
    Problem("order_numbers_missing", "ORDERS_MISSING", ("order_numbers_complete",), HIGH),
)
USUAL_SEVERITIES = {problem.reason: problem.severity for problem in PROBLEMS}
PROBLEM_TYPES = frozenset(problem.event_type for problem in PROBLEMS)


class ProblemVerdict(NamedTuple):
    """The last run of a problem. `occurrence_key`: the cure before it, so that a new run is known from the old one."""

    verdict: Literal["active", "over"]
    opened_at: datetime
    ended_at: datetime | None
    how: Literal["cured", "cancelled"] | None
    severity: str
    occurrence_key: str


def problems_of(standing: Iterable[Fact], cancelled_at: datetime | None) -> dict[str, ProblemVerdict]:
    """Reason → verdict. Problems named after the cancelling are none."""
    times: dict[str, list[datetime]] = {}
    for fact in standing:
        times.setdefault(fact.event_type, []).append(fact.effective_at)
    verdicts = {}
    for problem in PROBLEMS:
        named = [at for at in times.get(problem.event_type, ()) if cancelled_at is None or at <= cancelled_at]
        if named:
            cures = [at for cure in problem.cures for at in times.get(cure, ())]
            verdicts[problem.reason] = last_run(problem, named, cures, cancelled_at)
    return verdicts


def last_run(
    problem: Problem, named: list[datetime], cures: list[datetime], cancelled_at: datetime | None
) -> ProblemVerdict:
    """The problems after the last cure that came before the last of them. A cure at the same instant cures."""
    last = max(named)
    before = max((at for at in cures if at < last), default=None)
    opened = min(at for at in named if before is None or at > before)
    key = before.astimezone(UTC).isoformat() if before is not None else FIRST
    cured = min((at for at in cures if at >= last), default=None)
    if cured is not None and (cancelled_at is None or cured <= cancelled_at):
        return ProblemVerdict("over", opened, cured, "cured", problem.severity, key)
    if cancelled_at is not None:
        return ProblemVerdict("over", opened, cancelled_at, "cancelled", problem.severity, key)
    return ProblemVerdict("active", opened, None, None, problem.severity, key)


def problems_to_json(problems: Mapping[str, ProblemVerdict]) -> dict[str, Any]:
    """As the order's row keeps them. Equal verdicts give equal JSON, whatever zone their times were read in."""
    return {
        reason: {
            "verdict": problem.verdict,
            "opened_at": problem.opened_at.astimezone(UTC).isoformat(),
            "ended_at": problem.ended_at.astimezone(UTC).isoformat() if problem.ended_at else None,
            "how": problem.how,
            "severity": problem.severity,
            "occurrence_key": problem.occurrence_key,
        }
        for reason, problem in problems.items()
    }


def problems_from_json(stored: Mapping[str, Any]) -> dict[str, ProblemVerdict]:
    """The inverse of `problems_to_json`."""
    return {
        reason: ProblemVerdict(
            verdict=row["verdict"],
            opened_at=datetime.fromisoformat(row["opened_at"]),
            ended_at=datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
            how=row["how"],
            severity=row["severity"],
            occurrence_key=row["occurrence_key"],
        )
        for reason, row in stored.items()
    }
