"""Backfill: history from a file, through the same door as `/events` (CONTRACT 1).

1. every line is stored, in large batches, and its order marked as not yet judged;
2. each order is judged once, when all is stored, so nothing opens that the rest of the file would take back.
Cut off in between, a rerun or the radar judges what is marked. A lock a tenant keeps the radar off meanwhile.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from e2a.errors import ProblemError, Unprocessable
from e2a.postgresql.raw import database_now, raw_connection
from orders.deadletters import Letter
from orders.events import MAX_PAYLOAD_BYTES, Incoming, decode_event, prepare
from orders.ingest import CONFLICT, DUPLICATE, MAX_EVENTS, NEW, store_unjudged
from orders.judge import judge_orders
from orders.radar import BACKFILL_LOCK
from orders.refusals import refused_letter
from orders.statements import quoted, statements_of

LONGEST_LINE = MAX_PAYLOAD_BYTES + 16 * 1024
KEPT_OF_A_LONG_LINE = 1024
ORDERS_AT_ONCE = 2_000
CAUSE = "backfill"
UNJUDGED = """
SELECT id FROM {s}.orders_order WHERE fold_retry_at <= %(now)s AND fold_attempts = 0 ORDER BY fold_retry_at, id LIMIT %(limit)s"""
COUNT_UNJUDGED = "SELECT count(*) FROM {s}.orders_order WHERE fold_retry_at IS NOT NULL AND fold_attempts = 0"
BREACHES = "SELECT name, count(*) FROM {s}.orders_stage WHERE breached GROUP BY name ORDER BY name"


class Busy(Exception):
    """Another backfill of this tenant is running; wait until it has ended."""


class Readable(Protocol):
    def readline(self, size: int, /) -> bytes: ...


class Line(NamedTuple):
    """`text` is the whole line, or its beginning if it is too long."""

    number: int
    text: bytes
    too_long: bool


@dataclass(slots=True)
class Loaded:
    """`breaches`: stage → orders of the tenant in breach, after all was judged."""

    read: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    judged: int = 0
    breaches: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def backfill(
    schema: str,
    file: Readable,
    *,
    on_stored: Callable[[Loaded], None] = lambda loaded: None,
    on_judged: Callable[[Loaded, int], None] = lambda loaded, total: None,
) -> Loaded:
    """Loads a file of one event a line. The callbacks hear of each batch.

    Raises: Busy; psycopg.OperationalError; OSError or EOFError when the file cannot be read to its end.
    """
    began = time.perf_counter()
    loaded = Loaded()
    with only_one(schema):
        for lines in batches(lines_of(file)):
            store_lines(schema, lines, loaded)
            loaded.seconds = time.perf_counter() - began
            on_stored(loaded)
        judge_marked(schema, loaded, on_judged)
        rows = raw_connection().execute(BREACHES.format(s=quoted(schema))).fetchall()
    loaded.breaches = dict(rows)
    loaded.seconds = round(time.perf_counter() - began, 3)
    return loaded


@contextmanager
def only_one(schema: str) -> Iterator[None]:
    """Raises: Busy."""
    connection = raw_connection()
    key = {"class": BACKFILL_LOCK, "schema": schema}
    row = connection.execute("SELECT pg_try_advisory_lock(%(class)s, hashtext(%(schema)s))", key).fetchone()
    if not row or not row[0]:
        raise Busy(Busy.__doc__)
    try:
        yield
    finally:
        if not connection.closed:  # a lost connection has lost its lock
            connection.execute("SELECT pg_advisory_unlock(%(class)s, hashtext(%(schema)s))", key)


def lines_of(file: Readable) -> Iterator[Line]:
    """Lines that are not blank, numbered from 1; of an endless one no more than its beginning is held in memory."""
    number = 0
    while text := file.readline(LONGEST_LINE + 1):
        number += 1
        too_long = len(text) > LONGEST_LINE
        if too_long:
            rest = text
            while rest and not rest.endswith(b"\n"):
                rest = file.readline(LONGEST_LINE)
        if text.strip():
            yield Line(number, text[:KEPT_OF_A_LONG_LINE] if too_long else text.strip(), too_long)


def batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """Of as many as the door takes at once, or of 8 MiB."""
    batch: list[Line] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line.text)
        if len(batch) == MAX_EVENTS or size > 8 * 1024 * 1024:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def store_lines(schema: str, lines: list[Line], loaded: Loaded) -> None:
    now = database_now(raw_connection())
    events: list[Incoming] = []
    letters: list[Letter] = []
    for line in lines:
        try:
            events.append(event_of(line, now))
        except ProblemError as refusal:
            errors = refusal.errors or {"line": [refusal.detail]}
            letters.append(refused_letter(line.text, errors, position=line.number))
    receipts = store_unjudged(schema, events, now=now, history=True, letters=letters)
    statuses = [receipt.status for receipt in receipts]
    loaded.read += len(lines)
    loaded.stored += statuses.count(NEW)
    loaded.duplicates += statuses.count(DUPLICATE)
    loaded.rejected += len(letters) + statuses.count(CONFLICT)


def event_of(line: Line, now: datetime) -> Incoming:
    """Raises: BadRequest, Unprocessable."""
    if line.too_long:
        raise Unprocessable(errors={"line": [f"It is longer than {LONGEST_LINE} bytes; only its beginning is kept."]})
    event = prepare(decode_event(line.text), raw=line.text, now=now)
    event.position = line.number
    return event


def judge_marked(schema: str, loaded: Loaded, on_judged: Callable[[Loaded, int], None]) -> None:
    """Every source of history has told all it will tell, so nothing waits to settle."""
    connection, texts, name = raw_connection(), statements_of(schema), quoted(schema)
    row = connection.execute(COUNT_UNJUDGED.format(s=name)).fetchone()
    total = row[0] if row else 0
    wanted = {"limit": ORDERS_AT_ONCE}
    while rows := connection.execute(UNJUDGED.format(s=name), {**wanted, "now": database_now(connection)}).fetchall():
        ids = sorted(row[0] for row in rows)
        judge_orders(connection, texts, ids, now=database_now(connection), cause=CAUSE, settled=True)
        loaded.judged += len(ids)
        on_judged(loaded, total)
