"""What a draft's weights would make of the exceptions that are open now. Reads the schema of the connection."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from exceptions.choices import Severity, Status, Verdict
from exceptions.models import ExceptionRecord
from orders.carried import Carried, traits_of
from orders.facts import CREATED
from orders.models import Event, Order, Stage
from orders.weighing import Weight, weight_of_problem, weight_of_stage, weight_of_warning
from tenants.conditions import Traits
from tenants.policy import Policy

MOST_WEIGHED = 500


class Weighed(NamedTuple):
    """An open exception; its place among them, from 1, as it stands and under the draft."""

    record: ExceptionRecord
    severity: str
    priority: int
    place: int
    place_then: int

    @property
    def changes(self) -> bool:
        return (self.severity, self.priority) != (self.record.severity, self.record.priority)

    @property
    def severity_title(self) -> str:
        return str(Severity(self.severity).label)


class Effect(NamedTuple):
    """`rows`: by priority under the draft. Of the `most` urgent, where there are more."""

    rows: Sequence[Weighed]
    whole: bool

    @property
    def other_severity(self) -> int:
        return sum(row.severity != row.record.severity for row in self.rows)

    @property
    def other_priority(self) -> int:
        return sum(row.priority != row.record.priority for row in self.rows)


def effect_of(policy: Policy, *, now: datetime, most: int = MOST_WEIGHED) -> Effect:
    """As if the draft were in force for them already. Three queries, however many there are."""
    open_ones = ExceptionRecord.objects.filter(verdict=Verdict.ACTIVE).exclude(status=Status.RESOLVED)
    found = list(open_ones.select_related("order").order_by("-priority", "-opened_at", "-id")[: most + 1])
    records = found[:most]
    orders = [record.order_id for record in records]
    sources = sources_of(orders)
    stages = {(stage.order_id, stage.name): stage for stage in Stage.objects.filter(order_id__in=orders)}
    weights = [
        weight_of(
            policy, record, stages.get((record.order_id, record.stage or "")), sources.get(record.order_id, ""), now
        )
        for record in records
    ]
    then = sorted(range(len(records)), key=lambda at: -weights[at].priority)
    return Effect(
        [
            Weighed(records[at], weights[at].severity, weights[at].priority, at + 1, place)
            for place, at in enumerate(then, start=1)
        ],
        whole=len(found) == len(records),
    )


def sources_of(orders: Iterable[int]) -> dict[int, str]:
    """Who told of each order first."""
    told = Event.objects.filter(order_id__in=list(orders), event_type=CREATED).order_by(
        "-effective_at", "-source", "-event_id"
    )
    return dict(told.values_list("order_id", "source"))


def weight_of(policy: Policy, record: ExceptionRecord, stage: Stage | None, source: str, now: datetime) -> Weight:
    traits, times = traits_of_order(record.order, source), record.occurrence_count
    if record.stage is None:
        return weight_of_problem(policy, traits, record.reason_code, occurrences=times)
    if record.due_at is None or record.due_at >= now or (stage is not None and not stage.breached):
        return weight_of_warning(policy, traits, record.stage, occurrences=times)
    target = stage.target_seconds if stage is not None else None
    late = now - record.due_at
    return weight_of_stage(policy, traits, record.stage, late=late, target_seconds=target, occurrences=times)


def traits_of_order(order: Order, source: str) -> Traits:
    carried = Carried(**{name: getattr(order, name) for name in Carried._fields})
    return traits_of(carried, source=source, merchant=order.merchant)
