"""Reads of the stages at risk and of what became of those warned of. All of it reads the schema that the connection stands in."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import F, QuerySet

from orders.cursors import Page, page_soonest
from orders.models import Stage, StageState
from tenants.weights import LOW

MOST_COUNTED = 10_000
PART = 2_000  # rows of a file that are read at once
SOON = timedelta(hours=1)
LOOKED_BACK = timedelta(days=7)
# Of the nearest ones only: a filter names what is on the board, and the board may be long.
CHOICES = f"""
SELECT array_agg(DISTINCT o.merchant), array_agg(DISTINCT o.warehouse), array_agg(DISTINCT o.carrier), array_agg(DISTINCT o.rule)
FROM (SELECT order_id FROM orders_stage WHERE state = 'RUNNING' AND severity = 'LOW' AND NOT breached
  ORDER BY due_at, id LIMIT {MOST_COUNTED}) g JOIN orders_order o ON o.id = g.order_id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtRiskFilters:
    """Empty means any. `rule`: the name of the policy's rule that takes the order."""

    stage: str = ""
    merchant: str = ""
    warehouse: str = ""
    carrier: str = ""
    rule: str = ""

    def chosen(self, stages: QuerySet[Stage]) -> QuerySet[Stage]:
        given = {name: value for name, value in asdict(self).items() if value}
        if stage := given.pop("stage", ""):
            stages = stages.filter(name=stage)
        return stages.filter(**{f"order__{name}": value for name, value in given.items()}) if given else stages


ANY = AtRiskFilters()
FILTER_NAMES = tuple(each.name for each in fields(AtRiskFilters))


class Counts(NamedTuple):
    """Each at most MOST_COUNTED + 1. `saved`, `missed`: of those warned of that ended, or fell due, lately."""

    at_risk: int
    soon: int
    saved: int
    missed: int


@dataclass(frozen=True, slots=True)
class Choices:
    """What a filter can be set to."""

    merchant: Sequence[str] = field(default_factory=list)
    warehouse: Sequence[str] = field(default_factory=list)
    carrier: Sequence[str] = field(default_factory=list)
    rule: Sequence[str] = field(default_factory=list)


def at_risk_stages(filters: AtRiskFilters = ANY) -> QuerySet[Stage]:
    """Running past their warning point and not late, the least time left first; those that a pause holds come last."""
    running = Stage.objects.filter(state=StageState.RUNNING, severity=LOW, breached=False).select_related("order")
    return filters.chosen(running).order_by(F("due_at").asc(nulls_last=True), "pk")


def page_at_risk(filters: AtRiskFilters, *, cursor: str, size: int) -> Page[Stage]:
    """Raises: Unprocessable for what is no cursor."""
    return page_soonest(at_risk_stages(filters), "due_at", cursor=cursor, size=size)


def parts_at_risk(filters: AtRiskFilters) -> Iterator[Sequence[Stage]]:
    """The whole list in parts; what comes or goes meanwhile shifts nothing."""
    cursor: str | None = ""
    while cursor is not None:
        page = page_at_risk(filters, cursor=cursor, size=PART)
        yield page.rows
        cursor = page.next


def saved_stages(*, since: datetime, until: datetime) -> QuerySet[Stage]:
    """Warned of and then in time, of those that ended in [since, until)."""
    ended = Stage.objects.filter(due_at__isnull=False, ended_at__gte=since, ended_at__lt=until)
    return ended.filter(state=StageState.COMPLETED, severity=LOW, breached=False)


def missed_stages(*, since: datetime, until: datetime) -> QuerySet[Stage]:
    """Warned of and late all the same, of those that fell due in [since, until)."""
    due = Stage.objects.filter(due_at__gte=since, due_at__lt=until)
    return due.filter(breached=True, at_risk_at__isnull=False)


def count_risks(filters: AtRiskFilters, *, now: datetime) -> Counts:
    running, since = at_risk_stages(filters).order_by(), now - LOOKED_BACK
    return Counts(
        capped(running),
        capped(running.filter(due_at__lt=now + SOON)),
        capped(filters.chosen(saved_stages(since=since, until=now))),
        capped(filters.chosen(missed_stages(since=since, until=now))),
    )


def capped(stages: QuerySet[Stage]) -> int:
    return stages[: MOST_COUNTED + 1].count()


def choices_at_risk() -> Choices:
    with connection.cursor() as cursor:
        cursor.execute(CHOICES)
        found = cursor.fetchone()
    return Choices(*(sorted(name for name in names or () if name) for names in found))
