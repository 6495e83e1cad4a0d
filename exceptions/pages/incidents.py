"""/incidents/: exceptions by what they share, what is at stake first; and one incident with all that belongs to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from e2a.errors import Unprocessable
from e2a.pages import show
from exceptions.desk.selectors import page_sorted
from exceptions.desk.tabs import Sort
from exceptions.incidents.models import Incident
from exceptions.incidents.rules import list_rules
from exceptions.incidents.selectors import (
    BY_STAKE,
    CLOSED,
    CONFIRMED,
    NEWEST,
    OPEN,
    SILENCED,
    SORTS,
    IncidentFilters,
    count_tabs,
    get_incident,
    page_incidents,
)
from exceptions.incidents.telling import money, shared_words, tell_incident, who
from exceptions.pages.listing import can_act, name_assignees
from exceptions.pages.who import access_of
from exceptions.selectors import Filters
from tenants.gate import member_page
from tenants.models import Scope

PAGE_SIZE = 50
MOST_SEARCH = 128
TAB_TITLES = {OPEN: "Open", CONFIRMED: "Confirmed", SILENCED: "Silenced", CLOSED: "Closed"}
SORT_TITLES = {BY_STAKE: "Most at stake first", NEWEST: "Newest first"}


@dataclass(frozen=True, slots=True)
class TabLink:
    value: str
    title: str
    count: int
    current: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """An incident with its words."""

    incident: Incident
    shares: str
    stake: Sequence[str]
    value: Sequence[str]


def shown(incident: Incident) -> Shown:
    return Shown(incident, shared_words(incident.shared), money(incident.stake), money(incident.value))


@require_safe
@member_page(Scope.READ)
def incidents(request: HttpRequest) -> HttpResponse:
    tab, sort = word_of(request, "tab", TAB_TITLES, OPEN), word_of(request, "sort", SORTS, "")
    rule, search = request.GET.get("rule", ""), request.GET.get("search", "").strip()[:MOST_SEARCH]
    filters = IncidentFilters(tab=tab, rule=(rule,) if rule else (), search=search)
    sort = sort or (NEWEST if tab == CLOSED else BY_STAKE)
    page = page_incidents(filters, sort=sort, cursor=request.GET.get("cursor", ""), size=PAGE_SIZE)
    counts = count_tabs(filters)
    context = {
        "page": page,
        "rows": [shown(incident) for incident in page.rows],
        "tabs": [TabLink(value, title, counts[value], value == tab) for value, title in TAB_TITLES.items()],
        "tab": tab,
        "sort": sort,
        "sorts": SORT_TITLES.items(),
        "rules": list_rules(),
        "rule": rule,
        "search": search,
        "filtered": bool(rule or search),
        "can_edit": Scope.ADMIN in access_of(request).scopes,
    }
    return show(request, "exceptions/incidents.html", "exceptions/_incidents.html", context)


def word_of(request: HttpRequest, name: str, known: Any, otherwise: str) -> str:
    """Raises: Unprocessable."""
    asked = request.GET.get(name, "")
    if asked and asked not in known:
        raise Unprocessable(errors={name: [f"“{asked}” is not known here: use {', '.join(known)}."]})
    return asked or otherwise


@require_safe
@member_page(Scope.READ)
def incident(request: HttpRequest, incident_id: int) -> HttpResponse:
    found = get_incident(incident_id)
    filters = Filters(incident=incident_id, verdict=("active", "over"))
    page = page_sorted(
        filters, Sort.NEWEST, now=access_of(request).now, cursor=request.GET.get("cursor", ""), size=PAGE_SIZE
    )
    name_assignees(page.rows)
    one = found.incident
    context = {
        "one": one,
        "told": shown(one),
        "timeline": tell_incident(found.timeline, found.runs),
        "running": [run for run in found.runs if run.state == "running"],
        "merged": found.merged,
        "taken_out": found.taken_out,
        "confirmed_by": who(one.confirmed_by),
        "silenced_by": who(one.silenced_by),
        "closed_by": who(one.closed_by),
        "page": page,
        "can_act": can_act(request),
    }
    return show(request, "exceptions/incident.html", "exceptions/_incident.html", context)
