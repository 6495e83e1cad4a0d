"""Equal state, as CONTRACT 4 means it: the same stages, and the same exceptions whose verdict is not `none`."""

from typing import Any

from e2a.postgresql.raw import database_now, raw_connection
from orders.judge import judge_orders
from orders.statements import statements_of
from tests.orders.door_cast import rows

TABLES = ("orders_order", "orders_event", "orders_stage", "exceptions_record", "exceptions_timelineentry")
ORDERS = """SELECT merchant, order_id, status, held, began_at, contradiction,
  folded_through = (SELECT max(e.id) FROM {s}.orders_event e WHERE e.order_id = o.id) FROM {s}.orders_order o ORDER BY 1, 2"""
STAGES = """SELECT o.merchant, o.order_id, g.name, g.state, g.started_at, g.ended_at, g.due_at, g.breached
FROM {s}.orders_stage g JOIN {s}.orders_order o ON o.id = g.order_id ORDER BY 1, 2, 3"""
EXCEPTIONS = """SELECT merchant, order_ref, reason_code, verdict, opened_at, ended_at FROM {s}.exceptions_record
WHERE verdict <> 'none' ORDER BY 1, 2, 3"""


def state(schema: str = "acme") -> list[Any]:
    """Besides, each order's row must have seen the newest of its events: none is missing from a fold."""
    return [rows(text, schema) for text in (ORDERS, STAGES, EXCEPTIONS)]


def versions(schema: str = "acme") -> list[Any]:
    """Every row with the transaction that wrote it: unchanged only if nothing was written."""
    return [rows(f"SELECT id, xmin::text, ctid::text FROM {{s}}.{table} ORDER BY id", schema) for table in TABLES]


def judge_again(schema: str = "acme") -> None:
    ids = [key for (key,) in rows("SELECT id FROM {s}.orders_order ORDER BY id", schema)]
    connection = raw_connection()
    judge_orders(connection, statements_of(schema), ids, now=database_now(connection), cause="again")
