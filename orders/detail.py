"""The few keys of a payload that the fold reads, checked and put in one form. Pure; stored beside the event."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from orders.carried import carries_from, word

Detail = dict[str, Any]


class DetailError(ValueError):
    """A key of a payload has a value that cannot be used."""

    def __init__(self, key: str, sentence: str) -> None:
        self.key = key
        self.sentence = sentence
        super().__init__(f"payload.{key}: {sentence}")


def detail_of(event_type: str, payload: Mapping[str, Any]) -> Detail | None:
    """Keys: `promise`, `fulfil_by`, `window_from`, `window_until` (ISO instants in UTC or None), `hold_id`, `reason`, `actor`,
    `full`, `retracts`, `shipment`, `carries` (see `orders.carried`). The door adds a fulfilment's `numbers` (`orders.storing`).

    Raises: DetailError when a key that decides something has an unusable value.
    """
    read = READERS.get(event_type)
    return (read(payload) or None) if read and payload else _required(event_type)


def _required(event_type: str) -> Detail | None:
    if event_type == "event_retracted":
        raise DetailError("event_id", "This key is required: the id of the event that was a mistake.")
    return None


def _order(payload: Mapping[str, Any]) -> Detail:
    detail = _times(payload)
    if carries := carries_from(payload):
        detail["carries"] = carries
    return detail


def _times(payload: Mapping[str, Any]) -> Detail:
    detail: Detail = {}
    if "promised_delivery_at" in payload:
        detail["promise"] = _instant(payload["promised_delivery_at"], "promised_delivery_at")
    if "fulfil_by" in payload:
        detail["fulfil_by"] = _instant(payload["fulfil_by"], "fulfil_by")
    if "delivery_window" in payload:
        detail |= _window(payload["delivery_window"])
    return detail


def _window(value: Any) -> Detail:
    if value is None:
        return {"window_from": None, "window_until": None}
    if not isinstance(value, Mapping) or value.get("until") is None:
        raise DetailError(
            "delivery_window", "Give an object with until (and from, if there is one), or null to withdraw it."
        )
    since = value.get("from")
    return {
        "window_from": _instant(since, "delivery_window.from") if since is not None else None,
        "window_until": _instant(value["until"], "delivery_window.until"),
    }


def _instant(value: Any, key: str) -> str | None:
    if value is None:
        return None
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) and value.isascii() else None
        if when is None or when.tzinfo is None:
            raise ValueError
        return when.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise DetailError(key, "Give an ISO 8601 time with a zone, or null to withdraw it.") from None


def _hold(payload: Mapping[str, Any]) -> Detail:
    detail: Detail = {}
    if (hold := _text(payload, "hold_id", 128)) is not None:
        detail["hold_id"] = hold
    if (reason := payload.get("reason")) is not None:
        detail["reason"] = str(reason)[:200]
    if isinstance(actor := payload.get("actor"), str) and actor:
        detail["actor"] = actor[:150]
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


def _place(payload: Mapping[str, Any]) -> Detail:
    """What the warehouse tells of a parcel tells of the order too: where it is packed, who carries it."""
    carries = {key: text for key in ("carrier", "warehouse") if (text := word(payload.get(key)))}
    return {"carries": carries} if carries else {}


def _handover(payload: Mapping[str, Any]) -> Detail:
    return _shipment(payload) | _place(payload)


def _text(payload: Mapping[str, Any], key: str, length: int) -> str | None:
    value = payload.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > length:
        raise DetailError(key, f"It must be a text of at most {length} characters.")
    return str(value)


READERS: dict[str, Callable[[Mapping[str, Any]], Detail]] = {
    "order_created": _order,
    "order_updated": _order,
    "inventory_allocated": _place,
    "order_packed": _place,
    "order_held": _hold,
    "order_released": _hold,
    "order_refunded": _refund,
    "event_retracted": _retraction,
    "order_fulfilled": _handover,
    "order_delivered": _shipment,
    "shipment_in_transit": _shipment,
    "shipment_delayed": _shipment,
    "delivery_failed": _shipment,
    "order_returned": _shipment,
}
