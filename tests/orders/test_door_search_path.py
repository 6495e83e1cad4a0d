"""The raw pipelines of door and radar bypass the guarded backend: their statements name the schema of each table.

Shown in two ways: nothing stops when no table can be found without its schema; and with the search path on another tenant,
under cancels, no row lands there.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import psycopg
import pytest
from django.db import connection

from e2a.postgresql.raw import database_now, raw_connection
from orders.events import Incoming, incoming
from orders.ingest import ingest
from orders.radar import run_round
from orders.sources import find_source
from tenants.access import access_by_key
from tenants.models import Tenant
from tenants.services import create_api_key
from tenants.services.sources import create_source
from tests.e2a.test_postgresql import READS, READS_LONG, SCHEMAS, THREADS, cancelling, run_threads
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


KNOWN = 40  # events of the same ids in both tenants, each with another content


def version_of(schema: str, number: int, now: datetime) -> list[Incoming]:
    """A program's event and a carrier's: the same ids everywhere, but content, order and parcel are of this tenant."""
    at = (now - timedelta(hours=1)).isoformat()
    said = event(f"{number}", order_id="same", event_type="gift_wrapped", occurred_at=at, payload={"of": schema})
    carried = incoming(
        source="dhl", event_type="shipment_in_transit", event_id=f"c{number}", order_id="", occurred_at=now - timedelta(hours=1),
        payload={}, merchant="default", detail=None, raw=b"", tracking_number=f"T{number}",
    )  # fmt: skip
    return [*read([json.dumps(said).encode()], now), carried]


@pytest.fixture
def twins(committed: None) -> datetime:
    """Each tenant knows every parcel by an order of its own."""
    now = database_now(raw_connection())
    for schema in SCHEMAS:
        parcels = [
            event(
                f"p{number}", order_id=f"{schema}-{number}", event_type="order_fulfilled", occurred_at=now.isoformat(),
                payload={"shipment_id": "s", "carrier": "dhl", "tracking_number": f"T{number}"},
            )
            for number in range(KNOWN)
        ]  # fmt: skip
        ingest(schema, read([json.dumps(body).encode() for body in parcels], now), now=now)
        for number in range(KNOWN):
            ingest(schema, version_of(schema, number, now), now=now)
    return now


def read_by_door(
    wanted: int, milliseconds: int, now: datetime, pids: set[int], refused: list[str], wrong: list[str]
) -> None:
    """What is stored, the order that a parcel belongs to, and that the other tenant's version of an event is another one.

    The answers count as reads until `wanted` were given; the connection's search path is the other tenant's meanwhile.
    """
    turn, patience = 0, milliseconds
    while wanted > 0:
        schema, elsewhere = SCHEMAS[:: 1 if turn % 2 else -1]
        numbers = [(turn * 7 + step) % KNOWN for step in range(5)]
        turn += 1
        sent = [
            each
            for number in numbers
            for each in (*version_of(schema, number, now), version_of(elsewhere, number, now)[0])
        ]
        expected = [
            said for number in numbers for said in (("duplicate", "same"), ("duplicate", f"{schema}-{number}"), ("conflict", "same"))
        ]  # fmt: skip
        try:
            raw = raw_connection()
            pids.add(raw.info.backend_pid)
            raw.execute(f"SET search_path = {elsewhere}; SET statement_timeout = {patience}")
            receipts = ingest(schema, sent, now=now)
        except psycopg.Error as error:
            refused.append(type(error).__name__)
            patience *= 2
            with suppress(psycopg.Error):
                raw_connection().execute("SET statement_timeout = 0")
            continue
        patience = milliseconds
        found = [(receipt.status, receipt.order_id) for receipt in receipts]
        wanted -= len(found)
        if found != expected:
            wrong.append(f"{schema} read {found}")
    connection.close()


def doors_under(reads: int, now: datetime, milliseconds: int) -> tuple[list[str], list[str]]:
    """Cancelled over and over, or, with `milliseconds`, with so little time for each statement."""
    pids: set[int] = set()
    refused: list[str] = []
    wrong: list[str] = []
    with cancelling(set() if milliseconds else pids):
        run_threads(lambda: read_by_door(reads // THREADS, milliseconds, now, pids, refused, wrong))
    return refused, wrong


def test_cancelled_doors_reads_never_see_another_tenant(twins: datetime) -> None:
    for _ in range(10):  # on a busy machine the cancelling may find no turn
        refused, wrong = doors_under(READS, twins, 0)
        assert wrong == []
        if refused:
            return
    pytest.fail("nothing was cancelled, and so nothing shown")


def test_doors_reads_that_time_out_never_see_another_tenant(twins: datetime) -> None:
    assert doors_under(READS, twins, 1)[1] == []


@pytest.mark.faults_long
@pytest.mark.parametrize("milliseconds", [0, 1], ids=["cancelled", "timed out"])
def test_many_of_the_doors_reads_never_see_another_tenant(twins: datetime, milliseconds: int) -> None:
    assert doors_under(READS_LONG, twins, milliseconds)[1] == []
