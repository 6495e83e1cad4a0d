"""Reads of incidents. All of it reads the schema that the connection stands in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet

from exceptions.desk.models import BulkRun, RunState
from exceptions.incidents.errors import NoSuchIncident
from exceptions.incidents.models import Incident, IncidentEntry, IncidentMember
from exceptions.incidents.words import IncidentState
from exceptions.models import ExceptionRecord
from orders.cursors import Page, page_by_rank, page_of

OPEN, CONFIRMED, SILENCED, CLOSED = "open", "confirmed", "silenced", "closed"
TABS = (OPEN, CONFIRMED, SILENCED, CLOSED)
NEWEST, BY_STAKE = SORTS = ("newest", "stake")
TIMELINE_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilters:
    """Empty means any. `tab`: open ones hold the confirmed too; neither holds the silenced."""

    tab: str = ""
    rule: tuple[str, ...] = ()
    search: str = ""


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    """`timeline` oldest first, its last 200 entries; `runs`: acts on all of it, the newest first; `merged`: those that were merged into it."""

    incident: Incident
    timeline: Sequence[IncidentEntry]
    runs: Sequence[BulkRun]
    merged: Sequence[int] = field(default=())
    taken_out: Sequence[IncidentMember] = field(default=())


def filter_incidents(filters: IncidentFilters) -> QuerySet[Incident]:
    chosen = Incident.objects.select_related("rule").filter(TAB_CONDITIONS.get(filters.tab, Q()))
    if filters.rule:
        chosen = chosen.filter(rule__name__in=filters.rule)
    if filters.search:
        chosen = chosen.filter(Q(key__contains=filters.search.lower()) | Q(rule__title__icontains=filters.search))
    return chosen


ALIVE = ~Q(state=IncidentState.CLOSED)
TAB_CONDITIONS: Mapping[str, Q] = {
    OPEN: ALIVE & Q(silenced_at=None),
    CONFIRMED: Q(state=IncidentState.CONFIRMED, silenced_at=None),
    SILENCED: ALIVE & Q(silenced_at__isnull=False),
    CLOSED: Q(state=IncidentState.CLOSED, merged_into=None),
}


def page_incidents(filters: IncidentFilters, *, sort: str, cursor: str, size: int) -> Page[Incident]:
    """By what is at stake, then by the latest exception; or the latter alone."""
    chosen = filter_incidents(filters)
    if sort == BY_STAKE:
        return page_by_rank(chosen, "stake_rank", "last_at", cursor=cursor, size=size)
    return page_of(chosen, "last_at", cursor=cursor, size=size)


def largest_incidents(most: int) -> list[Incident]:
    """The open ones that are not silenced, the most at stake first."""
    open_ones = filter_incidents(IncidentFilters(tab=OPEN))
    return list(open_ones.order_by("-stake_rank", "-last_at", "-pk")[:most])


def count_tabs(filters: IncidentFilters) -> dict[str, int]:
    """How many each tab would show, in one query."""
    chosen = filter_incidents(IncidentFilters(rule=filters.rule, search=filters.search)).order_by()
    numbers = {tab: Count("pk", filter=condition) for tab, condition in TAB_CONDITIONS.items()}
    return dict(chosen.aggregate(**numbers))


def get_incident(incident_id: int) -> IncidentDetail:
    """Raises: NoSuchIncident."""
    incident = Incident.objects.select_related("rule").filter(pk=incident_id).first()
    if incident is None:
        raise NoSuchIncident
    timeline = list(incident.timeline.order_by("-pk")[:TIMELINE_MOST])[::-1]
    out = incident.members.filter(taken_out_at__isnull=False).select_related("exception").order_by("-taken_out_at")
    return IncidentDetail(
        incident,
        timeline,
        list(runs_of(incident_id)[:20]),
        list(Incident.objects.filter(merged_into=incident).order_by("pk").values_list("pk", flat=True)[:20]),
        list(out[:50]),
    )


def runs_of(incident_id: int) -> QuerySet[BulkRun]:
    """Acts on all of it that were begun, the newest first."""
    return BulkRun.objects.filter(filters__incident=incident_id).exclude(state=RunState.ASKED).order_by("-pk")


def incident_of(exception_id: int) -> Incident | None:
    """That the exception belongs to now."""
    inside = IncidentMember.objects.filter(exception_id=exception_id, taken_out_at=None)
    member = inside.select_related("incident__rule").first()
    return member.incident if member else None


def name_incidents(records: Sequence[ExceptionRecord]) -> None:
    """Gives each record `incident_id`, of the one that it belongs to now, or None; one query for all."""
    inside = IncidentMember.objects.filter(exception_id__in=[record.pk for record in records], taken_out_at=None)
    found = dict(inside.values_list("exception_id", "incident_id")) if records else {}
    for record in records:
        record.incident_id = found.get(record.pk)  # type: ignore[attr-defined]
