"""Stages whose end no source reports: their clocks only make noise (CONTRACT 4). Reads the schema that the connection stands in."""

from typing import NamedTuple

from django.db import connection

from orders.stages import STAGES

LOOKED_AT = 500  # the orders heard of last
FEWEST = 20  # late ones, before anything is said
LATE = f"""
WITH latest AS (SELECT id FROM orders_order ORDER BY last_received_at DESC, id DESC LIMIT {LOOKED_AT}),
  told AS (SELECT DISTINCT e.event_type FROM orders_event e JOIN latest l ON l.id = e.order_id WHERE NOT e.quarantined)
SELECT s.name, count(*), (SELECT array_agg(event_type) FROM told)
FROM orders_stage s JOIN latest l ON l.id = s.order_id WHERE s.breached GROUP BY s.name"""


class Unreported(NamedTuple):
    """`ends`: the types of events that would end the stage; `late`: how many of the orders looked at are late with it."""

    stage: str
    ends: tuple[str, ...]
    late: int


def unreported_stages() -> list[Unreported]:
    """Of the orders heard of last many are late with it, and not one was told to have ended it."""
    with connection.cursor() as cursor:
        cursor.execute(LATE)
        rows = cursor.fetchall()
    late = {name: number for name, number, _ in rows}
    told = set(rows[0][2] or ()) if rows else set()
    return [
        Unreported(stage.name, stage.ends, late[stage.name])
        for stage in STAGES
        if late.get(stage.name, 0) >= FEWEST and told.isdisjoint(stage.ends)
    ]
