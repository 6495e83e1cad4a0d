"""What the list shows besides its rows: how many each tab has, what can be chosen, which page comes next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from exceptions.desk.tabs import OF_THE_ORDER, Sort
from exceptions.models import ExceptionRecord
from exceptions.selectors import Filters, filter_exceptions, page_by_priority, page_exceptions, with_overdue
from orders.cursors import Page, page_soonest

MOST_COUNTED = 10_000
LOOKED_AT = 1_000  # of the highest unresolved: whose carriers and warehouses are offered
# One statement for what the filters offer. Merchants are walked along an index, whatever the number of orders.
OFFERED = """
WITH RECURSIVE seen(merchant) AS (
  (SELECT min(merchant) FROM orders_order)
  UNION ALL
  SELECT (SELECT min(o.merchant) FROM orders_order o WHERE o.merchant > s.merchant) FROM seen s WHERE s.merchant IS NOT NULL
), looked_at AS MATERIALIZED (
  SELECT o.carrier, o.warehouse FROM (
    SELECT order_id FROM exceptions_record WHERE NOT verdict = 'none' AND NOT status = 'RESOLVED'
    ORDER BY priority DESC, opened_at DESC, id DESC LIMIT %(most)s) x JOIN orders_order o ON o.id = x.order_id
)
SELECT array(SELECT merchant FROM seen WHERE merchant IS NOT NULL LIMIT 100),
  array(SELECT DISTINCT carrier FROM looked_at WHERE carrier <> '' ORDER BY 1 LIMIT 100),
  array(SELECT DISTINCT warehouse FROM looked_at WHERE warehouse <> '' ORDER BY 1 LIMIT 100)"""


@dataclass(frozen=True, slots=True)
class Offered:
    """What the filters offer to choose."""

    merchants: list[str]
    carriers: list[str]
    warehouses: list[str]


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


def offered() -> Offered:
    with connection.cursor() as cursor:
        cursor.execute(OFFERED, {"most": LOOKED_AT})
        return Offered(*cursor.fetchone())


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
