"""Replaying all dead letters of a filter: a dry run, and a row that is its own queue and says how far it is."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from django.db import transaction
from django.db.models.functions import Length

from e2a.postgresql.raw import database_now, raw_connection
from orders.letter_lists import WAITING, LetterFilters, filter_letters
from orders.letter_replay import Effect, Outcome, claim, counts_of, replay
from orders.letters import report_replayed, retried
from orders.looking import free_rows
from orders.models import LetterReplay, ReplayStatus
from orders.statements import statements_of

CHUNK = 200  # letters in a transaction
CHUNK_BYTES = 8 * 1024 * 1024
LEASE = timedelta(seconds=60)
REHEARSED_AT_MOST = 2_000  # their orders are locked for about a second meanwhile


class LostReplay(Exception):
    """The replay was stopped, or another process works on it."""


@dataclass(slots=True)
class Rehearsal:
    """What a replay would do, from doing it in a transaction that was rolled back. `whole`: all of the filter's letters."""

    matched: int
    outcomes: list[Outcome] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return len(self.outcomes) >= self.matched

    @property
    def counts(self) -> dict[str, int]:
        return counts_of(self.outcomes, self.effects, {})


def rehearse(schema: str, filters: LetterFilters, *, at_most: int = REHEARSED_AT_MOST) -> Rehearsal:
    """A dry run: does it all, and takes it all back. Of a long list only the first letters, oldest first."""
    waiting = msgspec.structs.replace(filters, status=(WAITING,))
    matched = filter_letters(waiting).count()

    def once() -> Rehearsal:
        found = Rehearsal(matched)
        with transaction.atomic():
            position = 0
            while len(found.outcomes) < at_most and (ids := next_ids(waiting, after=position, through=None)):
                now = database_now(raw_connection())
                letters = claim(raw_connection(), schema, ids[: at_most - len(found.outcomes)])
                done = replay(raw_connection(), statements_of(schema), letters, now=now, actor="", dry_run=True)
                found.outcomes += done.outcomes
                found.effects += done.effects
                position = ids[-1]
            transaction.set_rollback(True)
        return found

    return retried(once)


def next_ids(filters: LetterFilters, *, after: int, through: int | None) -> list[int]:
    """The next waiting letters of the filter, oldest number first: a chunk by number and by size."""
    chosen = filter_letters(filters).filter(pk__gt=after)
    if through is not None:
        chosen = chosen.filter(pk__lte=through)
    rows = chosen.order_by("pk").values_list("pk", Length("body"))[:CHUNK]
    return list(fitting(rows))


def fitting(rows: Sequence[tuple[int, int]] | Any) -> Iterator[int]:
    size = 0
    for number, (pk, length) in enumerate(rows):
        size += length
        if number and size > CHUNK_BYTES:
            return
        yield pk


def start_replay(filters: LetterFilters, *, actor: str) -> LetterReplay:
    """A row, for whoever works on it first. Letters that come in later are not part of it."""
    waiting = msgspec.structs.replace(filters, status=(WAITING,))
    newest = filter_letters(waiting).order_by("-pk").values_list("pk", flat=True).first() or 0
    return LetterReplay.objects.create(
        asked_by=actor,
        filters=msgspec.to_builtins(waiting),
        total=filter_letters(waiting).filter(pk__lte=newest).count(),
        through=newest,
    )


def stop_replay(pk: int, *, now: datetime) -> bool:
    """What is replayed stays so; the rest waits. Whether it was running."""
    running = LetterReplay.objects.filter(pk=pk, status=ReplayStatus.RUNNING)
    return bool(running.update(status=ReplayStatus.STOPPED, finished_at=now, leased_until=None))


def run_replay(
    schema: str, pk: int, *, seconds: float | None = None, progress: Callable[[LetterReplay], None] | None = None
) -> LetterReplay:
    """Works on a replay until it is done, stopped, or `seconds` have passed; the next call goes on from there.

    Each chunk's effects, its letters' marks and the progress are one transaction. Another process at it is left alone.
    """
    ends = None if seconds is None else time.monotonic() + seconds
    row = lease(pk)
    while row is not None and row.status == ReplayStatus.RUNNING:
        try:
            row = retried(partial(advance, schema, row))
        except LostReplay:
            break
        if progress:
            progress(row)
        if ends is not None and time.monotonic() > ends:
            break
    if row is not None:
        LetterReplay.objects.filter(pk=pk, leased_until=row.leased_until).update(leased_until=None)
    return LetterReplay.objects.get(pk=pk)


def lease(pk: int) -> LetterReplay | None:
    now = database_now(raw_connection())
    free = LetterReplay.objects.filter(pk=pk, status=ReplayStatus.RUNNING).exclude(leased_until__gt=now)
    return LetterReplay.objects.get(pk=pk) if free.update(leased_until=now + LEASE) else None


def advance(schema: str, held: LetterReplay) -> LetterReplay:
    """One chunk. Raises: LostReplay, with nothing changed."""
    began = time.perf_counter()
    filters = msgspec.convert(held.filters, LetterFilters)
    with transaction.atomic():
        now = database_now(raw_connection())
        mine = LetterReplay.objects.select_for_update().filter(
            pk=held.pk, status=ReplayStatus.RUNNING, leased_until=held.leased_until
        )
        row = mine.first()
        if row is None:
            raise LostReplay
        ids = next_ids(filters, after=row.position, through=row.through)
        letters = claim(raw_connection(), schema, ids)
        done = replay(raw_connection(), statements_of(schema), letters, now=now, actor=row.asked_by)
        row.counts = counts_of(done.outcomes, done.effects, row.counts)
        row.position, row.leased_until = (ids[-1] if ids else row.through), now + LEASE
        if not ids or row.position >= row.through:
            row.status, row.finished_at, row.leased_until = ReplayStatus.DONE, now, None
        row.save(update_fields=["counts", "position", "leased_until", "status", "finished_at"])
    report_replayed(schema, done, began)
    return row


def waiting_replays() -> list[tuple[str, int]]:
    """(schema, replay) of every tenant's replays that nobody works on."""
    return free_rows("orders_letterreplay")
