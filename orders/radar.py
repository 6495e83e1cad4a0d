"""The radar: what changes with time alone, found every second with PostgreSQL and nothing else.

A look over all tenants is one statement in chunks; only a tenant with something to do costs more. Two radars share the work:
orders are claimed by SKIP LOCKED. Besides deadlines it brings back orders whose fold failed or that a cut-off backfill left
unjudged, and carriers' events whose parcel has become known.
"""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from e2a.observability.metrics import SLA_BREACHES, SLA_SECONDS
from e2a.postgresql.raw import database_now, raw_connection
from e2a.pulse import pulse
from orders import sla
from orders.deadletters import Letter, store_letters
from orders.events import OLDEST
from orders.judge import Connection, Writes, judge_orders, priority_of, write
from orders.looking import active_schemas, look_at
from orders.models import Entrance
from orders.ports import Change
from orders.statements import quoted, statements_of
from orders.stored import bearing_from, stage_json, watch_from
from orders.versions import versions_from
from tenants.policy import PolicyVersion

logger = logging.getLogger(__name__)
CLAIM = 1_000  # orders in one transaction
CAUSE = "deadline"
MAX_FOLD_ATTEMPTS = 5
RECENT, LOOK_BACK_EVERY = timedelta(days=1), timedelta(minutes=10)
looked_back: dict[str, datetime] = {}  # when this process last looked at all that waits in a schema
BACKFILL_LOCK = 20_61  # the class of the advisory locks that a running backfill holds, one a tenant

# The earliest of each, by its partial index. As EXISTS (… < now) a plan for any `now` would read a million clocks that are not
# due, since it takes a third of them for due and so expects one at once.
LOOK = """SELECT '{name}',
  coalesce((SELECT judge_at < %(now)s FROM {s}.orders_stage WHERE judge_at IS NOT NULL ORDER BY judge_at LIMIT 1), false),
  coalesce((SELECT fold_retry_at <= %(now)s FROM {s}.orders_order WHERE fold_retry_at IS NOT NULL
    ORDER BY fold_retry_at LIMIT 1), false),
  coalesce((SELECT true FROM {s}.orders_event WHERE order_id IS NULL ORDER BY received_at LIMIT 1), false)"""
# The limit counts orders that nobody else holds, so that two radars share what is due in the same second. Whoever skips
# never waits, so that the order of locking does not matter.
CLAIM_DUE = """
SELECT o.id, o.merchant, o.order_id, o.history, o.policy_id, o.bearing::json
FROM {s}.orders_stage g JOIN {s}.orders_order o ON o.id = g.order_id
WHERE g.judge_at < %(now)s ORDER BY g.judge_at LIMIT %(limit)s FOR NO KEY UPDATE OF o SKIP LOCKED"""
DUE_STAGES = """
SELECT order_id, name, state, started_at, ended_at, due_at, breached, severity, target_seconds, judge_at, at_risk_at, watch::json
FROM {s}.orders_stage WHERE order_id = ANY(%(ids)s) AND judge_at < %(now)s ORDER BY order_id, name"""
UNJUDGED = """
SELECT id, fold_attempts FROM {s}.orders_order
WHERE fold_retry_at <= %(now)s AND pg_try_advisory_xact_lock_shared({lock}, hashtext('{name}')) ORDER BY fold_retry_at LIMIT %(limit)s"""
QUARANTINE = """
UPDATE {s}.orders_event e SET quarantined = true FROM {s}.orders_order o
WHERE o.id = e.order_id AND o.id = ANY(%(ids)s) AND e.id > o.folded_through AND NOT e.quarantined
RETURNING o.id, e.source, e.event_id, e.order_ref, e.correlation_id, o.fold_error,
  json_build_object('source', e.source, 'event_type', e.event_type, 'event_id', e.event_id, 'order_id', e.order_ref,
    'merchant', e.merchant, 'occurred_at', e.occurred_at, 'payload', e.payload)::text"""
