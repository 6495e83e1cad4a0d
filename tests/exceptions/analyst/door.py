"""Orders put through the real door, for the analyst's tests with a database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection

from e2a.postgresql.raw import database_now, raw_connection
from exceptions.models import ExceptionRecord
from orders.events import decode_event, prepare
from orders.ingest import ingest
from tests.exceptions.analyst.cast import START, Step


def present() -> datetime:
    return database_now(raw_connection())


def order_sent(order_id: str, steps: Sequence[Step], *, age: float, history: bool = False) -> None:
    """An order that was created `age` hours ago, in the schema that the connection stands in; what it was promised moves along."""
    now = present()
    began = now - timedelta(hours=age)
    events = []
    for number, (after, kind, *more) in enumerate(steps, 1):
        payload = dict(more[0]) if more else {}
        if promised := payload.get("promised_delivery_at"):
            payload["promised_delivery_at"] = (datetime.fromisoformat(promised) - START + began).isoformat()
        body: dict[str, Any] = {
            "source": "wms",
            "event_type": kind,
            "event_id": f"{order_id}-{number}",
            "order_id": order_id,
            "occurred_at": (began + timedelta(hours=after)).isoformat(),
            "payload": payload,
        }
        raw = msgspec.json.encode(body)
        events.append(prepare(decode_event(raw), raw=raw, now=now))
    ingest(connection.schema_name, events, now=now, history=history)


def unpaid(order_id: str = "1001", age: float = 0.7, **payload: Any) -> ExceptionRecord:
    """An order whose payment is late: MEDIUM at first, HIGH from an hour on."""
    order_sent(order_id, [(0, "order_created", payload)], age=age)
    return ExceptionRecord.objects.get(order_ref=order_id, reason_code="PAYMENT_DELAY")
