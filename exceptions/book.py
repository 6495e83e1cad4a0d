"""The exceptions' side of the port `orders.ports.ExceptionBook`: changed verdicts in, rows and timeline out, in the caller's transaction."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
import psycopg
from psycopg.rows import tuple_row

from exceptions.alarms import USUALLY, alarm_of, raise_statement
from exceptions.reconcile import Decision, Entry, Snapshot, reconcile
from orders.ports import Change, Correction
from tenants.weights import priority_parts

Connection = psycopg.Connection[Any]
Key = tuple[int, str]  # order, reason
SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,62}")
NAMES = Snapshot._fields
COLUMNS = ", ".join(NAMES)
READ = [f"r.{name}::json" if name == "priority_parts" else f"r.{name}" for name in NAMES]
TYPES = """status text, severity text, verdict text, resolution text, opened_at timestamptz, ended_at timestamptz,
  due_at timestamptz, stage text, occurrence_count int, occurrence_key text, snoozed_until timestamptz,
  acknowledged_at timestamptz, resolved_at timestamptz, resolved_by text, history boolean, priority int, priority_parts jsonb"""

# Always true, `x || '' = x` has PostgreSQL take the document for one row and look up by index (see `orders.statements`).
LOCK = """
SELECT r.id, r.order_id, r.reason_code, {columns}
FROM json_to_recordset(%(keys)s) u(o bigint, r text)
JOIN {s}.exceptions_record r ON r.order_id = u.o AND r.reason_code = u.r
WHERE u.r || '' = u.r
ORDER BY r.id FOR NO KEY UPDATE OF r"""

INSERT = """
WITH u AS MATERIALIZED (
  SELECT * FROM json_to_recordset(%(born)s) u(order_id bigint, merchant text, order_ref text, reason_code text, {types},
    kind text, actor text, cause text, detail jsonb)
), born AS (
  INSERT INTO {s}.exceptions_record (order_id, merchant, order_ref, reason_code, {columns}, first_seen_at, updated_at)
  SELECT order_id, merchant, order_ref, reason_code, {columns}, %(now)s, %(now)s FROM u ORDER BY order_id, reason_code
  ON CONFLICT (order_id, reason_code) DO NOTHING RETURNING id, order_id, reason_code
), told AS (
  INSERT INTO {s}.exceptions_timelineentry (exception_id, at, kind, actor, reason, detail)
  SELECT born.id, %(now)s, u.kind, u.actor, u.cause, u.detail FROM born JOIN u USING (order_id, reason_code) ORDER BY born.id
)
SELECT id, order_id, reason_code FROM born"""

UPDATE = """
UPDATE {s}.exceptions_record r SET ({columns}, updated_at) = ({values}, %(now)s)
FROM json_to_recordset(%(rows)s) u(id bigint, {types}) WHERE r.id = u.id AND u.status || '' = u.status"""

TELL = """
INSERT INTO {s}.exceptions_timelineentry (exception_id, at, kind, actor, reason, detail)
SELECT u.id, %(now)s, u.kind, u.actor, u.cause, u.detail
FROM json_to_recordset(%(entries)s) u(id bigint, kind text, actor text, cause text, detail jsonb)"""


@dataclass(frozen=True, slots=True)
class Statements:
    """The texts of one schema, which they name, so that no search path can lead them to another tenant."""

    lock: str
    insert: str
    update: str
    tell: str
    alarm: str
    schema: str


@lru_cache(maxsize=4096)
def statements(schema: str) -> Statements:
    """Raises: ValueError for what is no schema's name."""
    if not SCHEMA.fullmatch(schema):
        raise ValueError(f"{schema!r} is not the name of a tenant's schema")
    qualified = f'"{schema}"'
    values = ", ".join(f"u.{name}" for name in NAMES)
    return Statements(
        lock=LOCK.format(s=qualified, columns=", ".join(READ)),
        insert=INSERT.format(s=qualified, columns=COLUMNS, types=TYPES),
        update=UPDATE.format(s=qualified, columns=COLUMNS, types=TYPES, values=values),
        tell=TELL.format(s=qualified),
        alarm=raise_statement(schema),
        schema=schema,
    )


@dataclass(slots=True)
class Writes:
    """What a call sends, as rows of JSON documents; a key left out reads as null."""

    born: dict[Key, dict[str, Any]] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    alarms: list[dict[str, Any]] = field(default_factory=list)
    surfaced: set[Key] = field(default_factory=set)


