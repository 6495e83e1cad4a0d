"""psycopg beneath Django: for the door's pipelines, and for look-ups that must not cost more than one round trip."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
from django.db import InterfaceError, OperationalError
from django.db import connection as django_connection

from e2a.errors import Unavailable

T = TypeVar("T")
CUT = (psycopg.OperationalError, psycopg.InterfaceError)
Connection = psycopg.Connection[Any]


def raw_connection() -> Connection:
    """This thread's psycopg connection, outside Django's cursors: statements name their schema, so no search path matters."""
    django_connection.ensure_connection()
    raw: Connection = django_connection.connection
    return raw


def database_now(connection: Connection) -> datetime:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    now: datetime = row[0]
    return now.astimezone(UTC)


def retried_if_cut(work: Callable[[], T]) -> T:
    """Runs `work`, once more on a new connection if the server has cut the old one (restarted, say).

    What it does must be safe to do twice. Raises: Unavailable when the database cannot be reached.
    """
    try:
        return work()
    except CUT as error:
        if not is_cut():
            raise Unavailable from error
    try:
        django_connection.close()
        return work()
    except (*CUT, OperationalError, InterfaceError) as error:
        django_connection.errors_occurred = True  # so that Django looks at this connection before it is used again
        raise Unavailable from error


def is_cut() -> bool:
    """Whether this thread's connection is lost, and no transaction of a caller with it."""
    raw = django_connection.connection
    return raw is not None and bool(raw.closed) and not django_connection.in_atomic_block
