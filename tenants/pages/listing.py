"""A long list in pages of fifty, by the number of the page: `cursor` in the address, `next` for templates/_pagination.html."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)
PAGE_SIZE = 50
MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    rows: Sequence[Row]
    next: str


def page_of(request: HttpRequest, rows: QuerySet[Row]) -> Page[Row]:
    """One query. Anything that is no number of a page is the first one."""
    asked = request.GET.get("cursor", "")
    number = min(int(asked), MOST_PAGES) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0
    found = list(rows[number * PAGE_SIZE : (number + 1) * PAGE_SIZE + 1])
    return Page(found[:PAGE_SIZE], str(number + 1) if len(found) > PAGE_SIZE else "")
