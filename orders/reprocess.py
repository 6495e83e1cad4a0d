"""Reprocessing: clocks and exceptions computed anew from stored events, and what differs from what stands (CONTRACT 4).

Orders are taken in chunks, each a transaction of its own, so that memory stays flat and nobody waits long. A dry run does the
same and writes nothing. Besides the verdicts the exceptions are checked against them: what was lost or tampered with is put right.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from e2a.postgresql.raw import database_now, raw_connection
from e2a.pulse import pulse
from orders.facts import settled_at
from orders.judge import Connection, Known, Writes, failure, joined, judge, lock_by_ids, write
from orders.ports import exception_book
from orders.statements import Statements, quoted, statements_of

CHUNK = 500
CAUSE = "reprocess"
SHOWN = ("status", "held", "began_at", "policy_id", "contradiction", "problems")  # the others are bookkeeping
STAGE_COLUMNS = ("state", "started_at", "ended_at", "due_at", "breached", "severity")
IN_RANGE = """EXISTS (SELECT 1 FROM {s}.orders_event e
  WHERE e.order_id = o.id AND e.effective_at >= %(start)s AND e.effective_at < %(end)s)"""
COUNT = f"SELECT count(*) FROM {{s}}.orders_order o WHERE {IN_RANGE}"
NEXT = f"SELECT o.id FROM {{s}}.orders_order o WHERE o.id > %(after)s AND {IN_RANGE} ORDER BY o.id LIMIT %(limit)s"


@dataclass(frozen=True, slots=True)
class Difference:
    """`what`: a column of the order, `stage NAME` or `exception REASON`; values as JSON has them, or what is done."""

    what: str
    before: Any
    now: Any


@dataclass(frozen=True, slots=True)
class Corrected:
    """An order that stands otherwise than its facts say."""

    order_id: str
    merchant: str
    differences: Sequence[Difference]


@dataclass(slots=True)
class Chunk:
    """What one transaction looked at. `failed`: (order id, error) of orders whose fold raises."""

    looked_at: int = 0
    corrected: list[Corrected] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


def count_orders(schema: str, *, start: datetime, end: datetime) -> int:
    """Orders with an event that took effect in [start, end)."""
    row = raw_connection().execute(COUNT.format(s=quoted(schema)), {"start": start, "end": end}).fetchone()
    return int(row[0]) if row else 0


def reprocess(schema: str, *, start: datetime, end: datetime, dry_run: bool = False) -> Iterator[Chunk]:
    """Judges orders with an event that took effect in [start, end), by number."""
    connection, texts, name = raw_connection(), statements_of(schema), quoted(schema)
    wanted: dict[str, Any] = {"start": start, "end": end, "limit": CHUNK, "after": 0}
    while ids := [row[0] for row in connection.execute(NEXT.format(s=name), wanted).fetchall()]:
        yield reprocess_orders(connection, texts, ids, dry_run=dry_run)
        wanted["after"] = ids[-1]
    if not dry_run:
        pulse.touch(schema)


def reprocess_orders(connection: Connection, texts: Statements, ids: Sequence[int], *, dry_run: bool) -> Chunk:
    """One transaction. If the database refuses a verdict, each order is taken alone and the one to blame is told."""
    try:
        with connection.transaction() as whole:
            now = database_now(connection)
            known = lock_by_ids(connection, texts, ids)
            writes = judge_again(known, now)
            chunk = differences_of(connection, texts, known, writes, now)
            with connection.pipeline():
                write(connection, texts, writes, now=now)
            if dry_run:
                raise psycopg.Rollback(whole)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        if len(ids) == 1:
            [order] = known.orders
            return Chunk(1, failed=[(order.order_id, failure(order.id, error)["error"])])
        return sum_of(reprocess_orders(connection, texts, [key], dry_run=dry_run) for key in ids)
    return chunk


def sum_of(parts: Iterator[Chunk]) -> Chunk:
    whole = Chunk()
    for part in parts:
        whole.looked_at += part.looked_at
        whole.corrected += part.corrected
        whole.failed += part.failed
    return whole


def judge_again(known: Known, now: datetime) -> Writes:
    """As each order was judged before: a backfill judges without waiting for history to settle, and that is not taken back."""
    hasty: list[Any] = []
    patient: list[Any] = []
    for order in known.orders:
        until = settled_at(known.facts.get(order.id, ()), known.settle) if order.history else None
        waits = until is not None and now < until and order.settled_at is None
        (hasty if waits else patient).append(order)
    cause = {order.id: CAUSE for order in known.orders}
    return joined(
        judge(known._replace(orders=orders), now=now, cause=cause, received=False, settled=settled, thorough=True)
        for orders, settled in ((hasty, True), (patient, False))
    )


def differences_of(connection: Connection, texts: Statements, known: Known, writes: Writes, now: datetime) -> Chunk:
    found: dict[int, list[Difference]] = {}
    before = {order.id: order for order in known.orders}
    for row in writes.orders:
        found.setdefault(row["id"], []).extend(order_differences(before[row["id"]], row))
    for row in [*writes.stages, *writes.gone]:
        stood = known.stages.get(row["order_id"], {}).get(row["name"])
        was = {name: getattr(stood, name) for name in STAGE_COLUMNS} if stood else None
        is_now = {name: row[name] for name in STAGE_COLUMNS} if "state" in row else None
        if was != is_now:
            found.setdefault(row["order_id"], []).append(Difference(f"stage {row['name']}", was, is_now))
    foretold = exception_book().foretell(connection, schema=texts.schema, changes=writes.changes, now=now)
    for correction in foretold:
        done = ", ".join(correction.kinds) or "corrected"
        found.setdefault(correction.order_pk, []).append(Difference(f"exception {correction.reason}", None, done))
    corrected = [
        Corrected(before[key].order_id, before[key].merchant, rows) for key, rows in sorted(found.items()) if rows
    ]
    failed = [(before[each["id"]].order_id, each["error"]) for each in writes.failures]
    return Chunk(len(known.orders), corrected, failed)


def order_differences(order: Any, row: Mapping[str, Any]) -> list[Difference]:
    return [Difference(name, getattr(order, name), row[name]) for name in SHOWN if getattr(order, name) != row[name]]
