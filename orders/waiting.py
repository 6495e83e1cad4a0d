"""Rows that are their own queue, found over all tenants: those that nobody works on."""

from e2a.postgresql.raw import raw_connection
from orders.statements import quoted

LOOK_AT_ONCE = 500  # tenants in one statement
SCHEMAS = 'SELECT schema_name FROM "public".tenants_tenant WHERE active ORDER BY schema_name'
FREE = """SELECT '{name}', id FROM {s}.{table}
WHERE status = 'running' AND (leased_until IS NULL OR leased_until < clock_timestamp())"""


def free_rows(table: str) -> list[tuple[str, int]]:
    """(schema, id) of the running rows of that table whose lease is free."""
    schemas = [row[0] for row in raw_connection().execute(SCHEMAS).fetchall()]
    found = []
    for start in range(0, len(schemas), LOOK_AT_ONCE):
        names = schemas[start : start + LOOK_AT_ONCE]
        texts = [FREE.format(name=name, s=quoted(name), table=table) for name in names]
        found += raw_connection().execute(" UNION ALL ".join(texts)).fetchall()
    return [(schema, pk) for schema, pk in found]
