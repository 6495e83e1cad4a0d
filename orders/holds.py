"""Holds of an order: while one is open its clocks stand still (CONTRACT 4). Pure."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import NamedTuple

from orders.facts import HELD, RELEASED, Fact


class Pause(NamedTuple):
    """A stretch of time that does not count; open while `until` is None. A sequence of them is sorted and disjoint."""

    since: datetime
    until: datetime | None


class Hold(NamedTuple):
    """A hold from its beginning to its release. `fact`: that which began it."""

    since: datetime
    until: datetime | None
    fact: Fact


def pauses_of(facts: Iterable[Fact]) -> list[Pause]:
    """The union of all holds."""
    return union(Pause(hold.since, hold.until) for hold in holds_of(facts))


def holds_of(facts: Iterable[Fact]) -> list[Hold]:
    """Each hold, from `order_held` to the earliest `order_released` of the same id not before it; by beginning."""
    held: list[tuple[datetime, str, str, str, Fact]] = []
    released: dict[str, list[datetime]] = defaultdict(list)
    for fact in facts:
        if fact.event_type == HELD:
            held.append((fact.effective_at, hold_of(fact), fact.source, fact.event_id, fact))
        elif fact.event_type == RELEASED:
            released[hold_of(fact)].append(fact.effective_at)
    for times in released.values():
        times.sort()
    held.sort(key=itemgetter(0, 1, 2, 3))
    return [Hold(since, release_after(released.get(hold, []), since), fact) for since, hold, _, _, fact in held]


def open_holds(facts: Iterable[Fact]) -> dict[str, datetime]:
    """The ids of the holds that no release has ended, with their beginning."""
    held: dict[str, datetime] = {}
    released: dict[str, datetime] = {}
    for fact in facts:
        latest = {HELD: held, RELEASED: released}.get(fact.event_type)
        if latest is not None:
            hold = hold_of(fact)
            latest[hold] = max(fact.effective_at, latest.get(hold, fact.effective_at))
    return {hold: since for hold, since in held.items() if hold not in released or released[hold] < since}


def hold_of(fact: Fact) -> str:
    return (fact.detail and fact.detail.get("hold_id")) or ""


def release_after(released: Sequence[datetime], since: datetime) -> datetime | None:
    index = bisect_left(released, since)
    return released[index] if index < len(released) else None


def union(pauses: Iterable[Pause]) -> list[Pause]:
    """Joins what overlaps or touches. `pauses`: sorted by their beginning."""
    joined: list[Pause] = []
    for pause in pauses:
        last = joined[-1] if joined else None
        if last is None or (last.until is not None and last.until < pause.since):
            joined.append(pause)
        elif last.until is not None and (pause.until is None or pause.until > last.until):
            joined[-1] = Pause(last.since, pause.until)
    return joined


def due_at(started_at: datetime, target_seconds: int, pauses: Iterable[Pause]) -> datetime | None:
    """The instant at which the unpaused time since the start reaches the target; None while an open hold keeps it away.

    A hold that begins at the due time or later moves nothing.
    """
    due = started_at + timedelta(seconds=target_seconds)
    for since, until in pauses:
        if since >= due:
            break
        if until is None:
            return None
        if until > started_at:
            due += until - max(since, started_at)
    return due
