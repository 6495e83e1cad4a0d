"""A new tenant's tables are made from the models: exactly what the migrations would have made."""

import re

from django.core.management import call_command
from django.db import connection

from tenants.services.schemas import create_schema

CATALOGUE = {
    "columns": """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
  pg_get_expr(d.adbin, d.adrelid), o.collname, a.attstorage
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  LEFT JOIN pg_collation o ON o.oid = a.attcollation
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": """
SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = %s::regnamespace""",
    "indexes": """
SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = %s::regnamespace""",
    "triggers": """
SELECT t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal AND c.relnamespace = %s::regnamespace""",
    "functions": "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = %s::regnamespace",
    "others": "SELECT relname, relkind FROM pg_class WHERE relkind IN ('S', 'v', 'm') AND relnamespace = %s::regnamespace",
}


def catalogue(schema: str) -> dict[str, set[tuple[str, ...]]]:
    found = {}
    with connection.cursor() as cursor:
        for kind, text in CATALOGUE.items():
            cursor.execute(text, [schema])
            rows = cursor.fetchall()
            found[kind] = {tuple(re.sub(rf'"?\b{schema}\b"?\.', "", str(value)) for value in row) for row in rows}
    return found


def filled(schema: str) -> dict[str, int]:
    """Tables that hold rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        counts = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{schema}"."{table}"')
            counts[table] = cursor.fetchone()[0]
    return {table: count for table, count in counts.items() if count}


def test_tables_from_the_models_are_those_of_the_migrations(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA migrated")
    call_command("migrate_schemas", schema_name="migrated", interactive=False, verbosity=0)
    connection.set_schema_to_public()
    create_schema("made")

    made, migrated = catalogue("made"), catalogue("migrated")
    for kind in CATALOGUE:
        assert made[kind] == migrated[kind], kind
    assert filled("made") == filled("migrated")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT app, name FROM made.django_migrations EXCEPT SELECT app, name FROM migrated.django_migrations"
        )
        assert cursor.fetchall() == []


def test_new_schema_has_nothing_left_to_migrate(db: None) -> None:
    create_schema("made")
    before = catalogue("made")
    call_command("migrate_schemas", schema_name="made", interactive=False, verbosity=0)
    connection.set_schema_to_public()
    assert catalogue("made") == before
