"""psycopg beneath Django: for the door's pipelines, and for look-ups that must not cost more than one round trip."""

from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import connection as django_connection

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
