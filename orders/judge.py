"""Judging orders: read their facts, fold them, write what differs, hand changed verdicts to the exceptions.

The caller holds the transaction and the row locks. Used by the door (after storing), by the radar (for orders whose fold
failed) and by reprocessing: one way for all.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import psycopg
from psycopg.rows import namedtuple_row

from orders import sla
from orders.clocks import UNWATCHED as NO_WATCH
from orders.clocks import Watch
from orders.ports import Change, Finding, exception_book
from orders.statements import Statements
from orders.stored import bearing_from, carried_columns, carried_json, stage_json, watch_from
from orders.versions import versions_from
from tenants.policy import PolicyVersion
from tenants.weights import USUAL_PRIORITY, PriorityRules

logger = logging.getLogger(__name__)
Connection = psycopg.Connection[Any]
UNSEEN: dict[str, sla.StageVerdict] = {}
UNWATCHED: dict[str, Watch] = {}
ONCE_FOUND = Finding("active", datetime.fromtimestamp(0, UTC), None, None, "", "", None, None)


class Known(NamedTuple):
    """What the database held of the orders concerned, read under their locks."""

    orders: Sequence[Any]
    facts: Mapping[int, list[sla.Fact]]
    newest: Mapping[int, int]  # the newest event id of each order
    history: Mapping[int, bool]  # whether that newest event is history
    stages: Mapping[int, dict[str, sla.StageVerdict]]
    watches: Mapping[int, dict[str, Watch]]
    policies: Sequence[PolicyVersion]
    settle: Mapping[str, int]
    read_at: datetime  # by the database's clock, after the locks were had


@dataclass(slots=True)
class Writes:
    """What differs, ready to be sent."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    stages: list[dict[str, Any]] = field(default_factory=list)
    gone: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    empty: list[int] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


@lru_cache(maxsize=1024)
def parse_settle(text: str) -> Mapping[str, int]:
    settle: dict[str, int] = msgspec.json.decode(text)
    return settle


def known_from(
    connection: Connection, orders: Sequence[Any], facts: Iterable[Any], stages: Iterable[Any], policies: Any
) -> Known:
    """Groups the rows by order. Shapes: the statements FACTS, STAGES and POLICIES."""
    by_order: dict[int, list[sla.Fact]] = defaultdict(list)
    newest: dict[int, int] = {}
    history: dict[int, bool] = {}
    for order, key, source, event_id, event_type, effective, received, detail, past in facts:
        by_order[order].append(sla.Fact(source, event_id, event_type, effective, received, detail))
        if key > newest.get(order, 0):
            newest[order], history[order] = key, past
    stored: dict[int, dict[str, sla.StageVerdict]] = defaultdict(dict)
    watched: dict[int, dict[str, Watch]] = defaultdict(dict)
    for order, name, *columns, at_risk_at, watch in stages:
        stored[order][name] = sla.StageVerdict(*columns)
        if at_risk_at is not None or watch is not None:
            watched[order][name] = watch_from(at_risk_at, watch)
    listed, settle, read_at = policies
    versions = versions_from(connection, listed)
    return Known(orders, by_order, newest, history, stored, watched, versions, parse_settle(settle), read_at)


def judge(
    known: Known,
    *,
    now: datetime,
    cause: Mapping[int, str],
    received: bool,
    settled: bool,
    thorough: bool = False,
) -> Writes:
    """Folds each order in its own try; one whose fold fails keeps its events and its old verdict, and comes back.

    Never at an earlier instant than the stored verdict's: who had the locks before may have looked at a later clock than `now`.

    `cause`: by order, for the timeline; `received`: the cause is an event just stored. `settled`: judge as if every source
    had settled (backfill). `thorough`: hand over every finding and every absence of one, so that the exceptions are checked
    even where the verdict stands.
    """
    writes = Writes()
    settle = None if settled else known.settle
    now = max(now, known.read_at)
    for order in known.orders:
        facts = known.facts.get(order.id)
        if not facts:
            writes.empty.append(order.id)
            continue
        try:
            verdict = sla.fold(facts, known.policies, now, settle=settle, merchant=order.merchant)
            why = cause.get(order.id, "")
            note_difference(writes, order, verdict, known, now, why, received and order.id in cause)
            if thorough:
                check_all(writes, order, verdict, known, why)
        except Exception as error:
            logger.exception("the fold of order %s failed", order.id)
            writes.failures.append(failure(order.id, error))
    return writes