CLEAR_FAILURE = """
UPDATE {s}.orders_order SET fold_attempts = 0, fold_retry_at = NULL WHERE id = ANY(%(ids)s)"""
# From the events to the parcels, one look-up each: of a million parcels a round may read only those that are asked for.
PARCELS_NOW_KNOWN = """
SELECT json_agg(json_build_object('event', e.id, 'order', p.order_id, 'shipment', p.shipment_id))::text
FROM {s}.orders_event e CROSS JOIN LATERAL (SELECT order_id, shipment_id FROM {s}.orders_parcel
  WHERE tracking_number = e.tracking_number ORDER BY order_id DESC, shipment_id DESC LIMIT 1) p
WHERE e.order_id IS NULL AND e.received_at >= %(since)s"""
ADOPT = """
UPDATE {s}.orders_event e SET order_id = u."order", detail = CASE WHEN u.shipment = '' THEN e.detail
  ELSE coalesce(e.detail, '{{}}') || jsonb_build_object('shipment', u.shipment) END
FROM json_to_recordset(%(known)s) u(event bigint, "order" bigint, shipment text)
WHERE e.id = u.event AND e.order_id IS NULL RETURNING e.order_id"""


@dataclass(slots=True)
class Round:
    """What one round did, over all tenants."""

    tenants: int = 0
    judged: int = 0  # stages whose deadline or next severity had come
    refolded: int = 0
    adopted: int = 0
    quarantined: int = 0
    failed: list[str] = field(default_factory=list)  # schemas that raised; the others were served all the same


def run_round() -> Round:
    """One look over all tenants, and all that is due in them."""
    connection = raw_connection()
    done = Round()
    schemas = active_schemas(connection)
    done.tenants = len(schemas)
    now = database_now(connection)
    for schema, due, unjudged, waiting in look(connection, schemas, now):
        try:
            serve(connection, schema, done, due=due, unjudged=unjudged, waiting=waiting)
        except psycopg.OperationalError:
            raise
        except Exception:
            logger.exception("the radar failed in %s", schema)
            done.failed.append(schema)
    return done


def look(connection: Connection, schemas: Sequence[str], now: datetime) -> list[tuple[str, bool, bool, bool]]:
    """The tenants in which something is to be done."""
    rows = look_at(connection, LOOK, schemas, {"now": now})
    return [(schema, due, unjudged, waiting) for schema, due, unjudged, waiting in rows if due or unjudged or waiting]


def serve(connection: Connection, schema: str, done: Round, *, due: bool, unjudged: bool, waiting: bool) -> None:
    began = time.perf_counter()
    if waiting:
        done.adopted += adopt_events(connection, schema, since=waiting_since(schema, database_now(connection)))
    if due:
        done.judged += pass_deadlines(connection, schema)
    if unjudged:
        refold_orders(connection, schema, done)
    if done.adopted or done.judged or done.refolded:
        pulse.touch(schema)
    SLA_SECONDS.labels(schema).observe(time.perf_counter() - began)


def pass_deadlines(connection: Connection, schema: str) -> int:
    """Marks every stage whose instant has come, a claim at a time. Returns how many."""
    total = 0
    while (count := pass_claim(connection, schema)) is not None:
        total += count
    return total


def pass_claim(connection: Connection, schema: str) -> int | None:
    """One transaction: orders nobody else holds, their due stages, the verdict that time alone makes, the exceptions.

    Returns how many stages; None when there was no order to hold.
    """
    name, texts = quoted(schema), statements_of(schema)
    with connection.transaction():
        now = database_now(connection)
        claim: psycopg.Cursor[Any] = connection.cursor(row_factory=namedtuple_row)
        orders = {
            row.id: row for row in claim.execute(CLAIM_DUE.format(s=name), {"now": now, "limit": CLAIM}).fetchall()
        }
        if not orders:
            return None
        with connection.pipeline():
            due = connection.execute(DUE_STAGES.format(s=name), {"ids": list(orders), "now": now})
            listed = connection.execute(texts.policies, {"schema": schema})
        policies = versions_from(connection, listed.fetchall()[0][0])
        rows = due.fetchall()  # fewer, when another radar has just been here
        writes = verdicts_of_time(orders, rows, policies, now)
        with connection.pipeline():
            write(connection, texts, writes, now=now)
    for change in writes.changes:
        if change.is_breach_or_problem and change.now is not None:
            SLA_BREACHES.labels(schema, change.reason, change.now.severity).inc()
    return len(rows)


