"""The radar's figures: a burst among a million running clocks, an idle look at 200 tenants, due times, explanations, a simulation.

The rows are made by SQL, the verdicts by the radar. `python -m tests.bench.radar_alone` measures nothing else.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django_tenants.utils import schema_context

from e2a.postgresql.raw import database_now, raw_connection
from orders.deadlines import deadline_of
from orders.explanation import explain
from orders.facts import Fact
from orders.holds import Pause
from orders.radar import run_round
from orders.simulator.runs import start_run, work_on_run
from tenants.models import SlaPolicy, Tenant
from tenants.policy import PolicyVersion, parse_policy
from tenants.services import create_tenant

ORDERS, STAGES = 250_000, ("payment_processing", "inventory_check", "shipping_preparation", "order_fulfillment")
BURST = 10_000
TENANTS = 200
PAST_ORDERS = 100_000
LOOKS = 50
WARM_UP = 12  # rounds of a new process until PostgreSQL keeps the look's plan
TABLES = ("orders_order", "orders_event", "orders_stage", "orders_parcel")
RULES = {
    "calendars": {
        "sp": {
            "timezone": "America/Sao_Paulo",
            "weekly": {day: ["09:00-12:00", "13:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
            "holidays": {"country": "BR"},
        }
    },
    "rules": [
        {
            "name": "All",
            "targets": {
                "payment_processing": {"working_minutes": 30, "warn": {"share": 0.5}},
                "order_fulfillment": {"cutoff": "14:00", "warn": {"before_hours": 2}},
            },
        }
    ],
}
INSERT_ORDERS = """
INSERT INTO {s}.orders_order (merchant, order_id, began_at, policy_id, status)
SELECT 'default', 'o' || n, now() - interval '1 minute', %(policy)s, 'CREATED' FROM generate_series(1, %(orders)s) n"""
INSERT_STAGES = """
INSERT INTO {s}.orders_stage (order_id, name, state, started_at, due_at, target_seconds, judge_at)
SELECT o.id, g.name, 'RUNNING', now() - interval '1 minute', now() + interval '1 day', 86400, now() + interval '1 day'
FROM {s}.orders_order o, unnest(%(stages)s::text[]) g(name)"""
MAKE_DUE = """
UPDATE {s}.orders_stage SET due_at = now(), judge_at = now() WHERE id IN (
  SELECT g.id FROM {s}.orders_stage g WHERE g.name = %(stage)s AND NOT g.breached ORDER BY random() LIMIT %(burst)s)"""
CHECK = """
SELECT count(*), count(DISTINCT order_id) FROM {s}.exceptions_record WHERE reason_code = %(reason)s"""
INSERT_PAST = """
INSERT INTO {s}.orders_event (order_id, source, event_id, event_type, merchant, order_ref, occurred_at, received_at, effective_at,
  payload, content_hash)
SELECT o.id, 'bench', t.kind || o.id, t.kind, 'default', o.order_id, o.began_at + t.after, o.began_at + t.after,
  o.began_at + t.after, '{{}}', '\\x00'
