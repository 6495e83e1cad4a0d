"""/at-risk/: what will be late next, the least time left first, by a filter that stands in the address."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_tenants.utils import schema_context

from e2a.errors import Unprocessable
from e2a.pages import show
from e2a.spreadsheets import csv_text
from orders.at_risk import (
    FILTER_NAMES,
    LOOKED_BACK,
    MOST_COUNTED,
    AtRiskFilters,
    choices_at_risk,
    count_risks,
    page_at_risk,
    parts_at_risk,
)
from orders.models import Stage
from orders.pages.acts import access_of
from orders.selectors import STAGE_NAMES
from tenants.gate import member_page
from tenants.models import Scope
from tenants.policy_words import STAGE_WORDS

PAGE_SIZE = 50
LONGEST = 128
HEADER = ("order_id", "merchant", "stage", "due_at", "at_risk_since", "warehouse", "carrier", "rule")


@require_safe
@member_page(Scope.READ)
def at_risk(request: HttpRequest) -> HttpResponse:
    filters, now = filters_of(request.GET), access_of(request).now
    page = page_at_risk(filters, cursor=request.GET.get("cursor", ""), size=PAGE_SIZE)
    chosen = {name: getattr(filters, name) for name in FILTER_NAMES}
    given = {name: value for name, value in chosen.items() if value}
    context = {
        "page": page,
        "counts": [counted(number) for number in count_risks(filters, now=now)],
        "days": LOOKED_BACK.days,
        "stages": [(name, STAGE_WORDS[name]) for name in STAGE_NAMES],
        "choices": choices_at_risk(),
        "chosen": chosen,
        "filtered": bool(given),
        "file_address": reverse("at-risk-csv") + (f"?{urlencode(given)}" if given else ""),
    }
    return show(request, "orders/at_risk.html", "orders/_at_risk.html", context)


@require_safe
@member_page(Scope.READ)  # type: ignore[arg-type]  # the gate passes a stream on as it is
def at_risk_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The whole list of the filter as a file."""
    lines = stream(filters_of(request.GET), access_of(request).schema)
    headers = {"Content-Disposition": 'attachment; filename="at-risk.csv"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def filters_of(query: QueryDict) -> AtRiskFilters:
    """Raises: Unprocessable with a sentence at the value."""
    given = {name: query.get(name, "") for name in FILTER_NAMES}
    errors = {
        name: ["That is too long, or holds what cannot be printed; choose one of the list."]
        for name, value in given.items()
        if len(value) > LONGEST or "\0" in value
    }
    if given["stage"] not in ("", *STAGE_NAMES):
        errors["stage"] = [f"There is no such stage; use {', '.join(STAGE_NAMES)}."]
    if errors:
        raise Unprocessable("This filter cannot be used.", errors=errors)
    return AtRiskFilters(**given)


def counted(number: int) -> str:
    return f"{MOST_COUNTED:,}+" if number > MOST_COUNTED else f"{number:,}"


def stream(filters: AtRiskFilters, schema: str) -> Iterator[str]:
    """Runs after the view has returned, when the connection has left the tenant: each part enters it anew."""
    yield csv_text([HEADER])
    parts = parts_at_risk(filters)
    while True:
        with schema_context(schema):
            part = next(parts, None)
        if part is None:
            return
        yield csv_text([cells_of(stage) for stage in part])


def cells_of(stage: Stage) -> list[object]:
    order = stage.order
    return [
        order.order_id,
        order.merchant,
        stage.name,
        stage.due_at,
        stage.at_risk_at,
        order.warehouse,
        order.carrier,
        order.rule,
    ]
