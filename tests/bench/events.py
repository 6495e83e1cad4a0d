"""Events to measure with: lives of orders for the single path, the real data's mix for the batch path."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.real_data import EVENTS

LIFE = ("order_created", "payment_confirmed", "inventory_allocated", "order_packed", "order_fulfilled")
WINDOW = 100  # orders that are under way at a time


def lives(orders: int, *, name: str = "order") -> list[bytes]:
    """Five events an order, each order's in their order, those of many orders between them. All in time."""
    now = datetime.now(UTC) - timedelta(minutes=10)
    bodies = []
    for first in range(0, orders, WINDOW):
        for step, kind in enumerate(LIFE):
            for number in range(first, min(first + WINDOW, orders)):
                bodies.append(body(f"{name}-{number}", kind, now + timedelta(minutes=step)))
    return bodies


def body(order: str, kind: str, at: datetime) -> bytes:
    payload: dict[str, Any] = {}
    if kind == "order_created":
        payload = {
            "customer": {"id": "c-1"},
            "currency": "EUR",
            "promised_delivery_at": (at + timedelta(days=5)).isoformat(),
        }
    event = {"source": "wms", "event_type": kind, "event_id": f"{order}:{kind}", "order_id": order}
    return json.dumps({**event, "occurred_at": at.isoformat(), "payload": payload}).encode()


def real_mix(copies: int) -> Iterator[bytes]:
    """The real orders, several times over with other ids; where they are missing, made-up ones of the same mix."""
    lines = EVENTS.read_bytes().splitlines() if EVENTS.exists() else made_up_lines()
    for copy in range(copies):
        for line in lines:
            event = json.loads(line)
            event["event_id"] += f"-{copy}"
            event["order_id"] += f"-{copy}"
            yield json.dumps(event, separators=(",", ":")).encode()


def made_up_lines() -> list[bytes]:
    """1,500 orders of four events, of which two in five are paid late and four in five shipped late, as in the real data."""
    start = datetime(2018, 1, 1, tzinfo=UTC)
    lines = []
    for number in range(1500):
        at = start + timedelta(minutes=37 * number)
        paid = at + timedelta(minutes=90 if number % 5 < 2 else 12)
        shipped = at + timedelta(hours=70 if number % 5 < 4 else 20)
        for kind, when in (
            ("order_created", at),
            ("payment_confirmed", paid),
            ("order_fulfilled", shipped),
            ("order_delivered", shipped + timedelta(days=6)),
        ):
            lines.append((when, body(f"{number:032x}", kind, when)))
    return [line for _, line in sorted(lines)]
