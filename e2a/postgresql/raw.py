"""psycopg beneath Django: for the door's pipelines, and for look-ups that must not cost more than one round trip."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
from django.db import InterfaceError, OperationalError
from django.db import connection as django_connection
from psycopg.pq import TransactionStatus

from e2a.errors import Unavailable
from e2a.postgresql.patience import DatabaseSilent

T = TypeVar("T")
CUT = (psycopg.OperationalError, psycopg.InterfaceError)
BEGIN, COMMIT = "BEGIN", "COMMIT"
UNDO_TRIES = 3
Connection = psycopg.Connection[Any]


def raw_connection() -> Connection:
    """This thread's psycopg connection, outside Django's cursors: statements name their schema, so no search path matters.

    One that was lost or given up is replaced, unless a caller's transaction was lost with it.
    """
    if is_cut():
        django_connection.close()
    django_connection.ensure_connection()
    raw: Connection = django_connection.connection
    return raw


def database_now(connection: Connection) -> datetime:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    now: datetime = row[0]
    return now.astimezone(UTC)


@contextmanager
def piped_transaction(connection: Connection) -> Iterator[None]:
    """A transaction in a pipeline: what is sent travels together, up to the next fetch or the end.

    psycopg's own nesting of the two waits for the server at the beginning and at the end of each, four times for the door's two.
    Inside a transaction of the caller's it is a savepoint.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        with connection.pipeline(), connection.transaction():
            yield
        return
    try:
        with connection.pipeline():
            connection.execute(BEGIN)
            yield
            connection.execute(COMMIT)
    except BaseException:
        undo(connection)
        raise


def undo(connection: Connection) -> None:
    """Ends the transaction, also when that itself is cancelled; else what comes next would be taken for a part of it.

    By a rollback psycopg learns, too, that what the failed pipeline was to prepare is not prepared; so one is needed even where
    the very BEGIN failed.
    """
    for _ in range(UNDO_TRIES):
        if connection.closed:
            return
        with suppress(psycopg.Error):
            if connection.info.transaction_status == TransactionStatus.IDLE:
                with connection.transaction(force_rollback=True):
                    return
            connection.rollback()
            return
    connection.close()


def retried_if_cut(work: Callable[[], T]) -> T:
    """Runs `work`, once more on a new connection if the server has cut the old one (restarted, say).

    What it does must be safe to do twice. Raises: Unavailable when the database cannot be reached.
    """
    try:
        return work()
    except CUT as error:
        if not is_cut() or isinstance(error, DatabaseSilent):
            raise Unavailable from error
    try:
        django_connection.close()
        if pool := django_connection.pool:  # type: ignore[attr-defined]
            pool.check()  # its other connections were cut, too
        return work()
    except (*CUT, OperationalError, InterfaceError) as error:
        django_connection.errors_occurred = True  # so that Django looks at this connection before it is used again
        raise Unavailable from error


def is_cut() -> bool:
    """Whether this thread's connection is lost, and no transaction of a caller with it."""
    raw = django_connection.connection
    return raw is not None and bool(raw.closed) and not django_connection.in_atomic_block
