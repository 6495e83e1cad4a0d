"""/exceptions/: what is wrong, newest first, by a filter that stands in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from e2a.pages import show
from exceptions.choices import Reason, Severity, Status
from exceptions.models import ExceptionRecord
from exceptions.pages.asking import TABS, asking_of_page, filters_of, tab_of
from exceptions.selectors import Filters, assignee_names, count_statuses, members_of, page_exceptions
from exceptions.transitions import UNRESOLVED
from orders.selectors import merchants_seen
from tenants.gate import member_page
from tenants.models import Scope

PAGE_SIZE = 50
MOST_COUNTED = 10_000
FILTER_NAMES = ("severity", "reason_code", "merchant", "assignee", "search", "history", "opened_after", "opened_before")


@dataclass(frozen=True, slots=True)
class Tab:
    value: str
    title: str
    count: str
    current: bool


@member_page(Scope.READ)
def exceptions(request: HttpRequest) -> HttpResponse:
    asking = asking_of_page(request)
    filters = filters_of(request.GET, asking)
    page = page_exceptions(filters, now=asking.now, cursor=request.GET.get("cursor", ""), size=PAGE_SIZE)
    context = {
        "page": page,
        "tabs": tabs_of(filters, tab_of(request.GET)),
        "chosen": {name: request.GET.get(name, "") for name in FILTER_NAMES},
        "filtered": any(request.GET.get(name) for name in FILTER_NAMES),
        "file_address": file_address(request.GET),
        "severities": Severity.choices,
        "reasons": Reason.choices,
        "merchants": merchants_seen(),
        "members": members_of(asking.schema),
        "can_act": can_act(request),
        "now": asking.now,
    }
    name_assignees(page.rows)
    return show(request, "exceptions/list.html", "exceptions/_list.html", context)


def can_act(request: HttpRequest) -> bool:
    return Scope.OPERATE in request.access.scopes  # type: ignore[attr-defined]


def name_assignees(records: Sequence[ExceptionRecord]) -> None:
    """Gives each record `assignee_name`; one query for all."""
    names = assignee_names(records)
    for record in records:
        record.assignee_name = names.get(record.assignee_id or 0, "")  # type: ignore[attr-defined]


def tabs_of(filters: Filters, current: str) -> list[Tab]:
    counts = count_statuses(filters, most=MOST_COUNTED)
    return [Tab(value, title, counted(statuses, counts), value == current) for value, (title, statuses) in TABS.items()]


def counted(statuses: Sequence[str], counts: Mapping[str, int]) -> str:
    number = sum(counts[status] for status in statuses or Status.values)
    many = counts[Status.RESOLVED] > MOST_COUNTED and tuple(statuses) != UNRESOLVED and len(statuses) != 1
    if many or (tuple(statuses) == (Status.RESOLVED,) and number > MOST_COUNTED):
        return f"{MOST_COUNTED:,}+"
    return f"{number:,}"


def file_address(query: QueryDict) -> str:
    """The same list as a CSV file of the API."""
    wanted: dict[str, Any] = {name: query.getlist(name) for name in FILTER_NAMES if query.get(name)}
    wanted["status"] = list(TABS[tab_of(query)][1])
    return f"{reverse('api-exceptions-csv')}?{urlencode(wanted, doseq=True)}"
