"""Deliveries for tests: a payload file or a body, as a provider would send it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orders.events import Incoming
from orders.providers.delivery import Delivery

PAYLOADS = Path(__file__).parents[2] / "payloads"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def payload(path: str) -> bytes:
    return (PAYLOADS / path).read_bytes()


def delivery(body: bytes | dict[str, Any], headers: dict[str, str] | None = None, **more: Any) -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery(**{"source": "src", "body": raw, "headers": headers or {}, "now": NOW, **more})


BESIDES = ("carries", "fulfil_by", "window_from", "window_until")


def told(event: Incoming) -> tuple[Any, ...]:
    """What an event says of the order's course, in one line for a table; what it carries besides has tests of its own."""
    return (
        event.event_type,
        event.order_id or event.tracking_number,
        f"{event.occurred_at:%m-%dT%H:%M:%SZ}",
        {key: value for key, value in (event.detail or {}).items() if key not in BESIDES} or None,
    )
