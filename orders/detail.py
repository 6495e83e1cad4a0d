"""The few keys of a payload that the fold reads, checked and put in one form. Pure; stored beside the event."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Detail = dict[str, Any]


class DetailError(ValueError):
    """A key of a payload has a value that cannot be used."""

    def __init__(self, key: str, sentence: str) -> None:
        self.key = key
        self.sentence = sentence
        super().__init__(f"payload.{key}: {sentence}")


def detail_of(event_type: str, payload: Mapping[str, Any]) -> Detail | None:
    """Keys: `promise` (ISO instant in UTC or None), `hold_id`, `reason`, `full`, `retracts`, `shipment`.

    Raises: DetailError when a key that decides something has an unusable value.
    """
    read = READERS.get(event_type)
    return (read(payload) or None) if read and payload else _required(event_type)


def _required(event_type: str) -> Detail | None:
    if event_type == "event_retracted":
        raise DetailError("event_id", "This key is required: the id of the event that was a mistake.")
    return None


def _promise(payload: Mapping[str, Any]) -> Detail:
    if "promised_delivery_at" not in payload:
        return {}
    value = payload["promised_delivery_at"]
    if value is None:
        return {"promise": None}
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) and value.isascii() else None
        if when is None or when.tzinfo is None:
            raise ValueError
        return {"promise": when.astimezone(UTC).isoformat()}
    except (ValueError, OverflowError):
        raise DetailError("promised_delivery_at", "Give an ISO 8601 time with a zone, or null to withdraw it.") from None


def _hold(payload: Mapping[str, Any]) -> Detail:
    detail: Detail = {}
    if (hold := _text(payload, "hold_id", 128)) is not None:
        detail["hold_id"] = hold
    if (reason := payload.get("reason")) is not None:
        detail["reason"] = str(reason)[:200]
    return detail


def _refund(payload: Mapping[str, Any]) -> Detail:
    full = payload.get("full", False)
    if not isinstance(full, bool):
        raise DetailError("full", "It must be true or false.")
    return {"full": True} if full else {}


def _retraction(payload: Mapping[str, Any]) -> Detail:
    value = _text(payload, "event_id", 128)
    return {"retracts": value} if value else (_required("event_retracted") or {})


def _shipment(payload: Mapping[str, Any]) -> Detail:
    value = _text(payload, "shipment_id", 128)
    return {"shipment": value} if value else {}


def _text(payload: Mapping[str, Any], key: str, length: int) -> str | None:
    value = payload.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > length:
        raise DetailError(key, f"It must be a text of at most {length} characters.")
    return str(value)


READERS: dict[str, Callable[[Mapping[str, Any]], Detail]] = {
    "order_created": _promise,
    "order_updated": _promise,
    "order_held": _hold,
    "order_released": _hold,
    "order_refunded": _refund,
    "event_retracted": _retraction,
    "order_fulfilled": _shipment,
    "order_delivered": _shipment,
    "shipment_in_transit": _shipment,
    "shipment_delayed": _shipment,
    "delivery_failed": _shipment,
    "order_returned": _shipment,
}
