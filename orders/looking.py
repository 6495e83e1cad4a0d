"""One look over all tenants: which have something to do. A look is a SELECT about one schema, `{name}` and `{s}` in its text."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from psycopg import Connection

from e2a.postgresql.raw import raw_connection
from orders.statements import quoted

CHUNK = 500  # tenants in one statement
SCHEMAS = 'SELECT schema_name FROM "public".tenants_tenant WHERE active ORDER BY schema_name'
FREE = """SELECT '{{name}}', id FROM {{s}}.{table}
WHERE status = 'running' AND (leased_until IS NULL OR leased_until < clock_timestamp())"""


def active_schemas(connection: Connection[Any]) -> list[str]:
    return [row[0] for row in connection.execute(SCHEMAS).fetchall()]


@lru_cache(maxsize=256)
def look_text(look: str, schemas: tuple[str, ...]) -> str:
    return " UNION ALL ".join(look.format(name=schema, s=quoted(schema)) for schema in schemas)


def look_at(
    connection: Connection[Any], look: str, schemas: Sequence[str], given: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    """The rows of all these tenants, a statement for every 500."""
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(schemas), CHUNK):
        text = look_text(look, tuple(schemas[start : start + CHUNK]))
        found += connection.execute(text, given).fetchall()
    return found


def schemas_where(look: str, **given: Any) -> list[str]:
    """The active tenants for which the look gives its `{name}`."""
    connection = raw_connection()
    return [row[0] for row in look_at(connection, look, active_schemas(connection), given)]


def free_rows(table: str) -> list[tuple[str, int]]:
    """(schema, id) of the running rows of that table whose lease is free: rows that are their own queue."""
    connection = raw_connection()
    found = look_at(connection, FREE.format(table=table), active_schemas(connection), {})
    return [(schema, pk) for schema, pk in found]
