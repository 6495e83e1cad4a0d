"""Pages by cursor, newest first unless said: a cursor names the last row seen, so rows that come or go shift no page."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db.models import F, Model, Q, QuerySet

from e2a.errors import Unprocessable

BIGGEST_ID = 2**63 - 1
BIGGEST_RANK = 2**31 - 1
NEVER = datetime.max.replace(tzinfo=UTC)  # in a cursor: the row has no time, and stands after all that have one
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The position of a row: its time and its id; in a list sorted by a number first, that number too."""

    at: datetime
    id: int
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """`next` is the text of the cursor that leads on; None on the last page."""

    rows: list[Row]
    next: str | None


def encode_cursor(cursor: Cursor) -> str:
    text = f"{cursor.at.astimezone(UTC).isoformat()}|{cursor.id}"
    if cursor.rank is not None:
        text += f"|{cursor.rank}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str) -> Cursor:
    """Takes a cursor, or the whole address given as `next`. Raises: Unprocessable."""
    code = text.rpartition("cursor=")[2].partition("&")[0]
    try:
        at, number, *rank = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)).decode("ascii").split("|", 2)
        cursor = Cursor(datetime.fromisoformat(at), int(number), int(rank[0]) if rank else None)
    except (binascii.Error, ValueError):
        raise Unprocessable(errors={"cursor": ["Not a cursor of this list: take it from `next`."]}) from None
    if cursor.at.tzinfo is None or not 0 <= cursor.id <= BIGGEST_ID or not 0 <= (cursor.rank or 0) <= BIGGEST_RANK:
        raise Unprocessable(errors={"cursor": ["Not a cursor of this list: take it from `next`."]})
    return cursor


def newest_first(rows: QuerySet[Row], field: str, *, after: Cursor | None) -> QuerySet[Row]:
    if after is not None:
        # The first condition bounds the index scan; the second cuts among rows of the same instant.
        rows = rows.filter(Q(**{f"{field}__lte": after.at}) & ~Q(**{field: after.at, "pk__gte": after.id}))
    return rows.order_by(f"-{field}", "-pk")


def page_of(rows: QuerySet[Row], field: str, *, cursor: str, size: int) -> Page[Row]:
    """A page of at most `size` rows after the cursor ("" for the first), by `field` and id, newest first."""
    after = decode_cursor(cursor) if cursor else None
    found = list(newest_first(rows, field, after=after)[: size + 1])
    if len(found) <= size:
        return Page(found, None)
    last: Any = found[size - 1]
    return Page(found[:size], encode_cursor(Cursor(getattr(last, field), last.pk)))


def highest_first(rows: QuerySet[Row], rank: str, field: str, *, after: Cursor | None) -> QuerySet[Row]:
    """By a number, then newest first."""
    if after is not None and after.rank is not None:
        later = Q(**{f"{field}__lt": after.at}) | Q(**{field: after.at, "pk__lt": after.id})
        # The first condition bounds the index scan; the second cuts among rows of the same rank.
        rows = rows.filter(Q(**{f"{rank}__lte": after.rank}), Q(**{f"{rank}__lt": after.rank}) | later)
    return rows.order_by(f"-{rank}", f"-{field}", "-pk")


def page_by_rank(rows: QuerySet[Row], rank: str, field: str, *, cursor: str, size: int) -> Page[Row]:
    """A page of at most `size` rows, by `rank`, `field` and id, all descending. Raises: Unprocessable."""
    after = decode_cursor(cursor) if cursor else None
    if after is not None and after.rank is None:
        raise Unprocessable(errors={"cursor": ["Not a cursor of this list: take it from `next`."]})
    found = list(highest_first(rows, rank, field, after=after)[: size + 1])
    if len(found) <= size:
        return Page(found, None)
    last: Any = found[size - 1]
    return Page(found[:size], encode_cursor(Cursor(getattr(last, field), last.pk, getattr(last, rank))))


def soonest_first(rows: QuerySet[Row], field: str, *, after: Cursor | None) -> QuerySet[Row]:
    """By a time that may be null; those without one come last."""
    if after is not None and after.at == NEVER:
        rows = rows.filter(**{f"{field}__isnull": True, "pk__gt": after.id})
    elif after is not None:
        later = Q(**{f"{field}__gt": after.at}) | Q(**{field: after.at, "pk__gt": after.id})
        rows = rows.filter(later | Q(**{f"{field}__isnull": True}))
    return rows.order_by(F(field).asc(nulls_last=True), "pk")


def page_soonest(rows: QuerySet[Row], field: str, *, cursor: str, size: int) -> Page[Row]:
    """A page of at most `size` rows, the soonest first. Raises: Unprocessable."""
    found = list(soonest_first(rows, field, after=decode_cursor(cursor) if cursor else None)[: size + 1])
    if len(found) <= size:
        return Page(found, None)
    last: Any = found[size - 1]
    return Page(found[:size], encode_cursor(Cursor(getattr(last, field) or NEVER, last.pk)))