def note_difference(
    writes: Writes, order: Any, verdict: sla.Verdict, known: Known, now: datetime, cause: str, received: bool
) -> None:
    before, watched = known.stages.get(order.id, UNSEEN), known.watches.get(order.id, UNWATCHED)
    for name, stage in verdict.stages.items():
        watch = verdict.watches.get(name, NO_WATCH)
        if before.get(name) != stage or watched.get(name, NO_WATCH) != watch:
            writes.stages.append({"order_id": order.id, "name": name, **stage_json(stage, watch)})
    writes.gone += [{"order_id": order.id, "name": name} for name in before if name not in verdict.stages]
    history = known.history[order.id]
    row = {
        "id": order.id,
        "status": verdict.status,
        "held": verdict.held,
        "began_at": verdict.began_at,
        "policy_id": verdict.policy_id,
        "contradiction": verdict.contradiction,
        "problems": sla.problems_to_json(verdict.problems),
        "last_received_at": now if received else order.last_received_at,
        "settled_at": verdict.settled_at,
        "history": history,
        "folded_through": known.newest[order.id],
    }
    carried = carried_columns(verdict)
    if (
        order.folded_through != row["folded_through"]
        or order.fold_retry_at
        or order[-len(carried) :] != carried
        or any(getattr(order, key) != value for key, value in row.items())
    ):
        writes.orders.append(row | carried_json(carried))
    bearing = bearing_from(order.bearing)
    old = sla.findings_of(before, sla.problems_from_json(order.problems), watched, bearing)
    new = sla.findings(verdict)
    if old != new:
        priority = priority_of(known.policies, verdict.policy_id)
        for reason in sorted(old.keys() | new.keys()):
            was, now_is = old.get(reason), new.get(reason)
            if was != now_is:
                change = Change(order.id, order.order_id, order.merchant, reason, was, now_is, history, cause, priority)
                writes.changes.append(change)


def check_all(writes: Writes, order: Any, verdict: sla.Verdict, known: Known, cause: str) -> None:
    """In place of the order's changes: every reason there is, as if the opposite had been known before."""
    writes.changes = [change for change in writes.changes if change.order_pk != order.id]
    found, history = sla.findings(verdict), known.history[order.id]
    priority = priority_of(known.policies, verdict.policy_id)
    for reason in sla.ALL_REASONS:
        now = found.get(reason)
        before = None if now else ONCE_FOUND
        change = Change(order.id, order.order_id, order.merchant, reason, before, now, history, cause, priority)
        writes.changes.append(change)


def priority_of(policies: Iterable[PolicyVersion], policy_id: int | None) -> PriorityRules:
    """How the policy that the order began under weighs its exceptions."""
    return next((version.policy.priority for version in policies if version.id == policy_id), USUAL_PRIORITY)


def write(connection: Connection, texts: Statements, writes: Writes, *, now: datetime) -> list[int]:
    """Sends what differs in one pipeline, then hands changed verdicts over. Returns the ids of exceptions opened or reopened."""
    sends = [
        (texts.write_orders, "orders", writes.orders),
        (texts.write_stages, "stages", writes.stages),
        (texts.drop_stages, "gone", writes.gone),
        (texts.write_failures, "failures", writes.failures),
    ]
    for text, name, rows in sends:
        if rows:
            connection.execute(text, {name: as_json(rows), "now": now})
    if writes.empty:
        connection.execute(texts.drop_empty_orders, {"ids": writes.empty})
    if not writes.changes:
        return []
    return exception_book().apply(connection, schema=texts.schema, changes=writes.changes, now=now)


def as_json(rows: Any) -> str:
    return msgspec.json.encode(rows).decode()


def lock_by_ids(connection: Connection, texts: Statements, ids: Sequence[int]) -> Known:
    """Locks the orders and reads all that judging them takes, in one round trip."""
    with connection.pipeline():
        cursors = [
            connection.cursor(row_factory=namedtuple_row).execute(texts.lock_by_ids, {"ids": list(ids)}),
            connection.execute(texts.facts_by_ids, {"ids": list(ids)}),
            connection.execute(texts.stages_by_ids, {"ids": list(ids)}),
            connection.execute(texts.policies, {"schema": texts.schema}),
        ]
    orders, facts, stages, policies = (cursor.fetchall() for cursor in cursors)
    return known_from(connection, orders, facts, stages, policies[0])


def judge_orders(
    connection: Connection,
    texts: Statements,
    ids: Sequence[int],
    *,
    now: datetime,
    cause: str,
    settled: bool = False,
) -> Writes:
    """Judges stored orders anew, in a transaction of its own. Returns what differed.

    If the database refuses a verdict, each order is judged alone, and the one to blame is noted like a failed fold.
    """
    try:
        return _judge_orders(connection, texts, ids, now, cause, settled)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        if len(ids) > 1:
            alone = [judge_orders(connection, texts, [key], now=now, cause=cause, settled=settled) for key in ids]
            return joined(alone)
        logger.exception("the verdict on order %s cannot be written", ids[0])
        blame = Writes(failures=[failure(ids[0], error)])
        with connection.transaction():
            write(connection, texts, blame, now=now)
        return blame


def _judge_orders(
    connection: Connection, texts: Statements, ids: Sequence[int], now: datetime, cause: str, settled: bool
) -> Writes:
    with connection.transaction():
        known = lock_by_ids(connection, texts, ids)
        writes = judge(known, now=now, cause=dict.fromkeys(ids, cause), received=False, settled=settled)
        with connection.pipeline():
            write(connection, texts, writes, now=now)
    return writes


def failure(order: int, error: Exception) -> dict[str, Any]:
    return {"id": order, "error": f"{type(error).__name__}: {error}"[:500]}


def joined(parts: Iterable[Writes]) -> Writes:
    whole = Writes()
    for part in parts:
        for column in fields(Writes):
            getattr(whole, column.name).extend(getattr(part, column.name))
    return whole
