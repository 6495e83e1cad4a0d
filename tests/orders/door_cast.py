"""Senders and events for tests of the door."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client

from e2a.postgresql.raw import raw_connection

# The day before yesterday: late for most promises, and not yet the history that the door settles at leisure.
WHEN = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}T10:00:00Z"


def event(number: int | str = 1, **changes: Any) -> dict[str, Any]:
    body = {
        "source": "wms",
        "event_type": "order_packed",
        "event_id": f"evt-{number}",
        "order_id": "1001",
        "occurred_at": WHEN,
        "payload": {},
    }
    return {**body, **changes}


def send(client: Client, body: Any, *, path: str = "/events", **more: Any) -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = more.pop("content_type", "application/json")
    return client.generic("POST", path, raw, content_type=kind, CONTENT_TYPE=kind, **more)


def send_batch(client: Client, events: list[Any], **more: Any) -> HttpResponse:
    return send(client, {"events": events}, path="/events/batch", **more)


def said(answer: HttpResponse) -> tuple[int, Any]:
    return answer.status_code, json.loads(answer.content)


def rows(text: str, schema: str = "acme") -> list[tuple[Any, ...]]:
    """`text` names its tables as {s}.table."""
    return raw_connection().execute(text.format(s=f'"{schema}"')).fetchall()


def stored_events(schema: str = "acme") -> list[tuple[Any, ...]]:
    return rows(
        "SELECT source, event_id, merchant, order_ref, correlation_id FROM {s}.orders_event ORDER BY id", schema
    )


def stored_letters(schema: str = "acme") -> list[tuple[Any, ...]]:
    found = rows(
        "SELECT source, reason, event_id, order_ref, line_number, body, errors::json FROM {s}.orders_deadletter ORDER BY id",
        schema,
    )
    return [(*row[:5], bytes(row[5]), row[6]) for row in found]
