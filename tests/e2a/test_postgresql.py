"""The guarded backend (RELIABILITY 1.1): no query ever runs on another tenant's search path, whatever is cancelled."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django_tenants.postgresql_backend.base import DatabaseWrapper as StockWrapper
from django_tenants.utils import schema_context

from e2a.postgresql.base import SearchPathNotSet, reset_connection
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
    refused, wrong = read_under_cancels(READS)
    assert wrong == []
    assert refused  # else nothing was cancelled, and nothing shown


def test_reads_that_time_out_never_see_another_tenant(marked: None) -> None:
    assert read_under_timeouts(READS)[1] == []


@pytest.mark.faults_long
@pytest.mark.parametrize("read", [read_under_cancels, read_under_timeouts])
def test_many_reads_never_see_another_tenant(marked: None, read: Callable[[int], tuple[list[str], list[str]]]) -> None:
    assert read(READS_LONG)[1] == []
