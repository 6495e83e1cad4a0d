"""The raw pipelines of door and radar bypass the guarded backend: their statements name the schema of each table.

Shown in two ways: nothing stops when no table can be found without its schema; and with the search path on another tenant,
under cancels, no row lands there.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest
from django.db import connection

from e2a.postgresql.raw import database_now, raw_connection
from orders.ingest import ingest
from orders.radar import run_round
from orders.sources import find_source
from tenants.access import access_by_key
from tenants.models import Tenant
from tenants.services import create_api_key
from tenants.services.sources import create_source
from tests.e2a.test_postgresql import SCHEMAS, cancelling, run_threads
from tests.orders.door_cast import event, rows
from tests.orders.equal_state import judge_again
from tests.orders.test_door_properties import read

BATCHES = 60


def bodies(schema: str, batch: int, now: datetime) -> list[bytes]:
    """Four events of two orders, one of them late, with a parcel and a carrier's event that finds its order by it."""
    late, fresh = (now - timedelta(days=2)).isoformat(), now.isoformat()
    parcel = {"shipment_id": "s1", "carrier": "ups", "tracking_number": f"1Z-{schema}-{batch}"}
    said = [
        event(f"{batch}-a", order_id=f"{schema}-{batch}", event_type="order_created", occurred_at=late),
        event(
            f"{batch}-b", order_id=f"{schema}-{batch}", event_type="order_fulfilled", occurred_at=fresh, payload=parcel
        ),
        event(f"{batch}-c", order_id=f"{schema}-{batch}x", event_type="order_created", occurred_at=fresh),
        event(f"{batch}-d", order_id=f"{schema}-{batch}x", event_type="payment_failed", occurred_at=fresh),
    ]
    return [json.dumps(body).encode() for body in said]


@pytest.fixture
def no_search_path(committed: None) -> Iterator[None]:
    connection.ensure_connection()
    yield
    connection.close()


def test_door_and_radar_find_every_table_without_a_search_path(no_search_path: None) -> None:
    acme = Tenant.objects.get(slug="acme")
    key = create_api_key(tenant=acme, scopes=["ingest"]).key
    create_source(tenant=acme, name="shop", provider="shopify", secret="a-secret-0123456789")
    raw = raw_connection()
    raw.execute("SET search_path = pg_catalog")
    now = database_now(raw)
    assert access_by_key(key, "acme").schema == "acme"
    assert find_source("acme", "shop") is not None
    sent = read(bodies("acme", 1, now), now)
    assert {receipt.status for receipt in ingest("acme", sent, now=now)} == {"processed"}
    assert {receipt.status for receipt in ingest("acme", sent, now=now)} == {"duplicate"}
    other = json.loads(bodies("acme", 1, now)[0]) | {"payload": {"other": True}}
    conflict = read([json.dumps(other).encode()], now)
    assert [receipt.status for receipt in ingest("acme", conflict, now=now)] == ["conflict"]
    judge_again("acme")
    assert run_round().failed == []
    assert raw.execute("SHOW search_path").fetchone() == ("pg_catalog",)
    assert rows("SELECT count(*) FROM {s}.orders_event") == [(4,)]


def store_in_turns(pids: set[int], refused: list[str], milliseconds: int = 0) -> None:
    """Each batch goes to one tenant while the connection's search path is the other's; refused, it is sent again.

    A statement may take `milliseconds` (0: for ever), twice as long after each refusal of the same batch.
    """
    for batch in range(BATCHES):
        for schema, elsewhere in (SCHEMAS, SCHEMAS[::-1]):
            patience = milliseconds
            while True:
                try:
                    raw = raw_connection()
                    pids.add(raw.info.backend_pid)
                    raw.execute("SET statement_timeout = 0")
                    raw.execute(f"SET search_path = {elsewhere}")
                    raw.execute(f"SET statement_timeout = {patience}")
                    now = database_now(raw)
                    ingest(schema, read(bodies(schema, batch, now), now), now=now)
                    break
                except psycopg.Error as error:
                    refused.append(type(error).__name__)
                    patience *= 2
    connection.close()


def test_door_whose_statements_time_out_stores_everything_once_and_nothing_elsewhere(committed: None) -> None:
    refused: list[str] = []
    run_threads(lambda: store_in_turns(set(), refused, milliseconds=1))
    stored_in_its_own_schema()


def test_cancelled_door_stores_everything_once_and_nothing_elsewhere(committed: None) -> None:
    pids: set[int] = set()
    refused: list[str] = []
    with cancelling(pids):
        run_threads(lambda: store_in_turns(pids, refused))
    assert refused  # else nothing was cancelled, and nothing shown
    stored_in_its_own_schema()


def stored_in_its_own_schema() -> None:
    for schema in SCHEMAS:
        assert rows("SELECT count(*), count(DISTINCT event_id) FROM {s}.orders_event", schema) == [(4 * BATCHES,) * 2]
        assert rows("SELECT DISTINCT split_part(order_ref, '-', 1) FROM {s}.orders_event", schema) == [(schema,)]
        assert rows("SELECT count(*) FROM {s}.orders_parcel", schema) == [(BATCHES,)]
