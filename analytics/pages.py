"""The overview: how the operation stands now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from analytics.selectors import (
    Day,
    deadlines_by_day,
    due_next,
    metrics_of,
    opened_by_day,
    source_signs,
    waiting_letters,
)
from e2a.pages import show
from exceptions.incidents.selectors import largest_incidents
from exceptions.incidents.telling import money, shared_words
from exceptions.selectors import Filters, list_exceptions
from exceptions.transitions import UNRESOLVED
from tenants.access import Access
from tenants.gate import member_page
from tenants.models import Scope

NEWEST = 8
LARGEST = 3  # incidents, by what is at stake
BAR_WIDTH, BAR_STEP, HEIGHT = 16, 20, 48


@dataclass(frozen=True, slots=True)
class Bar:
    """Of a drawn trend, in SVG units from the top: the whole and its bad part."""

    x: int
    y: int
    height: int
    bad_height: int
    day: Day

    @property
    def bad_y(self) -> int:
        return HEIGHT - self.bad_height


@dataclass(frozen=True, slots=True)
class Chart:
    bars: Sequence[Bar]
    total: int
    bad: int
    first: date
    last: date


@member_page(Scope.READ)
def dashboard(request: HttpRequest) -> HttpResponse:
    access = access_of(request)
    context = {
        "metrics": metrics_of(zone_of(request), access.now),
        "newest": list_exceptions(Filters(status=UNRESOLVED), now=access.now)[:NEWEST],
        "incidents": [(one, shared_words(one.shared), money(one.stake)) for one in largest_incidents(LARGEST)],
        "due_next": due_next(access.now),
        "sources": source_signs(),
        "letters": waiting_letters(),
        "can_act": Scope.OPERATE in access.scopes,
    }
    return show(request, "analytics/dashboard.html", "analytics/_dashboard.html", context)


@member_page(Scope.READ)
def trends(request: HttpRequest) -> HttpResponse:
    """Apart from the overview, since the past changes slowly and costs more to count."""
    zone, now = zone_of(request), access_of(request).now
    context = {"opened": chart(opened_by_day(zone, now)), "deadlines": chart(deadlines_by_day(zone, now))}
    return render(request, "analytics/_trends.html", context)


def access_of(request: HttpRequest) -> Access:
    access: Access = request.access  # type: ignore[attr-defined]
    return access


def zone_of(request: HttpRequest) -> str:
    zone: str = request.tenant.timezone  # type: ignore[attr-defined]
    return zone


def chart(days: Sequence[Day]) -> Chart:
    most = max([day.count for day in days] + [1])

    def high(count: int) -> int:
        return max(round(count / most * HEIGHT), 2) if count else 0

    bars = [
        Bar(n * BAR_STEP, HEIGHT - high(day.count), high(day.count), high(day.bad), day) for n, day in enumerate(days)
    ]
    return Chart(bars, sum(day.count for day in days), sum(day.bad for day in days), days[0].date, days[-1].date)
