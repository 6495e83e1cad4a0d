"""What people do with a dead letter: replay it or an edited copy, discard it, and take that back.

A letter is claimed by locking it while it waits, and is marked in the transaction that stores what it says. So two who
replay it at once have one effect, and one that was replayed is never replayed again.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from django.db import IntegrityError, transaction

from e2a.errors import Conflict, Unprocessable
from e2a.postgresql.raw import database_now, raw_connection
from e2a.pulse import pulse
from orders.deadletters import printable
from orders.ingest import RETRYABLE, TRIES, report
from orders.letter_lists import WAITING, get_letter
from orders.letter_reading import Copy
from orders.letter_replay import Effect, Outcome, Replayed, claim, replay
from orders.models import DeadLetter, DeadLetterStatus, Entrance
from orders.sources import source_of_schema
from orders.statements import statements_of

T = TypeVar("T")


class NotWaiting(Conflict):
    """This letter does not wait any more."""


def replay_letter(schema: str, pk: int, *, actor: str, dry_run: bool = False) -> tuple[Outcome, list[Effect]]:
    """Raises: NoSuchLetter, NotWaiting."""
    get_letter(pk)
    return _alone(schema, pk, actor=actor, dry_run=dry_run)


def replay_edited(
    schema: str, pk: int, *, body: bytes, headers: Mapping[str, str] | None = None, actor: str, dry_run: bool = False
) -> tuple[Outcome, list[Effect]]:
    """An edited copy in the letter's stead: if it is taken, both are replayed; if not, nothing is changed or kept.

    Raises: NoSuchLetter, NotWaiting, Unprocessable.
    """
    letter = get_letter(pk)
    kept = letter.headers if headers is None else checked_headers(schema, letter, headers)

    def edit(copy: Copy) -> Copy:
        way = Entrance.EVENTS if copy.entrance == Entrance.QUARANTINE else copy.entrance
        return replace(copy, body=body, headers=kept, entrance=way)

    return _alone(schema, pk, actor=actor, dry_run=dry_run, edit=edit)


def _alone(
    schema: str, pk: int, *, actor: str, dry_run: bool, edit: Callable[[Copy], Copy] | None = None
) -> tuple[Outcome, list[Effect]]:
    began = time.perf_counter()

    def once() -> Replayed:
        with transaction.atomic():
            now = database_now(raw_connection())
            found = claim(raw_connection(), schema, [pk], wait=True)
            if not found:
                raise NotWaiting(_past(get_letter(pk)))
            letter = edit(found[0]) if edit else found[0]
            done = replay(raw_connection(), statements_of(schema), [letter], now=now, actor=actor, dry_run=dry_run)
            [outcome] = done.outcomes
            if dry_run or (edit and not outcome.accepted):
                transaction.set_rollback(True)
            elif edit:
                keep_copy(pk, letter, actor=actor, now=now)
            return done

    done = retried(once)
    [outcome] = done.outcomes
    if not dry_run and outcome.accepted:
        report_replayed(schema, done, began)
    return outcome, done.effects


def retried(work: Callable[[], T]) -> T:
    """Again if PostgreSQL chose it as the victim of a deadlock."""
    for attempt in range(1, TRIES):
        try:
            return work()
        except RETRYABLE:
            time.sleep(0.01 * attempt)
    return work()


def report_replayed(schema: str, done: Replayed, began: float) -> None:
    for events, receipts, writes in done.told:
        report(schema, events, receipts, writes, seconds=time.perf_counter() - began)
    pulse.touch(schema)


def keep_copy(pk: int, copy: Copy, *, actor: str, now: datetime) -> DeadLetter:
    """The edited copy as a letter of its own, so that what was put through the door can be seen."""
    original = DeadLetter.objects.get(pk=pk)
    return DeadLetter.objects.create(
        entrance=copy.entrance,
        merchant=copy.merchant,
        received_at=now,
        source=original.source,
        reason=original.reason,
        topic=original.topic,
        headers=dict(copy.headers),
        body=copy.body,
        correlation_id=copy.correlation_id,
        status=DeadLetterStatus.REPLAYED,
        status_at=now,
        status_by=actor,
        digest=bytes(original.digest),
        edited_from=original,
    )


def checked_headers(schema: str, letter: DeadLetter, headers: Mapping[str, str]) -> dict[str, str]:
    """Raises: Unprocessable for a header that this provider's replays do not read."""
    source = source_of_schema(schema, letter.source) if letter.entrance == Entrance.WEBHOOK else None
    known = source.adapter.kept_headers if source else ()
    given = {name.strip().lower(): value.strip() for name, value in headers.items()}
    if wrong := sorted(given.keys() - set(known)):
        advice = f"use {', '.join(known)}" if known else "no header of this letter is"
        raise Unprocessable(errors={"headers": [f"“{printable(wrong[0], 64)}” is not read in a replay; {advice}."]})
    return {name: printable(value, 256) for name, value in given.items()}


def discard_letter(pk: int, *, actor: str, now: datetime) -> DeadLetter:
    """Raises: NoSuchLetter, NotWaiting."""
    changed = DeadLetter.objects.filter(pk=pk, status=WAITING).update(
        status=DeadLetterStatus.DISCARDED, status_at=now, status_by=actor
    )
    letter = get_letter(pk)
    if not changed:
        raise NotWaiting(_past(letter))
    return letter


def restore_letter(pk: int) -> DeadLetter:
    """Takes a discarding back. Raises: NoSuchLetter, Conflict."""
    try:
        with transaction.atomic():
            changed = DeadLetter.objects.filter(pk=pk, status=DeadLetterStatus.DISCARDED).update(
                status=WAITING, status_at=None, status_by=""
            )
    except IntegrityError:
        raise Conflict("The same refusal came again since; that letter waits already.") from None
    letter = get_letter(pk)
    if not changed:
        raise Conflict("Only a discarded letter can be put back; nothing was changed.")
    return letter


def _past(letter: DeadLetter) -> str:
    done = DeadLetterStatus(letter.status).label.lower()
    when = f" at {letter.status_at:%Y-%m-%d %H:%M} UTC by {letter.status_by}" if letter.status_at else ""
    return f"This letter was {done}{when}; nothing was changed."
