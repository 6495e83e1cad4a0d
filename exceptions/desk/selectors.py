"""What the list shows besides its rows: how many each tab has, what can be chosen, which page comes next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection
from django.db.models import Count, Q

from exceptions.choices import Status
from exceptions.desk.acts import WORDS
from exceptions.desk.tabs import COLUMN_TITLES, DEFAULT_COLUMNS, OF_THE_ORDER, Sort
from exceptions.models import ExceptionRecord
from exceptions.selectors import (
    Filters,
    filter_exceptions,
    held_by,
    page_by_priority,
    page_exceptions,
    sleeping,
    with_overdue,
)
from exceptions.transitions import UNRESOLVED
from orders.cursors import Page, page_soonest

MOST_COUNTED = 10_000
LOOKED_AT = 1_000  # of the highest unresolved: whose carriers, warehouses and tags are offered
# One statement for all that stands around the rows. Merchants are walked along an index, whatever the number of orders.
AROUND = """
WITH RECURSIVE seen(merchant) AS (
  (SELECT min(merchant) FROM orders_order)
  UNION ALL
  SELECT (SELECT min(o.merchant) FROM orders_order o WHERE o.merchant > s.merchant) FROM seen s WHERE s.merchant IS NOT NULL
), looked_at AS MATERIALIZED (
  SELECT o.carrier, o.warehouse, x.tags FROM (
    SELECT order_id, tags FROM exceptions_record WHERE NOT verdict = 'none' AND NOT status = 'RESOLVED'
    ORDER BY priority DESC, opened_at DESC, id DESC LIMIT %(most)s) x JOIN orders_order o ON o.id = x.order_id
)
SELECT array(SELECT merchant FROM seen WHERE merchant IS NOT NULL LIMIT 100),
  array(SELECT DISTINCT carrier FROM looked_at WHERE carrier <> '' ORDER BY 1 LIMIT 100),
  array(SELECT DISTINCT warehouse FROM looked_at WHERE warehouse <> '' ORDER BY 1 LIMIT 100),
  array(SELECT DISTINCT unnest(tags) FROM looked_at ORDER BY 1 LIMIT 100),
  (SELECT coalesce(json_agg(json_build_array(id, name, query, owner_id, shared) ORDER BY shared DESC, lower(name)), '[]')
    FROM exceptions_savedview WHERE shared OR owner_id = %(me)s),
  (SELECT columns FROM exceptions_deskcolumns WHERE user_id = %(me)s),
  (SELECT coalesce(json_agg(json_build_array(id, action, total, position) ORDER BY id), '[]')
    FROM exceptions_bulkrun WHERE state = 'running')"""


@dataclass(frozen=True, slots=True)
class View:
    """A saved view that the person sees."""

    id: int
    name: str
    query: str
    owner_id: int
    shared: bool


@dataclass(frozen=True, slots=True)
class Running:
    """An act on many that is under way."""

    id: int
    action: str
    total: int
    position: int

    @property
    def words(self) -> str:
        return f"{WORDS[self.action].verb} {self.total:,}"

    @property
    def percent(self) -> int:
        return 100 * self.position // max(self.total, 1)


@dataclass(frozen=True, slots=True)
class Around:
    """What the filters offer to choose; the person's and the shared views; the person's columns; what is under way."""

    merchants: list[str]
    carriers: list[str]
    warehouses: list[str]
    tags: list[str]
    views: list[View]
    columns: list[str]
    running: list[Running]


def count_each(lists: Mapping[str, Filters], *, most: int = MOST_COUNTED) -> dict[str, int]:
    """How many each of these lists has, up to `most` + 1, in one statement whose cost has a bound."""
    texts, values = [], []
    for filters in lists.values():
        rows = filter_exceptions(filters).order_by().values("pk")[: most + 1]
        text, given = rows.query.sql_with_params()
        texts.append(f"(SELECT count(*) FROM ({text}) x)")
        values += list(given)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(texts)}", values)
        return dict(zip(lists, cursor.fetchone(), strict=True))


def count_within(base: Filters, lists: Mapping[str, Filters], *, most: int = MOST_COUNTED) -> dict[str, int]:
    """As `count_each`, where the lists are the tabs of a filter that few rows may fit: those unresolved in one pass.

    Each tab by itself would go through all the rows, in vain of its bound. Resolved ones are counted up to `most` + 1.
    """
    unresolved = filter_exceptions(replace(base, status=UNRESOLVED, assignee=None)).order_by()
    counts: dict[str, int] = unresolved.aggregate(
        **{value: Count("pk", filter=part_of(each)) for value, each in lists.items()}
    )
    for value, each in lists.items():
        if not each.status or Status.RESOLVED in each.status:
            done = filter_exceptions(replace(each, status=(Status.RESOLVED,))).order_by().values("pk")
            counts[value] += done[: most + 1].count()
    return counts


def part_of(filters: Filters) -> Q:
    """Which rows of its base a tab has."""
    part = Q(status__in=filters.status or Status.values)
    if filters.snoozed is not None:
        part &= sleeping(filters.snoozed)
    return part if filters.assignee is None else part & held_by(filters.assignee)


def around(user_id: int) -> Around:
    with connection.cursor() as cursor:
        cursor.execute(AROUND, {"most": LOOKED_AT, "me": user_id})
        merchants, carriers, warehouses, tags, views, columns, running = cursor.fetchone()
    chosen = DEFAULT_COLUMNS if columns is None else [name for name in columns if name in COLUMN_TITLES]
    under_way = [Running(*row) for row in running]
    return Around(merchants, carriers, warehouses, tags, [View(*row) for row in views], list(chosen), under_way)


def page_sorted(
    filters: Filters, sort: Sort, *, now: datetime, cursor: str, size: int, columns: Sequence[str] = ()
) -> Page[ExceptionRecord]:
    """A page of the list, each row with `overdue`, and with its order if a column is of it. Raises: Unprocessable."""
    joined = ("order",) if OF_THE_ORDER & set(columns) else ()
    if sort == Sort.PRIORITY:
        return page_by_priority(filters, now=now, cursor=cursor, size=size, joined=joined)
    if sort == Sort.NEWEST:
        return page_exceptions(filters, now=now, cursor=cursor, size=size, joined=joined)
    rows = with_overdue(filter_exceptions(filters), now=now).select_related(*joined)
    return page_soonest(rows, "opened_at", cursor=cursor, size=size)
