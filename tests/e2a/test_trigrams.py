"""The index for parts of texts: made by an owner who is no superuser, left out where the extension cannot be had."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection

from e2a.postgresql.trigrams import CREATE_EXTENSION, TrigramIndex
from exceptions.models import ExceptionRecord
from tests.connections import another_connection

TABLE = "CREATE TABLE exceptions_record (order_ref varchar(128), merchant varchar(64))"
Server = psycopg.Connection[Any]


@pytest.fixture
def elsewhere(committed: None) -> Iterator[Server]:
    """A database of its own, owned by somebody who is no superuser."""
    with another_connection() as server:
        server.execute("CREATE ROLE plain_owner LOGIN")
        server.execute("CREATE DATABASE trigrams OWNER plain_owner")
        try:
            given = {
                key: str(value)
                for key, value in connection.get_connection_params().items()
                if key in ("host", "port", "password")
            }
            with psycopg.connect(**given, dbname="trigrams", user=server.info.user, autocommit=True) as found:
                found.execute("GRANT ALL ON SCHEMA public TO plain_owner")
                found.execute("SET SESSION AUTHORIZATION plain_owner")
                yield found
        finally:
            server.execute("DROP DATABASE trigrams WITH (FORCE)")
            server.execute("DROP ROLE plain_owner")


def create_index() -> str:
    (index,) = [each for each in ExceptionRecord._meta.indexes if isinstance(each, TrigramIndex)]
    with connection.schema_editor(collect_sql=True) as editor:
        return str(index.create_sql(ExceptionRecord, editor))


def indexes(server: Server) -> list[str]:
    return [row[0] for row in server.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'exceptions_record'")]


def test_owner_who_is_no_superuser_gets_the_extension_and_the_index(elsewhere: Server) -> None:
    elsewhere.execute(CREATE_EXTENSION)
    elsewhere.execute(CREATE_EXTENSION)
    elsewhere.execute(TABLE)
    elsewhere.execute(create_index())
    assert indexes(elsewhere) == ["exception_search"]


def test_where_the_extension_cannot_be_had_all_works_without(elsewhere: Server) -> None:
    warnings: list[str] = []
    elsewhere.add_notice_handler(lambda notice: warnings.append(notice.message_primary or ""))
    elsewhere.execute("RESET SESSION AUTHORIZATION")
    elsewhere.execute("ALTER DATABASE trigrams OWNER TO CURRENT_USER")
    elsewhere.execute("SET SESSION AUTHORIZATION plain_owner")
    elsewhere.execute(CREATE_EXTENSION)
    assert "searches read the whole table" in warnings[0]
    elsewhere.execute(TABLE)
    elsewhere.execute(create_index())
    assert indexes(elsewhere) == []
