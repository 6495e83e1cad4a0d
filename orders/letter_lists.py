"""Every shaped read of dead letters and of their replays. All of it reads the schema that the connection stands in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import msgspec
from django.db.models import Count, Func, IntegerField, Max, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast

from e2a.errors import NotFound
from orders.cursors import BIGGEST_ID, Page, page_of
from orders.models import DeadLetter, DeadLetterStatus, LetterReplay

WAITING = DeadLetterStatus.WAITING.value


class NoSuchLetter(NotFound):
    """There is no dead letter with this number."""


class NoSuchReplay(NotFound):
    """There is no replay with this number."""


class LetterFilters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Empty means any. `received_before` itself is outside. `search`: in ids, sentences and raw bytes."""

    status: tuple[str, ...] = (WAITING,)
    source: tuple[str, ...] = ()
    reason: tuple[str, ...] = ()
    received_after: datetime | None = None
    received_before: datetime | None = None
    search: str = ""
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Pile:
    """The waiting letters of one source and reason."""

    source: str
    reason: str
    letters: int
    latest_at: datetime


class BytesPosition(Func):
    """Where the first bytes stand in the second, from 1; 0 if nowhere."""

    template = "position(%(expressions)s)"
    arg_joiner = " in "
    output_field: ClassVar[Any] = IntegerField()


def filter_letters(filters: LetterFilters) -> QuerySet[DeadLetter]:
    chosen = DeadLetter.objects.all()
    several: dict[str, Sequence[Any]] = {
        "status": filters.status,
        "source": filters.source,
        "reason": filters.reason,
        "pk": filters.ids,
    }
    for name, values in several.items():
        if values:
            chosen = chosen.filter(**{f"{name}__in": values})
    if filters.received_after:
        chosen = chosen.filter(received_at__gte=filters.received_after)
    if filters.received_before:
        chosen = chosen.filter(received_at__lt=filters.received_before)
    return matching(chosen, filters.search) if filters.search else chosen


def matching(letters: QuerySet[DeadLetter], search: str) -> QuerySet[DeadLetter]:
    """A part of an id, of a sentence or of the raw body, or a whole correlation id."""
    text = search.replace("\0", "")
    return letters.alias(
        said=Cast("errors", TextField()), at=BytesPosition(Value(search.encode("utf-8", "replace")), "body")
    ).filter(
        Q(event_id__icontains=text)
        | Q(order_ref__icontains=text)
        | Q(correlation_id=text)
        | Q(said__icontains=text)
        | Q(at__gt=0)
    )


def page_letters(filters: LetterFilters, *, cursor: str, size: int) -> Page[DeadLetter]:
    """Newest first, without the bodies."""
    return page_of(filter_letters(filters).defer("body", "digest"), "received_at", cursor=cursor, size=size)


def count_letters(filters: LetterFilters, *, at_most: int) -> int:
    """How many there are, counted no further than `at_most`."""
    return filter_letters(filters).order_by()[:at_most].count()


def get_letter(pk: int) -> DeadLetter:
    """Raises: NoSuchLetter."""
    letter = DeadLetter.objects.filter(pk=pk).first() if 0 < pk <= BIGGEST_ID else None
    if letter is None:
        raise NoSuchLetter
    return letter


def list_piles() -> list[Pile]:
    """What waits, by source and reason, the biggest pile first."""
    rows = (
        DeadLetter.objects.filter(status=WAITING)
        .values_list("source", "reason")
        .annotate(letters=Count("pk"), latest_at=Max("received_at"))
        .order_by("-letters", "source", "reason")
    )
    return [Pile(*row) for row in rows]


def get_replay(pk: int) -> LetterReplay:
    """Raises: NoSuchReplay."""
    replay = LetterReplay.objects.filter(pk=pk).first() if 0 < pk <= BIGGEST_ID else None
    if replay is None:
        raise NoSuchReplay
    return replay


def list_replays(*, limit: int = 10) -> list[LetterReplay]:
    return list(LetterReplay.objects.order_by("-pk")[:limit])