FROM {s}.orders_order o, (VALUES ('order_created', interval '0'), ('payment_confirmed', interval '20 minutes'),
  ('inventory_allocated', interval '40 minutes'), ('order_fulfilled', interval '30 hours')) t(kind, after)"""


@dataclass(frozen=True, slots=True)
class Figure:
    """`limit`: what the issue asks for, in the same unit."""

    what: str
    value: float
    unit: str
    limit: float

    def __str__(self) -> str:
        met = "met" if self.value <= self.limit else "MISSED"
        return f"{self.what:<58} {self.value:>10,.1f} {self.unit:<3} (at most {self.limit:g} {self.unit}: {met})"


def measure() -> Iterator[Figure]:
    """On servers that run already, with the public schema migrated."""
    tenant = create_tenant(slug="bench-radar")
    yield from pure_figures()
    yield from burst(tenant)
    yield from simulation()
    yield from idle(tenant)


def burst(tenant: Tenant) -> list[Figure]:

    connection, name = raw_connection(), f'"{tenant.schema_name}"'
    policy = SlaPolicy.objects.get(tenant=tenant)
    connection.execute(INSERT_ORDERS.format(s=name), {"policy": policy.pk, "orders": ORDERS})
    connection.execute(INSERT_STAGES.format(s=name), {"stages": list(STAGES)})
    vacuum(connection, name)
    figures = []
    for stage, reason, radars in (
        ("payment_processing", "PAYMENT_DELAY", 1),
        ("inventory_check", "INVENTORY_DELAY", 2),
    ):
        connection.execute(MAKE_DUE.format(s=name), {"stage": stage, "burst": BURST})
        began = time.perf_counter()
        with ThreadPoolExecutor(radars) as pool:
            rounds = [each.result() for each in [pool.submit(run_round) for _ in range(radars)]]
        seconds = time.perf_counter() - began
        found = connection.execute(CHECK.format(s=name), {"reason": reason}).fetchone()
        assert found == (BURST, BURST), found
        assert sum(done.judged for done in rounds) == BURST
        clocks = f"{ORDERS * len(STAGES):,}".replace(",", " ")
        who = "one radar" if radars == 1 else f"{radars} radars, {min(done.judged for done in rounds)} by the lesser"
        figures.append(Figure(f"{BURST} due at once among {clocks} clocks ({who})", seconds, "s", 2))
    return figures


def vacuum(connection: Any, name: str) -> None:
    for table in ("orders_order", "orders_stage"):
        connection.execute(f"VACUUM ANALYZE {name}.{table}")


def idle(tenant: Tenant) -> list[Figure]:
    """The other tenants are copies of the empty tables: only what the radar looks at."""

    connection = raw_connection()
    for number in range(TENANTS - Tenant.objects.filter(active=True).count()):
        schema = f"bench_idle_{number}"
        connection.execute(f'CREATE SCHEMA "{schema}"')
        for table in TABLES:
            connection.execute(f'CREATE TABLE "{schema}".{table} (LIKE "{tenant.schema_name}".{table} INCLUDING ALL)')
        connection.execute(
            """INSERT INTO "public".tenants_tenant (schema_name, slug, name, timezone, active, billing)
            VALUES (%s, %s, 'Idle', 'UTC', true, '{}')""",
            [schema, schema.replace("_", "-")],
        )
    for _ in range(WARM_UP):
        run_round()
    looks = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        done = run_round()
        looks.append((time.perf_counter() - began) * 1e3)
        assert (done.tenants, done.judged) == (TENANTS, 0)
    return [Figure(f"an idle round over {TENANTS} tenants (median of {LOOKS})", statistics.median(looks), "ms", 20)]


def pure_figures() -> list[Figure]:

    policy, start = parse_policy(RULES), datetime(2026, 11, 19, 16, 30, tzinfo=UTC)
    targets = policy.rules[0].targets
    pauses = [Pause(start + timedelta(hours=1), start + timedelta(hours=30))]
    work = [(target, policy.calendar_of(target, "")) for target in targets.values()]

    def due_times() -> None:
        for target, calendar in work:
            deadline_of(target, calendar, start, None, pauses=pauses, detailed=())

    facts = [
        Fact("wms", kind, kind, start + timedelta(hours=after), start + timedelta(hours=after), {"hold_id": "h"})
        for kind, after in (("order_created", 0), ("order_held", 1), ("order_released", 30))
    ]
    versions = (PolicyVersion(1, start - timedelta(days=9), policy),)
    return [
        Figure("a due time with its warning point and a pause", each_micros(due_times, 5_000) / len(work), "µs", 40),
        Figure(
            "an explanation of one order, all stages",
            each_micros(lambda: explain(facts, versions), 1_000) / 1e3,
            "ms",
            1,
        ),
    ]


def each_micros(work: Callable[[], object], times: int) -> float:
    work()
    began = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - began) / times * 1e6


def simulation() -> list[Figure]:

    tenant = create_tenant(slug="bench-past")
    connection, name = raw_connection(), f'"{tenant.schema_name}"'
    policy = SlaPolicy.objects.get(tenant=tenant)
    connection.execute(INSERT_ORDERS.format(s=name), {"policy": policy.pk, "orders": PAST_ORDERS})
    connection.execute(f"UPDATE {name}.orders_order SET began_at = now() - interval '1 day' * (2 + 58 * random())")
    connection.execute(INSERT_PAST.format(s=name))
    connection.execute(f"VACUUM ANALYZE {name}.orders_order")
    connection.execute(f"VACUUM ANALYZE {name}.orders_event")
    now = database_now(connection)
    with schema_context(tenant.schema_name):
        asked = start_run(title="Bench", rules=RULES, start=now - timedelta(days=90), end=now, by="bench")
        began = time.perf_counter()
        found = work_on_run(tenant.schema_name, asked.pk)
    seconds = time.perf_counter() - began
    assert (found.status, found.orders) == ("done", PAST_ORDERS)
    return [Figure(f"a simulation of {PAST_ORDERS} stored orders", seconds, "s", 60)]
