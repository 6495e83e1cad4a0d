"""/exceptions/: the desk's list, by a filter that stands in the address."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from e2a.pages import show, wants_part
from exceptions.choices import Reason, Severity
from exceptions.desk.selectors import MOST_COUNTED, Around, count_each, count_within, page_sorted
from exceptions.desk.selectors import around as look_around
from exceptions.desk.staying import read_shown, stay
from exceptions.desk.tabs import COLUMN_TITLES, SORT_TITLES, TABS
from exceptions.incidents.selectors import name_incidents
from exceptions.models import ExceptionRecord
from exceptions.pages.asking import FILTER_NAMES, Asked, asked_of, asking_of_page, canonical, words_of
from exceptions.selectors import Filters, assignee_names, members_of
from orders.cursors import Page
from orders.selectors import STAGE_NAMES
from tenants.gate import member_page
from tenants.models import Scope, User
from tenants.policy_words import STAGE_WORDS

PAGE_SIZE = 50
AGES = {"1": "1 hour", "4": "4 hours", "24": "1 day", "72": "3 days", "168": "1 week", "720": "30 days"}
HISTORY = (("false", "Without history"), ("true", "History only"))
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TabLink:
    value: str
    title: str
    count: str
    current: bool


@dataclass(frozen=True, slots=True)
class ViewLink:
    id: int
    name: str
    query: str
    shared: bool
    current: bool


@dataclass(frozen=True, slots=True)
class Select:
    """A filter with its choices; `any` is what it says when nothing is chosen."""

    name: str
    title: str
    any: str
    value: str
    choices: Choices


@member_page(Scope.READ)
def exceptions(request: HttpRequest) -> HttpResponse:
    asking = asking_of_page(request)
    asked = asked_of(request.GET, asking)
    me = cast(User, asking.user).pk
    around = look_around(me)
    page, news = page_of(request, asked, around.columns, asking.now)
    members = members_of(asking.schema)
    name_assignees(page.rows, known=members)
    name_incidents(page.rows)
    context = {
        "page": page,
        "news": news,
        "running": around.running,
        "tabs": tabs_of(asked, me),
        "views": views_of(around, canonical(request.GET)),
        "query": canonical(request.GET),
        "asked": asked,
        "selects": selects_of(request.GET, asked, around, people_of(members, me)),
        "search": request.GET.get("search", ""),
        "sorts": SORT_TITLES.items(),
        "columns": [(name, COLUMN_TITLES[name]) for name in around.columns],
        "filtered": any(request.GET.get(name) for name in FILTER_NAMES),
        "files": [(kind.upper(), file_address(request.GET, asked, kind)) for kind in ("csv", "xlsx")],
        "can_act": can_act(request),
    }
    return show(request, "exceptions/list.html", "exceptions/_list.html", context)


def page_of(
    request: HttpRequest, asked: Asked, columns: Sequence[str], now: datetime
) -> tuple[Page[ExceptionRecord], str]:
    """The rows, and what is new beside them: for a page that is open the rows that it shows, else a fresh list."""
    start = request.GET.get("cursor", "")
    shown = read_shown(request.headers.get("E2A-Shown", ""), start, request.headers.get("E2A-Next", ""))
    if shown and wants_part(request):
        staying = stay(shown, asked.filters, asked.sort, now=now, size=PAGE_SIZE, columns=columns)
        if staying:
            return Page(staying.rows, shown.next or None), staying.words
    return page_sorted(asked.filters, asked.sort, now=now, cursor=start, size=PAGE_SIZE, columns=columns), ""


def can_act(request: HttpRequest) -> bool:
    return Scope.OPERATE in request.access.scopes  # type: ignore[attr-defined]


def name_assignees(records: Sequence[ExceptionRecord], *, known: Sequence[User] = ()) -> None:
    """Gives each record `assignee_name`; asks only, and once, for those who are not among the known."""
    names = {user.pk: user.username for user in known}
    names |= assignee_names([record for record in records if record.assignee_id not in names])
    for record in records:
        record.assignee_name = names.get(record.assignee_id or 0, "")  # type: ignore[attr-defined]


def views_of(around: Around, query: str) -> list[ViewLink]:
    return [ViewLink(view.id, view.name, view.query, view.shared, view.query == query) for view in around.views]


def tabs_of(asked: Asked, me: int) -> list[TabLink]:
    lists = {value: tab.narrow(asked.base, me=me) for value, tab in TABS.items()}
    counts = count_each(lists) if asked.base == Filters() else count_within(asked.base, lists)
    return [TabLink(value, tab.title, counted(counts[value]), value == asked.tab) for value, tab in TABS.items()]


def counted(number: int) -> str:
    return f"{MOST_COUNTED:,}+" if number > MOST_COUNTED else f"{number:,}"


def people_of(members: Sequence[User], me: int) -> Choices:
    others = [(user.username, user.get_full_name() or user.username) for user in members if user.pk != me]
    return [("me", "Mine"), ("nobody", "Nobody's"), *others]


def selects_of(query: QueryDict, asked: Asked, around: Around, people: Choices) -> list[Select]:
    """The filters to choose from. Those with one choice at most are left out, unless the address names one."""
    ages = [(hours, f"Older than {words}") for hours, words in AGES.items()]
    seen = {
        "merchant": around.merchants,
        "carrier": around.carriers,
        "warehouse": around.warehouses,
        "tag": around.tags,
    }
    selects = [
        Select("severity", "Severity", "Any severity", query.get("severity", ""), Severity.choices),
        Select("reason_code", "Reason", "Any reason", query.get("reason_code", ""), Reason.choices),
        Select("stage", "Stage", "Any stage", query.get("stage", ""), [(n, STAGE_WORDS[n]) for n in STAGE_NAMES]),
        *(seen_select(query, name, words) for name, words in seen.items()),
        Select("older_than", "Age", "Any age", query.get("older_than", ""), ages),
        Select("history", "History", "With history", query.get("history", ""), HISTORY),
    ]
    selects.append(Select("incident", "Incident", "Any incident", query.get("incident", ""), []))
    if not asked.within.whose:
        selects.append(Select("assignee", "Assignee", "Anybody's", query.get("assignee", ""), people))
    chosen = [with_chosen(select) for select in selects]
    return [select for select in chosen if select.value or len(select.choices) > (select.name != "tag")]


def seen_select(query: QueryDict, name: str, words: Sequence[str]) -> Select:
    return Select(name, name.title(), f"Any {name}", query.get(name, ""), [(word, word) for word in words])


def with_chosen(select: Select) -> Select:
    """What the address names can be chosen, offered or not."""
    if not select.value or select.value in dict(select.choices):
        return select
    return Select(select.name, select.title, select.any, select.value, [*select.choices, (select.value, select.value)])


def file_address(query: QueryDict, asked: Asked, kind: str) -> str:
    """The same list as a file of the API, which knows no tabs."""
    wanted: dict[str, Any] = {key: value for key, value in words_of(query).items() if key in FILTER_NAMES and value}
    wanted |= {"status": list(asked.within.status)}
    if asked.within.snoozed is not None:
        wanted["snoozed"] = str(asked.within.snoozed).lower()
    if asked.within.whose:
        wanted["assignee"] = asked.within.whose
    return f"{reverse(f'api-exceptions-{kind}')}?{urlencode(wanted, doseq=True)}"
