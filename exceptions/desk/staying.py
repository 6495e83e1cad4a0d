"""A list that somebody looks at: its rows stay where they are while they change, and what is new is counted, not inserted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exceptions.desk.selectors import page_sorted
from exceptions.desk.tabs import OF_THE_ORDER, Sort
from exceptions.models import ExceptionRecord
from exceptions.selectors import Filters, filter_exceptions, with_overdue
from orders.cursors import Cursor, decode_cursor

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """What an open page shows: these rows, in this order. `start` and `next`: the cursors before and after them."""

    ids: Sequence[int]
    start: str
    next: str


@dataclass(frozen=True, slots=True)
class Staying:
    """`rows` carry `left`, whether they have gone out of the filter. `new`: rows that a fresh list would have among them."""

    rows: list[ExceptionRecord]
    left: int
    new: int

    @property
    def words(self) -> str:
        """`3 new, 2 gone`; empty when the list is as a fresh one would be."""
        return ", ".join(f"{number} {word}" for number, word in ((self.new, "new"), (self.left, "gone")) if number)


def read_shown(ids: str, start: str, next: str) -> Shown | None:
    """From the texts that the page sends; None when there is nothing to keep. Whatever is odd makes a fresh list."""
    words = ids.split(",")[: MOST_SHOWN + 1]
    if len(words) > MOST_SHOWN or any(not (word.isascii() and word.isdigit() and len(word) < 19) for word in words):
        return None
    return Shown([int(word) for word in words], start, next)


def stay(
    shown: Shown, filters: Filters, sort: Sort, *, now: datetime, size: int, columns: Sequence[str]
) -> Staying | None:
    """None when none of the rows is in the filter any more: then nothing can jump, and a fresh list is due. Raises: Unprocessable."""
    still = set(filter_exceptions(filters).order_by().filter(pk__in=shown.ids).values_list("pk", flat=True))
    if not still:
        return None
    fresh = page_sorted(filters, sort, now=now, cursor=shown.start, size=size).rows
    last = decode_cursor(shown.next) if shown.next else None
    new = [row for row in fresh if row.pk not in shown.ids and (last is None or comes_before(row, last, sort))]
    rows = rows_of(shown.ids, now=now, columns=columns)
    for row in rows:
        row.left = row.pk not in still  # type: ignore[attr-defined]
    return Staying(rows, len(rows) - len(still), len(new))


def rows_of(ids: Sequence[int], *, now: datetime, columns: Sequence[str]) -> list[ExceptionRecord]:
    joined = ("order",) if OF_THE_ORDER & set(columns) else ()
    found = with_overdue(ExceptionRecord.objects.filter(pk__in=ids), now=now).select_related(*joined).in_bulk()
    return [found[pk] for pk in ids if pk in found]


def comes_before(row: ExceptionRecord, last: Cursor, sort: Sort) -> bool:
    """Whether a list in this order has the row above the one that the cursor names."""
    mine: tuple[Any, ...] = (row.opened_at, row.pk)
    its: tuple[Any, ...] = (last.at, last.id)
    if sort == Sort.OVERDUE:
        return mine < its
    if sort == Sort.PRIORITY:
        return (row.priority, *mine) > (last.rank or 0, *its)
    return mine > its
