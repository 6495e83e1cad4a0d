"""Who asks for a page, and for which list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict

from e2a.errors import Unprocessable, flat_errors
from exceptions.api.asking import Asking
from exceptions.api.serializers import ONCE, FilterSerializer
from exceptions.desk.tabs import ACTIVE, SORT_TITLES, TABS, Sort, Tab
from exceptions.selectors import Filters
from tenants.access import Access
from tenants.models import User

# What an address may say of a list, besides its tab (`status`), `sort` and `cursor`.
FILTER_NAMES = (
    "severity",
    "reason_code",
    "stage",
    "merchant",
    "carrier",
    "warehouse",
    "assignee",
    "older_than",
    "search",
    "tag",
    "history",
    "verdict",
    "order_id",
    "incident",
    "opened_after",
    "opened_before",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The list that an address names. `base`: its filter without the tab's own part."""

    tab: str
    sort: Sort
    base: Filters
    filters: Filters

    @property
    def within(self) -> Tab:
        return TABS[self.tab]


def asking_of_page(request: HttpRequest) -> Asking:
    """Behind `member_page` only."""
    access: Access = request.access  # type: ignore[attr-defined]
    return Asking(access.actor, cast(User, request.user), access.schema, access.now)


def tab_of(query: QueryDict) -> str:
    """The chosen tab. `status` in an address takes a tab's name or, as the API does, a status."""
    asked = query.get("status", "").lower()
    return asked if asked in TABS else ACTIVE


def sort_of(query: QueryDict) -> Sort:
    """Raises: Unprocessable."""
    asked = query.get("sort", "")
    if asked and asked not in SORT_TITLES:
        raise Unprocessable(errors={"sort": [f"“{asked}” is no order of the list: use {', '.join(SORT_TITLES)}."]})
    return Sort(asked) if asked else TABS[tab_of(query)].sort


def asked_of(query: QueryDict, asking: Asking) -> Asked:
    """Raises: Unprocessable with a sentence for each value that is not usable."""
    known: Mapping[str, Any] = words_of(query)
    given = {key: value for key, value in known.items() if key in FILTER_NAMES and value not in ("", [""], [])}
    serializer = FilterSerializer(data=given, context={"asking": asking})
    if not serializer.is_valid():
        raise Unprocessable("This filter cannot be used.", errors=flat_errors(serializer.errors))
    tab, base = tab_of(query), serializer.to_filters()
    return Asked(tab, sort_of(query), base, TABS[tab].narrow(base, me=cast(User, asking.user).pk))


def words_of(query: QueryDict) -> dict[str, Any]:
    return {key: query.get(key) if key in ONCE else [word for word in query.getlist(key) if word] for key in query}


def canonical(query: QueryDict) -> str:
    """The address's query with nothing but what makes the list, in one spelling."""
    said = {key: value for key, value in words_of(query).items() if key in FILTER_NAMES and value}
    if tab_of(query) != ACTIVE:
        said["status"] = tab_of(query)
    if sort_of(query) != TABS[tab_of(query)].sort:
        said["sort"] = str(sort_of(query))
    return urlencode(sorted(said.items()), doseq=True)
