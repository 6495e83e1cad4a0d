"""The door looks a few rows up by index, whatever PostgreSQL believes of the documents that it sends."""

from dataclasses import asdict

import pytest

from e2a.postgresql.raw import raw_connection
from exceptions.book import statements
from orders.statements import statements_of
from tenants.models import Tenant

FILL = (
    """INSERT INTO acme.orders_order (merchant, order_id) SELECT 'default', md5(n::text) FROM generate_series(1, 5000) n""",
    """INSERT INTO acme.orders_event (order_id, source, event_id, event_type, merchant, order_ref, occurred_at, received_at, effective_at,
      payload, content_hash)
    SELECT id, 'wms', order_id, 'order_created', 'default', order_id, now(), now(), now(), '{}', '' FROM acme.orders_order""",
    """INSERT INTO acme.orders_stage (order_id, name, state) SELECT id, 'delivery', 'RUNNING' FROM acme.orders_order""",
    """INSERT INTO acme.exceptions_record (order_id, merchant, order_ref, reason_code, status, severity, verdict, opened_at, first_seen_at,
      updated_at, occurrence_count, occurrence_key, history)
    SELECT id, 'default', order_id, 'X', 'OPEN', 'HIGH', 'active', now(), now(), now(), 1, 'stage', false FROM acme.orders_order""",
    "ANALYZE acme.orders_order, acme.orders_event, acme.orders_stage, acme.exceptions_record",
)
SENT = {name: "[{}]" for name in ("keys", "events", "identities", "orders", "gone", "parcels", "rows")} | {
    "now": "2026-01-01T00:00Z"
}
NAMES = (
    "lock_by_keys",
    "facts_by_keys",
    "stages_by_keys",
    "hashes",
    "insert_events",
    "write_orders",
    "drop_stages",
    "write_parcels",
)


@pytest.fixture
def some_thousand_orders(acme: Tenant) -> None:
    for text in FILL:
        raw_connection().execute(text)


def plan_of(text: str) -> str:
    """As PostgreSQL plans it for any document."""
    given = {**SENT, "history": False}
    given["events"] = [1] if "ANY(%(events)s)" in text else SENT["events"]
    return "\n".join(row[0] for row in raw_connection().execute(f"EXPLAIN {text}", given).fetchall())


def test_no_statement_reads_a_whole_table(some_thousand_orders: None) -> None:
    door, book = asdict(statements_of("acme")), statements("acme")
    texts = {name: door[name] for name in NAMES} | {"book.lock": book.lock, "book.update": book.update}
    plans = {name: plan_of(text) for name, text in texts.items()}
    assert [name for name, plan in plans.items() if "Seq Scan" in plan or "Hash Join" in plan] == []


@pytest.mark.parametrize("name", ["hold_by_keys", "mark_unjudged"])
def test_a_backfill_walks_no_table_for_each_row_when_it_was_empty_at_the_last_look(acme: Tenant, name: str) -> None:
    """As after a vacuum at the time when its only rows were rolled back: a batch would take hours."""
    for text in FILL[:-1]:
        raw_connection().execute(text)
    raw_connection().execute(
        "UPDATE pg_class SET relpages = 1, reltuples = 0 WHERE relnamespace = 'acme'::regnamespace AND relkind = 'r'"
    )
    plan = plan_of(asdict(statements_of("acme"))[name])
    walked = [line for line in plan.splitlines() if "Join Filter" in line or "Seq Scan" in line]
    assert walked == [], plan
