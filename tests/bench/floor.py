"""The floor of the single path: the very statements that the door sends for these events, from 8 psycopg threads, without HTTP.

They are recorded from the door itself. Replayed on the emptied tables, an order has another id: recorded ids are put in anew.
"""

import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg

from e2a.postgresql.raw import database_now, raw_connection
from orders.events import Incoming
from orders.ingest import ingest
from orders.statements import quoted, statements_of
from tenants.access import access_by_key

THREADS = 8
ID = re.compile(r'"(id|order_id)":\d+')
TABLES = "orders_order, orders_event, orders_stage, exceptions_record, exceptions_timelineentry"


@dataclass(slots=True)
class Recorded:
    """Of one event: the key's look-up, what is sent before the fold, and what after it."""

    order: str
    look_up: tuple[Any, Any]
    reads: list[tuple[Any, Any]]
    writes: list[tuple[Any, Any]]


class RecordingCursor(psycopg.Cursor[Any]):
    log: list[tuple[Any, Any]] = []

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        self.log.append((query, params))
        return super().execute(query, params, **options)


def record(schema: str, key: str, events: Sequence[Incoming]) -> list[Recorded]:
    """Puts the events through the door, one by one, and takes them away again."""
    connection, recorded = raw_connection(), []
    plain, connection.cursor_factory = connection.cursor_factory, RecordingCursor
    policies = statements_of(schema).policies
    try:
        for event in events:
            RecordingCursor.log = log = []
            access_by_key(key, schema)
            ingest(schema, [event], now=database_now(connection))
            sent = [entry for entry in log if "clock_timestamp()" not in entry[0] or len(entry[0]) > 60]
            cut = next(n for n, (text, _) in enumerate(sent) if text == policies) + 1
            recorded.append(Recorded(event.order_id, sent[0], sent[1:cut], sent[cut:]))
    finally:
        connection.cursor_factory = plain
    empty(schema)
    return recorded


def empty(schema: str) -> None:
    tables = ", ".join(f"{quoted(schema)}.{table}" for table in TABLES.split(", "))
    raw_connection().execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")


def replay(conninfo: str, recorded: Sequence[Recorded]) -> float:
    """Events a second. Each thread has its own connection and its own orders."""
    shares: list[list[Recorded]] = [[] for _ in range(THREADS)]
    for one in recorded:
        shares[hash(one.order) % THREADS].append(one)
    connections = [psycopg.connect(conninfo, autocommit=True) for _ in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        began = time.perf_counter()
        list(pool.map(work, connections, shares))
        seconds = time.perf_counter() - began
    for connection in connections:
        connection.close()
    return len(recorded) / seconds


def work(connection: psycopg.Connection[Any], share: Sequence[Recorded]) -> None:
    for one in share:
        text, params = one.look_up
        connection.execute(text, params, prepare=True).fetchone()
        with connection.pipeline():
            cursors = [connection.execute(text, params) for text, params in one.reads]
            locked, *_ = [cursor.fetchall() for cursor in cursors[2:]]  # after BEGIN and the order's making
            order = locked[0][0]
            for text, params in one.writes:
                connection.execute(text, renamed(params, order))


def renamed(params: dict[str, Any] | None, order: int) -> dict[str, Any]:
    mark = rf'"\1":{order}'
    return {name: ID.sub(mark, value) if isinstance(value, str) else value for name, value in (params or {}).items()}
