"""What the benchmark measures, one after the other, and the table that it makes of it."""

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import httpx
from django.core.management import call_command

from e2a.postgresql.raw import database_now, raw_connection
from e2a.stack.processes import API_THREADS, api_command
from e2a.stack.servers import wait_until
from orders.events import decode_event, prepare
from orders.statements import quoted
from tenants.models import Tenant
from tenants.services import create_api_key, create_tenant
from tests.bench import floor, load
from tests.bench.events import lives, real_mix
from tests.bench.place import Place, answers, free_port, memory_mib, python, resident, settle

CONNECTIONS = 32
BATCH = 5_000
SLA = '{"payment_processing_minutes": 30, "order_fulfillment_hours": 24}'
BARE = """
INSERT INTO {s}.bare (source, event_id, event_type, order_ref, occurred_at, received_at, payload)
SELECT * FROM unnest(%(source)s::text[], %(event_id)s::text[], %(event_type)s::text[], %(order)s::text[],
  %(at)s::timestamptz[], %(received)s::timestamptz[], %(payload)s::jsonb[]) ON CONFLICT DO NOTHING"""
BARE_TABLE = """
CREATE TABLE {s}.bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text, event_id text, event_type text,
  order_ref text, occurred_at timestamptz, received_at timestamptz, payload jsonb, UNIQUE (source, event_id))"""
Rows = list[tuple[str, str]]


def measure(place: Place, *, orders: int, copies: int) -> Rows:
    key = prepare_tenant()
    say("the single path")
    rows = single_path(place, key, orders)
    say("the batch path")
    rows += batch_path(place, key, copies)
    return rows


def say(what: str) -> None:
    print(f"Measuring {what} …", file=sys.stderr, flush=True)


def prepare_tenant() -> str:
    """Returns the key of the tenant `bench`."""
    call_command("migrate_schemas", shared=True, verbosity=0)
    create_tenant(slug="bench", sla=json.loads(SLA))
    return create_api_key(tenant=Tenant.objects.get(slug="bench"), scopes=["ingest"]).key


class Server:
    """The API server as the stack runs it, everything on."""

    def __init__(self, place: Place) -> None:
        self.place, self.port = place, free_port()
        metrics = place.home / "metrics"
        metrics.mkdir(exist_ok=True)
        self.process = place.start(
            "api",
            api_command(self.port),
            E2A_DB_POOL_SIZE=str(API_THREADS),
            PROMETHEUS_MULTIPROC_DIR=str(metrics),
            SERVICE_NAME="e2a-api",
        )
        wait_until(lambda: answers(self.port), 30, "The API server did not start")
        settle()


def headers_of(key: str) -> dict[str, str]:
    return {"Host": "127.0.0.1", "Authorization": f"Bearer {key}", "X-Tenant-Id": "bench", "Content-Type": "application/json"}


def single_path(place: Place, key: str, orders: int) -> Rows:
    """Closed loop at 32 connections, then 70% of that rate by the clock, then the floor."""
    server = Server(place)
    headers = headers_of(key)
    warm = [load.request("/events", body, headers) for body in lives(orders // 5, name="warm")]
    load.run(server.port, warm, connections=CONNECTIONS)
    before = memory_mib(server.process)
    full = load.run(server.port, [load.request("/events", b, headers) for b in lives(orders)], connections=CONNECTIONS)
    paced_bodies = lives(orders, name="paced")
    paced = load.run(
        server.port, [load.request("/events", b, headers) for b in paced_bodies], connections=CONNECTIONS, rate=full.rate * 0.7
    )
    after = memory_mib(server.process)
    assert set(full.statuses) | set(paced.statuses) == {"201"}, (full.statuses, paced.statuses)
    place.stop(server.process)
    base = floor_of(place, key, orders)
    return [
        ("POST /events, 32 connections, events/s", f"{full.rate:,.0f}"),
        ("  its floor: 8 psycopg threads, events/s", f"{base:,.0f}"),
        ("  share of the floor", f"{full.rate / base:.0%}"),
        ("  p99 at 70% of that rate, ms", f"{paced.percentile(0.99) * 1000:.1f}"),
        ("  memory of the API before and after, MiB", f"{before:.0f} → {after:.0f}"),
    ]


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
    for name, rate, memory in (*batches(place, key, lines), *backfills(place, lines)):
        rows += [
            (f"{name}, events/s", f"{rate:,.0f}"),
            ("  share of the bare insert", f"{rate / base:.0%}"),
            ("  memory, MiB", f"{memory:.0f}"),
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
    url = f"http://127.0.0.1:{server.port}/events/batch"
    began = time.perf_counter()
    with httpx.Client(headers=headers, timeout=60) as client:
        for start in range(0, len(lines), BATCH):
            answer = client.post(url, content=b"\n".join(lines[start : start + BATCH]))
            assert answer.status_code == 200, answer.text[:300]
    rate = len(lines) / (time.perf_counter() - began)
    memory = memory_mib(server.process)
    place.stop(server.process)
    return [("POST /events/batch", rate, memory)]


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