def verdicts_of_time(
    orders: Mapping[int, Any], rows: Iterable[Any], policies: Sequence[PolicyVersion], now: datetime
) -> Writes:
    """Of stages whose instant has come. Warned, late and worse go the same way."""
    writes = Writes()
    for order_id, name, *columns, at_risk_at, watched in rows:
        order, before, watch = orders[order_id], sla.StageVerdict(*columns), watch_from(at_risk_at, watched)
        after = sla.pass_time(before, now, name, watch)
        writes.stages.append({"order_id": order_id, "name": name, **stage_json(after, watch)})
        bearing = bearing_from(order.bearing)
        old = sla.finding_of_stage(name, before, watch, bearing)
        new = sla.finding_of_stage(name, after, watch, bearing)
        if old != new:
            priority = priority_of(policies, order.policy_id)
            change = Change(
                order_id, order.order_id, order.merchant, sla.REASONS[name], old, new, order.history, CAUSE, priority
            )
            writes.changes.append(change)
    return writes


def refold_orders(connection: Connection, schema: str, done: Round) -> None:
    """Judges what a failed fold or a cut-off backfill left; after the last attempt the events since the last good fold are
    quarantined as dead letters and the order is judged without them."""
    texts, name = statements_of(schema), quoted(schema)
    text = UNJUDGED.format(s=name, lock=BACKFILL_LOCK, name=schema)
    while rows := connection.execute(text, {"now": database_now(connection), "limit": CLAIM}).fetchall():
        exhausted = [order for order, attempts in rows if attempts >= MAX_FOLD_ATTEMPTS]
        if exhausted:
            done.quarantined += quarantine(connection, schema, exhausted)
        judge_orders(connection, texts, [order for order, _ in rows], now=database_now(connection), cause="retry")
        done.refolded += len(rows)


def quarantine(connection: Connection, schema: str, ids: Sequence[int]) -> int:
    """An order without events since its last good fold has nothing to set aside: it is tried on, once a minute."""
    name = quoted(schema)
    with connection.transaction():
        rows = connection.execute(QUARANTINE.format(s=name), {"ids": list(ids)}).fetchall()
        letters = [
            Letter(
                source=source,
                reason="poison",
                body=body.encode(),
                errors={"event": [f"Judging the order with this event failed {MAX_FOLD_ATTEMPTS} times: {error}"]},
                event_id=event_id,
                order_ref=order_ref,
                correlation_id=correlation,
                entrance=Entrance.QUARANTINE,
            )
            for _, source, event_id, order_ref, correlation, error, body in rows
        ]
        store_letters(connection, statements_of(schema), letters, now=database_now(connection))
        connection.execute(CLEAR_FAILURE.format(s=name), {"ids": sorted({row[0] for row in rows})})
    return len(rows)


def waiting_since(schema: str, now: datetime) -> datetime:
    """Which events are looked at: those of the last day, and every ten minutes all of them.

    Some wait for ever, such as those of parcels that nobody told us of; a tenant may have very many.
    """
    if now < looked_back.get(schema, OLDEST) + LOOK_BACK_EVERY:
        return now - RECENT
    looked_back[schema] = now
    return OLDEST


def adopt_events(connection: Connection, schema: str, *, since: datetime = OLDEST) -> int:
    """Gives carriers' events that waited to the order whose parcel they name, and judges those orders."""
    name, texts = quoted(schema), statements_of(schema)
    [(known,)] = connection.execute(PARCELS_NOW_KNOWN.format(s=name), {"since": since}).fetchall()
    if not known:
        return 0
    with connection.transaction():
        rows = connection.execute(ADOPT.format(s=name), {"known": known}).fetchall()
        ids = sorted({row[0] for row in rows})
        if ids:
            judge_orders(connection, texts, ids, now=database_now(connection), cause="its parcel became known")
    return len(rows)
