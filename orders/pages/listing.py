"""/orders/: the latest receipt first, by a filter that stands in the address."""

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict

from e2a.errors import Unprocessable, flat_errors
from e2a.pages import show
from orders.api.fields import single
from orders.api.serializers import OrderQuerySerializer
from orders.models import OrderStatus
from orders.selectors import OrderFilters, merchants_seen, page_orders, stages_of
from tenants.gate import member_page
from tenants.models import Scope

PAGE_SIZE = 50
FILTER_NAMES = ("search", "status", "merchant", "held")


@member_page(Scope.READ)
def orders(request: HttpRequest) -> HttpResponse:
    page = page_orders(filters_of(request.GET), cursor=request.GET.get("cursor", ""), size=PAGE_SIZE)
    for order in page.rows:
        order.course = stages_of(order.stages.all())  # type: ignore[attr-defined]
        order.wrong = [each for each in order.exceptions.all() if is_open(each)]  # type: ignore[attr-defined]
    context = {
        "page": page,
        "chosen": {name: request.GET.get(name, "") for name in FILTER_NAMES},
        "filtered": any(request.GET.get(name) for name in FILTER_NAMES),
        "statuses": OrderStatus.choices,
        "merchants": merchants_seen(),
    }
    return show(request, "orders/list.html", "orders/_list.html", context)


def is_open(exception: Any) -> bool:
    return bool(exception.verdict != "none" and exception.status != "RESOLVED")


def filters_of(query: QueryDict) -> OrderFilters:
    """Raises: Unprocessable with a sentence for each value that is not usable."""
    once = single(query, ("held", "search"))
    given = {key: value for key, value in once.items() if key in FILTER_NAMES and value not in ("", [""])}
    serializer = OrderQuerySerializer(data=given)
    if not serializer.is_valid():
        raise Unprocessable("This filter cannot be used.", errors=flat_errors(serializer.errors))
    return serializer.to_filters()
