"""What the benchmark measures, one after the other, and the table that it makes of it."""

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from django.core.management import call_command

from e2a.postgresql.raw import database_now, raw_connection
from orders.events import decode_event, prepare
from orders.statements import quoted
from tenants.models import Tenant
from tenants.services import create_api_key, create_tenant
from tests.bench import floor, load, radar
from tests.bench.events import lives, real_mix
from tests.bench.growth import growth
from tests.bench.memory import memory
from tests.bench.neighbours import neighbours
from tests.bench.place import Place, memory_mib, python, resident
from tests.bench.server import CONNECTIONS, Server, headers_of

BATCH = 5_000
SENDERS = 4  # of batches, so that both processes of the API have one
SLA = '{"payment_processing_minutes": 30, "order_fulfillment_hours": 24}'
BARE = """
INSERT INTO {s}.bare (source, event_id, event_type, order_ref, occurred_at, received_at, payload)
SELECT * FROM unnest(%(source)s::text[], %(event_id)s::text[], %(event_type)s::text[], %(order)s::text[],
  %(at)s::timestamptz[], %(received)s::timestamptz[], %(payload)s::jsonb[]) ON CONFLICT DO NOTHING"""
BARE_TABLE = """
CREATE TABLE {s}.bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text, event_id text, event_type text,
  order_ref text, occurred_at timestamptz, received_at timestamptz, payload jsonb, UNIQUE (source, event_id))"""
Rows = list[tuple[str, str]]


def measure(place: Place, *, orders: int, copies: int, events: int, many: int) -> Rows:
    key = prepare_tenant()
    say("the single path")
    rows = single_path(place, key, orders, events)
    say("a quiet tenant beside a noisy one")
    rows += neighbours(place, key)
    say("the batch path")
    rows += batch_path(place, key, copies)
    say(f"the door among 10,000 and {many:,} orders")
    rows += growth(many)
    say("the radar")
    rows += [(figure.what, f"{figure.value:,.1f} {figure.unit}") for figure in radar.measure()]
    return rows


def say(what: str) -> None:
    print(f"Measuring {what} …", file=sys.stderr, flush=True)


def prepare_tenant() -> str:
    """Returns the key of the tenant `bench`."""
    call_command("migrate_schemas", shared=True, verbosity=0)
    create_tenant(slug="bench", sla=json.loads(SLA))
    return create_api_key(tenant=Tenant.objects.get(slug="bench"), scopes=["ingest"]).key


