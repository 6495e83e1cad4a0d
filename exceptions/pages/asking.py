"""Who asks for a page, and for which list."""

from collections.abc import Mapping
from typing import Any, cast

from django.http import HttpRequest, QueryDict

from e2a.errors import Unprocessable, flat_errors
from exceptions.api.asking import Asking
from exceptions.api.serializers import ONCE, FilterSerializer
from exceptions.choices import Status
from exceptions.selectors import Filters
from exceptions.transitions import UNRESOLVED
from orders.api.fields import single
from tenants.access import Access
from tenants.models import User

ACTIVE, ALL = "active", "all"
TABS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    ACTIVE: ("Active", UNRESOLVED),
    "open": ("Open", (Status.OPEN,)),
    "acknowledged": ("Acknowledged", (Status.ACKNOWLEDGED,)),
    "in_progress": ("In progress", (Status.IN_PROGRESS,)),
    "resolved": ("Resolved", (Status.RESOLVED,)),
    ALL: ("All", ()),
}


def asking_of_page(request: HttpRequest) -> Asking:
    """Behind `member_page` only."""
    access: Access = request.access  # type: ignore[attr-defined]
    return Asking(access.actor, cast(User, request.user), access.schema, access.now)


def tab_of(query: QueryDict) -> str:
    """The chosen tab. `status` in an address takes a tab's name or, as the API does, a status."""
    asked = query.get("status", "").lower()
    return asked if asked in TABS else ACTIVE


def filters_of(query: QueryDict, asking: Asking) -> Filters:
    """The filter that an address names. Raises: Unprocessable with a sentence for each value that is not usable."""
    given: dict[str, Any] = {key: value for key, value in single(query, ONCE).items() if value not in ("", [""])}
    given["status"] = list(TABS[tab_of(query)][1])
    serializer = FilterSerializer(data=given, context={"asking": asking})
    if not serializer.is_valid():
        raise Unprocessable("This filter cannot be used.", errors=flat_errors(serializer.errors))
    return serializer.to_filters()
