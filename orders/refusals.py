"""What is refused for its content, made into a dead letter that a person can find again (CONTRACT 3). Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from orders.deadletters import Letter


class Hints(msgspec.Struct):
    """What names an event, however wrong the rest of it is."""

    source: msgspec.Raw = msgspec.Raw()
    event_id: msgspec.Raw = msgspec.Raw()
    order_id: msgspec.Raw = msgspec.Raw()


_hints = msgspec.json.Decoder(Hints)
_text = msgspec.json.Decoder(str)


def refused_letter(
    raw: bytes,
    errors: Mapping[str, Sequence[str]],
    *,
    merchant: str = "",
    correlation_id: str = "",
    position: int | None = None,
) -> Letter:
    """`merchant`: the default of the key; `position`: from 1, in the batch or the file that it came in."""
    source, event_id, order_id = names_in(raw)
    return Letter(
        source=source,
        reason="invalid",
        body=raw,
        errors=errors,
        event_id=event_id,
        order_ref=order_id,
        line_number=position,
        correlation_id=correlation_id,
        merchant=merchant,
    )


def names_in(raw: bytes) -> tuple[str, str, str]:
    """Source, event id and order id, each empty if it cannot be read."""
    try:
        hints = _hints.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "", "", ""
    return _read(hints.source), _read(hints.event_id), _read(hints.order_id)


def _read(value: msgspec.Raw) -> str:
    try:
        return _text.decode(value) if bytes(value) else ""
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
