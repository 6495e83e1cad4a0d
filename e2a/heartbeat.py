"""Signs of life of the background processes: one row each in the public schema, by the database's clock."""

from typing import Any

BEAT = """INSERT INTO "public".e2a_heartbeat (name, at) VALUES (%s, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET at = excluded.at"""
AGES = 'SELECT name, extract(epoch FROM clock_timestamp() - at)::float FROM "public".e2a_heartbeat'


def beat(cursor: Any, name: str) -> None:
    cursor.execute(BEAT, (name,))


def ages(cursor: Any) -> dict[str, float]:
    """Seconds since each process was last heard of."""
    cursor.execute(AGES)
    return dict(cursor.fetchall())