class Book:
    """Keeps the exceptions. Two round trips whatever the number of changes; never commits. Tells people, in the same breath."""

    def apply(self, connection: Connection, *, schema: str, changes: Sequence[Change], now: datetime) -> list[int]:
        """Writes what the table of reconciling says. Returns the ids of the exceptions opened or reopened, ascending.

        The caller holds a transaction and the locks of the orders, and names each (order, reason) once.
        """
        texts = statements(schema)
        surfaced: list[int] = []
        pending = list(changes)
        while pending:
            stored = lock_stored(connection, texts, pending)
            writes = decide(pending, stored, now)
            born = send(connection, texts, writes, now)
            ids = {key: number for key, (number, _) in stored.items()} | born
            surfaced += [ids[key] for key in writes.surfaced if key in ids]
            # A row that came into being since the look, by a caller without the order's lock: look again.
            missing = writes.born.keys() - born.keys()
            pending = [change for change in pending if (change.order_pk, change.reason) in missing]
        return sorted(surfaced)

    def foretell(
        self, connection: Connection, *, schema: str, changes: Sequence[Change], now: datetime
    ) -> list[Correction]:
        """What `apply` would write; one round trip, and the same locks."""
        stored = lock_stored(connection, statements(schema), changes)
        corrections = []
        for change in changes:
            _, exception = stored.get((change.order_pk, change.reason), (None, None))
            decision = decided(change, exception, now)
            if decision.row is not None:
                kinds = tuple(entry.kind for entry in decision.entries)
                corrections.append(Correction(change.order_pk, change.reason, kinds))
        return corrections


def lock_stored(
    connection: Connection, texts: Statements, changes: Iterable[Change]
) -> dict[Key, tuple[int, Snapshot]]:
    """The exceptions that exist for these changes, locked in the order of their ids."""
    keys = as_json([{"o": change.order_pk, "r": change.reason} for change in changes])
    cursor = connection.cursor(row_factory=tuple_row)
    rows = cursor.execute(texts.lock, {"keys": keys}).fetchall()
    return {(order, reason): (number, Snapshot(*columns)) for number, order, reason, *columns in rows}


def decide(changes: Iterable[Change], stored: Mapping[Key, tuple[int, Snapshot]], now: datetime) -> Writes:
    writes = Writes()
    for change in changes:
        key = (change.order_pk, change.reason)
        number, exception = stored.get(key, (None, None))
        decision = decided(change, exception, now)
        if decision.row is None:
            continue
        columns = {name: value for name, value in zip(NAMES, decision.row, strict=True) if value is not None}
        if decision.surfaced:
            writes.surfaced.add(key)
        entries = [told(entry, change.cause) for entry in decision.entries]
        alarm = alarm_of(entry.kind for entry in decision.entries)
        if alarm and not is_silent(decision):
            writes.alarms.append({"o": key[0], "c": key[1], "alarm": alarm, "actor": entries[0]["actor"]})
        if number is None:
            writes.born[key] = identity(change) | columns | entries[0]
        else:
            writes.rows.append({"id": number} | columns)
            writes.entries += [{"id": number} | entry for entry in entries]
    return writes


def decided(change: Change, exception: Snapshot | None, now: datetime) -> Decision:
    """What the table of reconciling says, with the priority that follows from it."""
    decision = reconcile(change.before, change.now, exception, at=now, history=change.history)
    row = decision.row or exception
    if row is None or change.now is None:
        return decision
    parts = priority_parts(
        change.priority,
        change.now.bearing,
        severity=row.severity,
        reason=change.reason,
        occurrences=row.occurrence_count,
    )
    if decision.row is None and parts == row.priority_parts:
        return decision
    weighed = row._replace(priority=sum(parts.values()), priority_parts=parts)
    return Decision(weighed, decision.entries, decision.surfaced)


def is_silent(decision: Decision) -> bool:
    """Over before it could be seen: born resolved."""
    return any(entry.detail.get("born") for entry in decision.entries)


def identity(change: Change) -> dict[str, Any]:
    return {
        "order_id": change.order_pk,
        "merchant": change.merchant,
        "order_ref": change.order_id,
        "reason_code": change.reason,
    }


def told(entry: Entry, cause: str) -> dict[str, Any]:
    """A deadline that passed without any event is found by the radar; all else is the fold of some event."""
    actor = "radar" if cause == "deadline" else "fold"
    return {"kind": entry.kind, "actor": actor, "cause": cause, "detail": entry.detail}


def send(connection: Connection, texts: Statements, writes: Writes, now: datetime) -> dict[Key, int]:
    """Sends all in one pipeline. Returns the ids of what was born."""
    born = connection.cursor(row_factory=tuple_row)
    with connection.pipeline():
        if writes.born:
            born.execute(texts.insert, {"born": as_json(list(writes.born.values())), "now": now})
        if writes.rows:
            connection.execute(texts.update, {"rows": as_json(writes.rows), "now": now})
        if writes.entries:
            connection.execute(texts.tell, {"entries": as_json(writes.entries), "now": now})
        if writes.alarms:
            alarms = {"alarms": as_json(writes.alarms), "schema": texts.schema, "now": now, **USUALLY}
            connection.execute(texts.alarm, alarms)
    return {(order, reason): number for number, order, reason in born.fetchall()} if writes.born else {}


def as_json(rows: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()
