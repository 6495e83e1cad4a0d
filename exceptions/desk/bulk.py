"""One act on many exceptions: asked with a count, confirmed by a person, done in parts, each a transaction with its progress.

It works on what was shown: a row that has left the filter meanwhile is skipped, what came in is left alone, and both are said.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction

from e2a.errors import Conflict, NotFound, Unprocessable
from exceptions.desk.acts import NEXT_STEP, build
from exceptions.desk.models import BulkRun, RunState
from exceptions.desk.next_steps import run_next_steps
from exceptions.models import ExceptionRecord
from exceptions.playbooks.decisions import Decider
from exceptions.selectors import Filters, database_now, filter_exceptions
from exceptions.services import CHUNK, Outcome, act_on_locked

MOST = 100_000
MOST_EXAMPLES = 100
KEPT_ASKED = timedelta(hours=1)
LEASE = timedelta(seconds=60)
# By each part; the long list of ids is not written again each time.
WRITTEN = ("position", "changed", "skipped", "examples", "state", "finished_at", "leased_until")
LEFT = "It had left this list."
GONE = "It does not exist."


class NoSuchRun(NotFound):
    """This selection is no longer kept: select the rows again."""


class BegunAlready(Conflict):
    """This has begun already. Nothing was begun a second time."""


class LostRun(Exception):
    """It was stopped, or another process works on it."""


def ask_for_rows(action: str, ids: Sequence[int], *, actor: str, now: datetime) -> BulkRun:
    """For rows that were selected one by one. Raises: Unprocessable."""
    return keep_question(action, sorted(set(ids)), None, actor=actor, now=now)


def ask_for_filter(action: str, filters: Filters, *, actor: str, now: datetime) -> BulkRun:
    """For all that a filter finds at this moment. Raises: Unprocessable."""
    ids = filter_exceptions(filters).order_by("pk").values_list("pk", flat=True)[: MOST + 1]
    return keep_question(action, list(ids), filters, actor=actor, now=now)


def keep_question(action: str, ids: Sequence[int], filters: Filters | None, *, actor: str, now: datetime) -> BulkRun:
    """The rows are kept with the question, so that what is confirmed is what was counted."""
    if not ids:
        raise Unprocessable("No exception is selected, or none fits the filter any more. Nothing was changed.")
    if len(ids) > MOST:
        raise Unprocessable(f"These are more than {MOST:,}, the most at once: narrow the filter. Nothing was changed.")
    BulkRun.objects.filter(state=RunState.ASKED, asked_at__lt=now - KEPT_ASKED).delete()
    kept = None if filters is None else msgspec.to_builtins(filters)
    return BulkRun.objects.create(
        action=action, ids=list(ids), total=len(ids), filters=kept, asked_by=actor, asked_at=now
    )


def find_run(run_id: int) -> BulkRun:
    """Raises: NoSuchRun."""
    run = BulkRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NoSuchRun
    return run


def begin(run_id: int, given: Mapping[str, Any], *, actor: str, now: datetime) -> BulkRun:
    """By who asked, once. Raises: NoSuchRun, BegunAlready."""
    run = find_run(run_id)
    if run.asked_by != actor:
        raise NoSuchRun
    filters = filters_of(run)
    came = 0
    if filters is not None:
        now_there = filter_exceptions(filters).order_by().values_list("pk", flat=True)[: 2 * MOST]
        came = len(set(now_there).difference(run.ids))
    asked = BulkRun.objects.filter(pk=run_id, state=RunState.ASKED)
    if not asked.update(state=RunState.RUNNING, given=dict(given), came=came, began_at=now):
        raise BegunAlready
    return find_run(run_id)


def filters_of(run: BulkRun) -> Filters | None:
    return None if run.filters is None else msgspec.convert(run.filters, Filters)


def stop(run_id: int, *, now: datetime) -> bool:
    """What is done stays done. Whether it was running."""
    running = BulkRun.objects.filter(pk=run_id, state=RunState.RUNNING)
    return bool(running.update(state=RunState.STOPPED, finished_at=now, leased_until=None, ids=[]))


def work(run_id: int, *, seconds: float) -> BulkRun:
    """Until it is done, stopped, or the seconds have passed; the next call goes on. Another process at it is left alone."""
    ends = time.monotonic() + seconds
    held = lease(run_id)
    while held is not None and held.state == RunState.RUNNING and time.monotonic() < ends:
        try:
            held = advance(held)
        except LostRun:
            break
    if held is not None:
        BulkRun.objects.filter(pk=run_id, leased_until=held.leased_until).update(leased_until=None)
    return find_run(run_id)


def lease(run_id: int) -> BulkRun | None:
    now = database_now()
    free = BulkRun.objects.filter(pk=run_id, state=RunState.RUNNING).exclude(leased_until__gt=now)
    return find_run(run_id) if free.update(leased_until=now + LEASE) else None


def advance(held: BulkRun) -> BulkRun:
    """One part. Raises: LostRun, with nothing changed."""
    with transaction.atomic():
        now = database_now()
        mine = BulkRun.objects.select_for_update().filter(
            pk=held.pk, state=RunState.RUNNING, leased_until=held.leased_until
        )
        run = mine.first()
        if run is None:
            raise LostRun
        ids = run.ids[run.position : run.position + CHUNK]
        note(run, ids, act_on_part(run, ids, now=now))
        run.position += len(ids)
        run.leased_until = now + LEASE
        if run.position >= run.total:
            run.state, run.finished_at, run.leased_until = RunState.DONE, now, None
            BulkRun.objects.filter(pk=run.pk).update(ids=[])
        run.save(update_fields=WRITTEN)
    return run


def act_on_part(run: BulkRun, ids: Sequence[int], *, now: datetime) -> Outcome:
    filters = filters_of(run)
    chosen = ExceptionRecord.objects.all() if filters is None else filter_exceptions(filters)
    chosen, reason = chosen.filter(pk__in=ids), run.given.get("reason", "")
    if run.action == NEXT_STEP:
        by = Decider(run.asked_by, frozenset(run.given["scopes"]))
        return run_next_steps(list(chosen.values_list("pk", flat=True)), by, reason=reason, now=now)
    act = build(run.action, run.given, now=now)
    return act_on_locked(chosen, act, actor=run.asked_by, reason=reason, now=now)


def note(run: BulkRun, ids: Sequence[int], outcome: Outcome) -> None:
    """Counts a part: what changed, and why the others did not."""
    missing = set(ids).difference(outcome.changed, outcome.refused)
    why = outcome.refused | dict.fromkeys(missing, GONE if run.filters is None else LEFT)
    run.changed += len(outcome.changed)
    run.skipped = dict(Counter(run.skipped) + Counter(why.values()))
    run.examples = [*run.examples, *([pk, why[pk]] for pk in sorted(why))][:MOST_EXAMPLES]


def waiting() -> list[int]:
    """Those that run, and that nobody works on, in the schema that the connection stands in."""
    running = BulkRun.objects.filter(state=RunState.RUNNING).exclude(leased_until__gt=database_now())
    return list(running.order_by("pk").values_list("pk", flat=True))
