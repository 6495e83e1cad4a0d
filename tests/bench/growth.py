"""What an event costs among 10,000 stored orders and among 1,000,000, measured in turns."""

import statistics
import time
from collections.abc import Sequence

from e2a.postgresql.raw import database_now, raw_connection
from orders.events import decode_event, prepare
from orders.ingest import ingest
from orders.statements import quoted
from tenants.models import SlaPolicy, Tenant
from tenants.services import create_tenant
from tests.bench.events import lives

FEW = 10_000
ROUNDS, ORDERS = 9, 60  # of a turn: five single events an order, then as many in one batch
INSERT_ORDERS = """
INSERT INTO {s}.orders_order (merchant, order_id, began_at, policy_id, status, first_received_at, last_received_at)
SELECT 'default', md5(n::text), now() - interval '60 days' + n * interval '5 s', %(policy)s, 'DELIVERED', now(), now()
FROM generate_series(1, %(orders)s) n"""
INSERT_EVENTS = """
INSERT INTO {s}.orders_event (order_id, source, event_id, event_type, merchant, order_ref, occurred_at, received_at, effective_at,
  payload, content_hash)
SELECT o.id, 'wms', t.kind || o.order_id, t.kind, 'default', o.order_id, o.began_at + t.after, o.began_at + t.after,
  o.began_at + t.after, '{{}}', '\\x00'
FROM {s}.orders_order o, (VALUES ('order_created', interval '0'), ('order_delivered', interval '30 hours')) t(kind, after)"""
INSERT_STAGES = """
INSERT INTO {s}.orders_stage (order_id, name, state, started_at, ended_at, due_at, target_seconds)
SELECT o.id, 'order_fulfillment', 'COMPLETED', o.began_at, o.began_at + interval '30 hours', o.began_at + interval '48 hours', 172800
FROM {s}.orders_order o"""
Turn = tuple[float, float]  # seconds an event, single and in a batch


def growth(many: int) -> list[tuple[str, str]]:
    small, large = fill("bench-small", FEW), fill("bench-large", many)
    turns: dict[str, list[Turn]] = {small: [], large: []}
    for number in range(ROUNDS + 1):
        for schema, found in turns.items():
            found.append(turn(schema, number))
    rows = []
    for path, name in enumerate(("single", "batched")):
        few, more = (statistics.median(each[path] for each in found[1:]) for found in turns.values())
        value = f"{few * 1e6:,.0f} → {more * 1e6:,.0f}"
        rows.append((f"an event among {FEW:,} and {many:,} orders, {name}, µs", value))
        rows.append(("  ratio", f"{more / few:.2f}"))
    return rows


def fill(slug: str, orders: int) -> str:
    """Returns the tenant's schema, with so many delivered orders."""
    tenant: Tenant = create_tenant(slug=slug)
    connection, name = raw_connection(), quoted(tenant.schema_name)
    policy = SlaPolicy.objects.get(tenant=tenant)
    connection.execute(INSERT_ORDERS.format(s=name), {"policy": policy.pk, "orders": orders})
    connection.execute(INSERT_EVENTS.format(s=name))
    connection.execute(INSERT_STAGES.format(s=name))
    for table in ("orders_order", "orders_event", "orders_stage"):
        connection.execute(f"VACUUM ANALYZE {name}.{table}")
    return str(tenant.schema_name)


def turn(schema: str, number: int) -> Turn:
    """The first turn of a schema, which plans its statements, is not counted."""
    single = time_of(schema, lives(ORDERS, name=f"one-{number}"), size=1)
    batched = time_of(schema, lives(ORDERS * 10, name=f"many-{number}"), size=ORDERS * 50)
    return single, batched


def time_of(schema: str, bodies: Sequence[bytes], *, size: int) -> float:
    """Seconds an event."""
    now = database_now(raw_connection())
    events = [prepare(decode_event(body), raw=body, now=now) for body in bodies]
    began = time.perf_counter()
    for start in range(0, len(events), size):
        ingest(schema, events[start : start + size], now=now)
    return (time.perf_counter() - began) / len(events)
