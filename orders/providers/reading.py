"""What every adapter needs: the body, screened; times with and without a zone; events with an adapter's identity."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from orders.events import (
    ADAPTER_MARK,
    LENGTHS,
    OLDEST,
    VISIBLE,
    WHEN,
    Incoming,
    incoming,
    payload_object,
    time_trouble,
)
from orders.providers.delivery import Delivery, Unusable

Json = Mapping[str, Any]


def body_of(delivery: Delivery, text: bytes | None = None) -> dict[str, Any]:
    """The body as an object that PostgreSQL can hold. Raises: Unusable."""
    errors: dict[str, list[str]] = {}
    body = payload_object(delivery.body if text is None else text, errors)
    if errors:
        raise Unusable("invalid", {"body": errors["payload"]})
    return body


def instant(value: Any, zone: str, field: str) -> datetime:
    """A time of the provider. One without a zone is in the source's; in a gap of daylight saving it gives one result.

    Raises: Unusable naming the field.
    """
    text = value.strip() if isinstance(value, str) else ""
    when = _parsed(text, zone)
    if when is None or when < OLDEST:
        raise Unusable("invalid", {field: ["It is not a time in ISO 8601, such as 2026-11-23T10:00:00Z."]})
    return when


def first_instant(values: Iterable[Any], zone: str, field: str) -> datetime:
    """The first of these that is given at all. Raises: Unusable."""
    return instant(next((value for value in values if value), None), zone, field)


def _parsed(text: str, zone: str) -> datetime | None:
    if not WHEN.fullmatch(text):
        return None
    try:
        when = datetime.fromisoformat(text.upper().replace(" ", "T"))
        aware = when if when.tzinfo else when.replace(tzinfo=ZoneInfo(zone))
        return aware.astimezone(UTC)
    except (ValueError, OverflowError, KeyError):  # KeyError: a zone that this machine does not know
        return None


def visible(value: Any, field: str, *, required: bool = True, length: int = LENGTHS["order_id"]) -> str:
    """An id as text. Raises: Unusable when it is missing or no visible ASCII."""
    if value is None or value == "":
        if not required:
            return ""
        raise Unusable("invalid", {field: ["It is missing."]})
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if len(text) > length or not VISIBLE.fullmatch(text):
        raise Unusable(
            "invalid", {field: [f"It must be a text of at most {length} visible ASCII characters without spaces."]}
        )
    return text


def part(value: Any, field: str) -> dict[str, Any]:
    """An object inside the body. Raises: Unusable."""
    if not isinstance(value, dict):
        raise Unusable("invalid", {field: ["It must be an object."]})
    return value


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, if it is one."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def identity(*parts: object) -> str:
    """An adapter's event id: marked, visible ASCII, at most 128 long; a longer one keeps its head and a digest."""
    text = ADAPTER_MARK + ":".join(str(item) for item in parts)
    text = "".join(c if "!" <= c <= "~" else "_" for c in text)
    if len(text) <= LENGTHS["event_id"]:
        return text
    digest = blake2b(":".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{text[:95]}:{digest}"


def event(
    delivery: Delivery,
    event_type: str,
    event_id: str,
    *,
    at: datetime | None,
    payload: Json,
    order_id: str = "",
    detail: Json | None = None,
    tracking_number: str = "",
    parcels: Iterable[tuple[str, str, str]] = (),
) -> Incoming:
    """An event of this delivery. Without a time of its own it happened now, which its content hash must not remember.

    Raises: Unusable when the time lies too far ahead.
    """
    if at is not None and (text := time_trouble(at, delivery.now)):
        raise Unusable("invalid", {"occurred_at": [text]}, event_id=event_id, order_ref=order_id)
    made = incoming(
        source=delivery.source,
        event_type=event_type,
        event_id=event_id,
        order_id=order_id,
        occurred_at=at or OLDEST,
        payload=payload,
        merchant=delivery.merchant or "default",
        detail=dict(detail) if detail else None,
        raw=delivery.body,
        correlation_id=delivery.correlation_id,
        tracking_number=tracking_number,
    )
    made.parcels = list(parcels)
    return made if at else replace(made, occurred_at=delivery.now)


def other_type(prefix: str, word: object) -> str:
    """A type for what is stored and shown but decides nothing: at most 32 visible characters."""
    text = "".join(c if c.isalnum() and c.isascii() else "_" for c in str(word).lower())
    return f"{prefix}_{text}"[: LENGTHS["event_type"]]


def dig(body: Any, path: str) -> Any:
    """What stands at `a.b.0.c`, or None."""
    for key in path.split("."):
        if isinstance(body, dict):
            body = body.get(key)
        elif isinstance(body, list) and key.isascii() and key.isdigit() and len(key) < 6 and int(key) < len(body):
            body = body[int(key)]
        else:
            return None
    return body
