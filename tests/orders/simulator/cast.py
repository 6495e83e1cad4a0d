"""Past orders and runs for the tests of the simulator. They are made in acme."""

from datetime import datetime, timedelta
from typing import Any

from django_tenants.utils import schema_context

from e2a.postgresql.raw import database_now, raw_connection
from orders.ingest import ingest
from orders.simulator.models import SimulationRun
from orders.simulator.runs import start_run
from tests.orders.test_door_properties import event_at, read

PAYMENT = {"payment_processing": {"minutes": 30}}  # as a new tenant's
STRICT = {
    "rules": [
        {
            "name": "Express",
            "when": {"shipping_service": "express"},
            "targets": {**PAYMENT, "order_fulfillment": {"hours": 1, "warn": {"share": 0.5}}},
        },
        {"name": "Others", "targets": {**PAYMENT, "order_fulfillment": {"hours": 48}}},
    ]
}


def past_orders(*, express: int = 2, others: int = 1, slow: int = 1, schema: str = "acme") -> None:
    """Began sixty hours ago. `express`, `others`: shipped after two hours; `slow`: others shipped after thirty."""
    now = database_now(raw_connection())
    began = now - timedelta(hours=60)
    bodies: list[bytes] = []
    for kind, number, hours in (("express", express, 2), ("other", others, 2), ("slow", slow, 30)):
        for name in (f"{kind}-{each}" for each in range(number)):
            carries = {"shipping_service": "express"} if kind == "express" else {}
            bodies.append(event_at(began, "order_created", f"c-{name}", name, carries))
            bodies.append(event_at(began + timedelta(hours=hours), "order_fulfilled", f"f-{name}", name))
    ingest(schema, read(bodies, now), now=now)


def period() -> dict[str, datetime]:
    now = database_now(raw_connection())
    return {"start": now - timedelta(days=10), "end": now}


def asked(rules: Any = STRICT, **words: Any) -> SimulationRun:
    """In the schema that the connection stands in."""
    return start_run(title="Strict", rules=rules, by="user:maria", **{**period(), **words})


def asked_in_acme(rules: Any = STRICT, **words: Any) -> SimulationRun:
    with schema_context("acme"):
        return asked(rules, **words)
