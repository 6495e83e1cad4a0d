"""The guarded backend (RELIABILITY 1.1): no query ever runs on another tenant's search path, whatever is cancelled."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django_tenants.postgresql_backend.base import DatabaseWrapper as StockWrapper
from django_tenants.utils import schema_context
from psycopg.pq import TransactionStatus

from e2a.postgresql.base import SearchPathNotSet, reset_connection
from e2a.postgresql.raw import piped_transaction, raw_connection
from orders.models import Order
from tests.connections import another_connection

SCHEMAS = ("acme", "globex")
READS, READS_LONG = 2_500, 50_000  # of each of the two faults
THREADS = 2


class Refusing:
    """A cursor whose `SET search_path` is cancelled."""

    def execute(self, text: str) -> None:
        raise OperationalError(f"canceling statement due to user request: {text}")

    def close(self) -> None:
        pass


def test_refused_search_path_is_an_error_where_the_stock_backend_goes_on(db: None) -> None:
    connection.ensure_connection()
    connection.set_schema("acme")
    StockWrapper._handle_search_path(connection, Refusing())
    assert connection.search_path_set_schemas is None
    with pytest.raises(SearchPathNotSet):
        connection._handle_search_path(Refusing())
    assert Order.objects.count() == 0


def test_transaction_in_error_reads_nothing_and_recovers(in_acme: object) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1/0")
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert cursor.fetchone() == ("acme, public",)


def test_connection_goes_back_to_the_pool_without_a_search_path() -> None:
    with another_connection() as raw:
        raw.execute("SET search_path = globex")
        reset_connection(raw)
        assert raw.execute("SHOW search_path").fetchone() == ('"$user", public',)


def test_what_was_left_open_goes_back_to_the_pool_undone() -> None:
    with another_connection() as raw:
        raw.execute("CREATE TEMP TABLE left_open (n int)")
        raw.autocommit = False
        raw.execute("SET search_path = globex")
        raw.execute("INSERT INTO pg_temp.left_open VALUES (1)")
        reset_connection(raw)
        assert raw.execute("SELECT count(*) FROM pg_temp.left_open").fetchone() == (0,)
        assert raw.execute("SHOW search_path").fetchone() == ('"$user", public',)


def test_connection_that_cannot_be_reset_is_closed() -> None:
    with another_connection() as raw, another_connection() as other:
        raw.execute("SET search_path = globex")
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [raw.info.backend_pid])
        reset_connection(raw)
        assert raw.closed


@pytest.fixture
def numbers() -> Iterator[psycopg.Connection[Any]]:
    """A connection with an empty table `numbers` of its own, each number once."""
    with another_connection() as raw:
        raw.execute("CREATE TEMP TABLE numbers (n int UNIQUE)")
        yield raw


def stored(raw: psycopg.Connection[Any]) -> list[int]:
    return [row[0] for row in raw.execute("SELECT n FROM numbers ORDER BY n").fetchall()]


def pipe(raw: psycopg.Connection[Any], *numbers: int, fail: bool = False, fetch: bool = False) -> None:
    with piped_transaction(raw):
        for number in numbers:
            raw.execute("INSERT INTO numbers VALUES (%s)", [number])
        if fetch:
            raw.execute("SELECT 1").fetchone()
        if fail:
            raise ZeroDivisionError


def test_piped_transaction_commits_all(numbers: psycopg.Connection[Any]) -> None:
    pipe(numbers, 1, 2)
    assert (numbers.info.transaction_status, stored(numbers)) == (TransactionStatus.IDLE, [1, 2])


@pytest.mark.parametrize("fetch", [True, False])
def test_refused_statement_undoes_the_piped_transaction(numbers: psycopg.Connection[Any], fetch: bool) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        pipe(numbers, 1, 1, fetch=fetch)
    assert (numbers.info.transaction_status, stored(numbers)) == (TransactionStatus.IDLE, [])


def test_error_of_ours_undoes_the_piped_transaction(numbers: psycopg.Connection[Any]) -> None:
    with pytest.raises(ZeroDivisionError):
        pipe(numbers, 1, fail=True)
    assert (numbers.info.transaction_status, stored(numbers)) == (TransactionStatus.IDLE, [])


def test_piped_transaction_inside_another_is_a_savepoint(numbers: psycopg.Connection[Any]) -> None:
    with numbers.transaction():
        pipe(numbers, 1)
        with pytest.raises(psycopg.errors.UniqueViolation):
            pipe(numbers, 2, 1)
        pipe(numbers, 3)
    assert stored(numbers) == [1, 3]


def test_lost_connection_is_replaced(committed: None) -> None:
    lost = raw_connection()
    lost.close()
    assert raw_connection().execute("SELECT 1").fetchone() == (1,)
    assert raw_connection() is not lost


def test_raw_cursors_read_instants_in_utc(db: None) -> None:
    row = raw_connection().execute("SELECT '2026-03-01T12:00:00+02'::timestamptz").fetchone()
    assert row is not None
    assert row[0].isoformat() == "2026-03-01T10:00:00+00:00"


@pytest.fixture
def marked(committed: None) -> None:
    """Each tenant has one order, named as the tenant."""
    for schema in SCHEMAS:
        with schema_context(schema):
            Order.objects.create(order_id=schema)


def run_threads(work: Callable[[], None], count: int = THREADS) -> None:
    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def read_in_turns(wanted: int, milliseconds: int, pids: set[int], refused: list[str], wrong: list[str]) -> None:
    """Reads the tenants in turns until `wanted` reads were answered. An error is allowed, another tenant's row is not.

    A statement may take `milliseconds` (0: for ever), twice as long after each refusal, so that a slow machine gets done too.
    """
    connection.ensure_connection()
    connection.connection.execute(f"SET statement_timeout = {milliseconds}")
    pids.add(connection.connection.info.backend_pid)
    turn, patience = 0, milliseconds
    while wanted:
        schema = SCHEMAS[turn % 2]
        turn += 1
        try:
            with schema_context(schema):
                found = list(Order.objects.values_list("order_id", flat=True))
        except (DatabaseError, psycopg.Error) as error:
            refused.append(type(error).__name__)
            patience = allow(patience * 2)
            continue
        wanted -= 1
        if patience > milliseconds:
            patience = allow(milliseconds)
        if found != [schema]:
            wrong.append(f"{schema} read {found}")
    connection.close()


def allow(milliseconds: int) -> int:
    with suppress(psycopg.Error):  # it is a statement itself
        connection.connection.execute(f"SET statement_timeout = {milliseconds}")
    return milliseconds


@contextmanager
def cancelling(pids: set[int]) -> Iterator[None]:
    """Cancels whatever these backends do, over and over.

    Ever more seldom while it lasts: else work that takes longer than the pause, as on a slow machine, would never get done.
    """
    done = threading.Event()

    def cancel() -> None:
        pause = 0.0005
        with another_connection() as raw:
            while not done.wait(pause):
                raw.execute("SELECT pg_cancel_backend(pid) FROM unnest(%s::int[]) pid", [list(pids)])
                pause *= 1.003

    thread = threading.Thread(target=cancel, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def read_under_cancels(reads: int) -> tuple[list[str], list[str]]:
    pids: set[int] = set()
    refused: list[str] = []
    wrong: list[str] = []
    with cancelling(pids):
        run_threads(lambda: read_in_turns(reads // THREADS, 0, pids, refused, wrong))
    return refused, wrong


def read_under_timeouts(reads: int) -> tuple[list[str], list[str]]:
    refused: list[str] = []
    wrong: list[str] = []
    run_threads(lambda: read_in_turns(reads // THREADS, 1, set(), refused, wrong))
    return refused, wrong


def test_cancelled_reads_never_see_another_tenant(marked: None) -> None:
    for _ in range(10):  # on a busy machine the cancelling may find no turn
        refused, wrong = read_under_cancels(READS)
        assert wrong == []
        if refused:
            return
    pytest.fail("nothing was cancelled, and so nothing shown")


def test_reads_that_time_out_never_see_another_tenant(marked: None) -> None:
    assert read_under_timeouts(READS)[1] == []


@pytest.mark.faults_long
@pytest.mark.parametrize("read", [read_under_cancels, read_under_timeouts])
def test_many_reads_never_see_another_tenant(marked: None, read: Callable[[int], tuple[list[str], list[str]]]) -> None:
    assert read(READS_LONG)[1] == []