def single_path(place: Place, key: str, orders: int, events: int) -> Rows:
    """Closed loop at 32 connections, then 70% of that rate by the clock, then many events for the memory; a plain view; the floor."""
    server = Server(place)
    headers = headers_of(key)
    warm = [load.request("/events", body, headers) for body in lives(orders // 5, name="warm")]
    load.run(server.port, warm, connections=CONNECTIONS)
    full = load.run(server.port, [load.request("/events", b, headers) for b in lives(orders)], connections=CONNECTIONS)
    paced_bodies = lives(orders, name="paced")
    paced = load.run(
        server.port,
        [load.request("/events", b, headers) for b in paced_bodies],
        connections=CONNECTIONS,
        rate=full.rate * 0.7,
    )
    assert set(full.statuses) | set(paced.statuses) == {"201"}, (full.statuses, paced.statuses)
    grown = memory(server, key, events)
    server.stop()
    plain = plain_rate(place, key, orders)
    base = floor_of(place, key, orders)
    return [
        ("POST /events, 32 connections, events/s", f"{full.rate:,.0f}"),
        ("  its floor: 8 psycopg threads, events/s", f"{base:,.0f}"),
        ("  share of the floor", f"{full.rate / base:.0%}"),
        ("  p99 at 70% of that rate, ms", f"{paced.percentile(0.99) * 1000:.1f}"),
        ("  p99 at the full rate, ms", f"{full.percentile(0.99) * 1000:.1f}"),
        ("a plain DRF view that only stores the event, events/s", f"{plain:,.0f}"),
        *grown,
    ]


def plain_rate(place: Place, key: str, orders: int) -> float:
    """On the same server, at as many connections, with the same bodies."""
    floor.empty("bench")
    server = Server(place, "tests.bench.plain_server:application")
    warm, counted = (
        [load.request("/events", body, headers_of(key)) for body in lives(number, name=name)]
        for number, name in ((orders // 5, "warm-plain"), (orders, "plain"))
    )
    load.run(server.port, warm, connections=CONNECTIONS)
    done = load.run(server.port, counted, connections=CONNECTIONS)
    assert set(done.statuses) == {"201"}, done.statuses
    server.stop()
    return done.rate


def floor_of(place: Place, key: str, orders: int) -> float:
    """The same statements again, on emptied tables."""
    now = database_now(raw_connection())
    events = [prepare(decode_event(body), raw=body, now=now) for body in lives(max(orders // 5, 50), name="floor")]
    floor.empty("bench")
    recorded = floor.record("bench", key, events)
    conninfo = f"host={place.home / 's'} user=postgres dbname=postgres"
    floor.replay(conninfo, recorded)
    floor.empty("bench")
    return floor.replay(conninfo, recorded)


def batch_path(place: Place, key: str, copies: int) -> Rows:
    """`POST /events/batch` and `backfill` of the real data's mix, in order and shuffled, beside the bare insert of the same events."""
    lines = list(real_mix(copies))
    base = bare_insert(lines)
    rows = [("bare INSERT … SELECT FROM unnest, events/s", f"{base:,.0f}")]
    for name, rate, resided in (*batches(place, key, lines), *backfills(place, lines)):
        rows += [
            (f"{name}, events/s", f"{rate:,.0f}"),
            ("  share of the bare insert", f"{rate / base:.0%}"),
            ("  memory, MiB", f"{resided:.0f}"),
        ]
    return rows


def bare_insert(lines: Sequence[bytes]) -> float:
    connection, schema = raw_connection(), quoted("bench")
    connection.execute(BARE_TABLE.format(s=schema))
    rows = [json.loads(line) for line in lines]
    began = time.perf_counter()
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        values: dict[str, Any] = {
            "source": [row["source"] for row in part],
            "event_id": [row["event_id"] for row in part],
            "event_type": [row["event_type"] for row in part],
            "order": [row["order_id"] for row in part],
            "at": [row["occurred_at"] for row in part],
            "received": [row["occurred_at"] for row in part],
            "payload": [json.dumps(row["payload"]) for row in part],
        }
        connection.execute(BARE.format(s=schema), values)
    seconds = time.perf_counter() - began
    connection.execute(f"DROP TABLE {schema}.bare")
    return len(rows) / seconds


def batches(place: Place, key: str, lines: Sequence[bytes]) -> list[tuple[str, float, float]]:
    floor.empty("bench")
    server = Server(place)
    headers = headers_of(key) | {"Content-Type": "application/x-ndjson"}
    parts = [b"\n".join(lines[start : start + BATCH]) for start in range(0, len(lines), BATCH)]
    requests = [load.request("/events/batch", part, headers) for part in parts]
    done = load.run(server.port, requests, connections=SENDERS)
    assert set(done.statuses) == {"200"}, done.statuses
    rate = len(lines) / done.seconds
    memory = memory_mib(server.process)
    server.stop()
    return [(f"POST /events/batch, {SENDERS} senders", rate, memory)]


def backfills(place: Place, lines: Sequence[bytes]) -> list[tuple[str, float, float]]:
    found = []
    for name, order in (("backfill", lines), ("backfill, shuffled", sorted(lines, key=hash))):
        floor.empty("bench")
        path = place.home / "events.ndjson"
        path.write_bytes(b"\n".join(order) + b"\n")
        process = place.start("backfill", python("manage.py", "backfill", "bench", str(path), "--json"))
        most = 0
        while process.poll() is None:
            most = max(most, resident(process.pid))
            time.sleep(0.05)
        place.running.remove(process)
        said = json.loads((place.home / "backfill.log").read_text().splitlines()[-1])
        assert said["stored"] == len(lines), said
        found.append((name, len(lines) / said["seconds"], most / 1024))
    return found
