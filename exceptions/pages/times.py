"""/times/: how long exceptions take, by reason, merchant or assignee."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from e2a.pages import show
from exceptions.pages.scoreboard import PERIODS, days_of
from exceptions.pages.who import access_of
from exceptions.times import DIMENSIONS, TITLES, measure_times
from tenants.gate import member_page
from tenants.models import Scope


@require_safe
@member_page(Scope.READ)
def times(request: HttpRequest) -> HttpResponse:
    days = days_of(request.GET.get("days", ""))
    by = request.GET.get("by", "")
    by = by if by in DIMENSIONS else "reason"
    context = {
        "days": days,
        "periods": PERIODS,
        "by": by,
        "title": TITLES[by],
        "dimensions": list(TITLES.items()),
        "measured": measure_times(since=access_of(request).now - timedelta(days=days), by=by),
    }
    return show(request, "exceptions/times.html", "exceptions/_times.html", context)
