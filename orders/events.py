"""Events as they arrive: decoded, checked field by field, and made ready for the door (CONTRACT 3). Pure.

The fast path is one typed decoding; only what it refuses is looked at again, field by field, for sentences that help.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Annotated, Any, NoReturn

import msgspec

from e2a.errors import BadRequest, Unprocessable
from e2a.observability.correlation import FORM as CORRELATION_FORM
from orders.detail import DetailError, detail_of
from tenants.slugs import SLUG

MAX_PAYLOAD_BYTES = 256 * 1024
MAX_LEVELS = 64
MAX_AHEAD = timedelta(hours=24)
HISTORY_AGE = timedelta(hours=72)
OLDEST = datetime(1970, 1, 1, tzinfo=UTC)
LENGTHS = {"source": 16, "event_type": 32, "event_id": 128, "order_id": 128}
VISIBLE = re.compile(r"[\x21-\x7e]+")
ADAPTER_MARK = "~"  # an event id made by a provider's adapter begins so; nobody else may make one
OWN_SOURCE = "e2a"
WHEN = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?([Zz]|[+-]\d\d(:?\d\d)?)?", re.ASCII)

Visible16 = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,16}\Z")]
Visible32 = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,32}\Z")]
Visible128 = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,128}\Z")]
Slug64 = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*\Z", max_length=64)]
Correlation = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}\Z")]


class EventBody(msgspec.Struct):
    """What `POST /events` takes. Unknown fields are ignored."""

    source: Visible16
    event_type: Visible32
    event_id: Visible128
    order_id: Visible128
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)]
    payload: msgspec.Raw
    merchant: Slug64 | None = None
    correlation_id: Correlation | None = None


class LooseBody(msgspec.Struct):
    """The same, with nothing checked but that it is a JSON object."""

    source: msgspec.Raw = msgspec.Raw()
    event_type: msgspec.Raw = msgspec.Raw()
    event_id: msgspec.Raw = msgspec.Raw()
    order_id: msgspec.Raw = msgspec.Raw()
    occurred_at: msgspec.Raw = msgspec.Raw()
    payload: msgspec.Raw = msgspec.Raw()
    merchant: msgspec.Raw = msgspec.Raw()
    correlation_id: msgspec.Raw = msgspec.Raw()


@dataclass(frozen=True, slots=True)
class Origin:
    """How an event came: what a dead letter keeps, besides the raw bytes, to be read again. Nothing secret."""

    entrance: str = "events"  # orders.models.Entrance
    topic: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


EVENTS_API = Origin()


@dataclass(slots=True)
class Incoming:
    """An event ready for the door. `raw` is what came (kept if it is refused); `payload` its JSON text.

    `order_id` is empty when only a tracking number is known (a carrier's event).
    """

    source: str
    event_type: str
    event_id: str
    order_id: str
    occurred_at: datetime
    payload: bytes
    merchant: str
    detail: dict[str, Any] | None
    content_hash: bytes
    raw: bytes = b""
    correlation_id: str = ""
    tracking_number: str = ""
    parcels: list[tuple[str, str, str]] = field(default_factory=list)  # (shipment id, carrier, tracking number)
    position: int = 0
    origin: Origin = EVENTS_API

    @property
    def identity(self) -> tuple[str, str]:
        return self.source, self.event_id


_body = msgspec.json.Decoder(EventBody)
_loose = msgspec.json.Decoder(LooseBody)
_object = msgspec.json.Decoder(dict[str, Any])
_any = msgspec.json.Decoder()
_sorted = msgspec.json.Encoder(order="deterministic")


def decode_event(raw: bytes) -> EventBody:
    """Raises: BadRequest for what is not JSON, Unprocessable with its fields for what is JSON but no event."""
    try:
        return _body.decode(raw)
    except RecursionError:
        raise BadRequest("The JSON is nested deeper than any reader should follow.") from None
    except msgspec.ValidationError:
        return inspect_event(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        refuse_syntax(raw, error)


def refuse_syntax(raw: bytes, error: Exception) -> NoReturn:
    """What JSON allows but PostgreSQL cannot hold (a lone surrogate) is wrong in content; the rest is wrong in syntax.

    Raises: BadRequest, Unprocessable.
    """
    try:
        json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant, parse_int=str)
    except (ValueError, RecursionError):
        raise BadRequest(f"The body is not valid JSON in UTF-8: {str(error)[:120]}.") from None
    raise Unprocessable(errors={"payload": ["It holds a lone surrogate, which is no character; send valid Unicode."]})


def inspect_event(raw: bytes) -> EventBody:
    """The slow look at what the typed decoder refused. Raises: BadRequest, Unprocessable."""
    if not raw.lstrip(b" \t\r\n").startswith(b"{"):
        raise BadRequest("The body must be a JSON object, an event.")
    try:
        loose = _loose.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        refuse_syntax(raw, error)
    errors: dict[str, list[str]] = {}
    values = {
        name: _value(getattr(loose, name), name, errors) for name in LooseBody.__struct_fields__ if name != "payload"
    }
    for name, length in LENGTHS.items():
        _check_visible(values[name], name, length, errors)
    when = _check_time(values["occurred_at"], errors)
    _check_optional(values, errors)
    if not bytes(loose.payload):
        errors["payload"] = ["This field is required: an object, which may be empty."]
    elif "payload" not in errors:
        payload_object(bytes(loose.payload), errors)
        refuse_invalid_utf8(bytes(loose.payload), errors)
    if errors or when is None:
        raise Unprocessable(errors=errors)
    values.pop("occurred_at")
    return EventBody(**values, occurred_at=when, payload=loose.payload)


def prepare(body: EventBody, *, raw: bytes, now: datetime, merchant: str = "", correlation_id: str = "") -> Incoming:
    """Checks what depends on more than one field. `merchant` is the default of the key or source.

    Raises: Unprocessable with its fields.
    """
    errors: dict[str, list[str]] = {}
    payload = payload_object(bytes(body.payload), errors)
    refuse_invalid_utf8(bytes(body.payload), errors)
    if body.source == OWN_SOURCE:
        errors["source"] = ["“e2a” is the product's own source; use the name of your system."]
    if body.event_id.startswith(ADAPTER_MARK):
        errors["event_id"] = [
            f"An id that begins with “{ADAPTER_MARK}” is made by a provider's adapter; choose another."
        ]
    if text := time_trouble(body.occurred_at, now):
        errors["occurred_at"] = [text]
    detail = _detail(body.event_type, payload, errors)
    if errors:
        raise Unprocessable(errors=errors)
    return incoming(
        source=body.source,
        event_type=body.event_type,
        event_id=body.event_id,
        order_id=body.order_id,
        occurred_at=body.occurred_at,
        payload=payload,
        text=bytes(body.payload),
        merchant=body.merchant or merchant or "default",
        detail=detail,
        raw=raw,
        correlation_id=body.correlation_id or correlation_id,
    )


def incoming(
    *,
    source: str,
    event_type: str,
    event_id: str,
    order_id: str,
    occurred_at: datetime,
    payload: Mapping[str, Any],
    merchant: str,
    detail: dict[str, Any] | None,
    raw: bytes,
    text: bytes | None = None,
    correlation_id: str = "",
    tracking_number: str = "",
) -> Incoming:
    """An event with its content hash: type, merchant, order, instant and payload, whatever the spacing or the order of keys."""
    content = _sorted.encode((event_type, merchant, order_id, occurred_at.astimezone(UTC), tracking_number, payload))
    return Incoming(
        source=source,
        event_type=event_type,
        event_id=event_id,
        order_id=order_id,
        occurred_at=occurred_at,
        payload=text if text is not None else _sorted.encode(payload),
        merchant=merchant,
        detail=detail,
        content_hash=blake2b(content, digest_size=16).digest(),
        raw=raw,
        correlation_id=correlation_id,
        tracking_number=tracking_number,
        parcels=parcels_of(event_type, payload),
    )


def parcels_of(event_type: str, payload: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The parcels that a fulfilment names: (shipment id, carrier, tracking number)."""
    if event_type not in ("order_fulfilled", "order_packed", "fulfillment_created") or not payload:
        return []
    number = payload.get("tracking_number")
    if not isinstance(number, str) or not VISIBLE.fullmatch(number) or len(number) > 128:
        return []
    return [(str(payload.get("shipment_id") or "")[:128], str(payload.get("carrier") or "")[:64], number)]


def time_trouble(when: datetime, now: datetime) -> str:
    """A sentence, or nothing."""
    if when > now + MAX_AHEAD:
        return "It lies more than 24 hours ahead; check the sender's clock and zone."
    if when < OLDEST:
        return "It lies before 1970; check the sender's clock and format."
    return ""


def payload_object(text: bytes, errors: dict[str, list[str]]) -> dict[str, Any]:
    """The payload, decoded, with what PostgreSQL or any reader would choke on noted in `errors`."""
    if len(text) > MAX_PAYLOAD_BYTES:
        errors["payload"] = [f"It is {len(text)} bytes long; at most {MAX_PAYLOAD_BYTES} are taken."]
        return {}
    try:
        value = _object.decode(text)
    except msgspec.ValidationError as error:
        out_of_range = "out of range" in str(error)
        errors["payload"] = ["A number in it is out of range." if out_of_range else "It must be a JSON object."]
        return {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        errors["payload"] = ["It holds something that is no valid JSON or Unicode, or is nested too deeply."]
        return {}
    if text.count(b"{") + text.count(b"[") > MAX_LEVELS and depth_of(value) > MAX_LEVELS:
        errors["payload"] = [f"It is nested deeper than {MAX_LEVELS} levels."]
    elif b"\\u0000" in text and has_nul(value):
        errors["payload"] = ["It holds the character NUL (\\u0000), which cannot be stored; leave it out."]
    return value


def refuse_invalid_utf8(text: bytes, errors: Mapping[str, list[str]]) -> None:
    """The typed decoder leaves the payload unread, so its bytes may be no text at all; that is syntax, not content.

    Raises: BadRequest.
    """
    if "payload" in errors:
        try:
            text.decode()
        except UnicodeDecodeError:
            raise BadRequest(
                "The body is not valid JSON in UTF-8: the payload holds bytes that are no UTF-8."
            ) from None


def depth_of(value: Any) -> int:
    """How many levels of objects and lists stand in each other. Goes level by level, so that depth costs no recursion."""
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth


def has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any("\x00" in key or has_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(has_nul(inner) for inner in value)


def _detail(event_type: str, payload: Mapping[str, Any], errors: dict[str, list[str]]) -> dict[str, Any] | None:
    try:
        return detail_of(event_type, payload)
    except DetailError as error:
        errors.setdefault(f"payload.{error.key}", []).append(error.sentence)
        return None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _value(raw: msgspec.Raw, name: str, errors: dict[str, list[str]]) -> Any:
    text = bytes(raw)
    if not text:
        return None
    try:
        return _any.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        errors[name] = ["It holds something that is no valid text."]
        return None


def _check_visible(value: Any, name: str, length: int, errors: dict[str, list[str]]) -> None:
    if name in errors:
        return
    if value is None or value == "":
        errors[name] = ["This field is required."]
    elif not isinstance(value, str):
        errors[name] = ["It must be a text."]
    elif len(value) > length:
        errors[name] = [f"It is {len(value)} characters long; at most {length} are taken."]
    elif not VISIBLE.fullmatch(value):
        errors[name] = ["Use visible ASCII characters without spaces."]


def _check_time(value: Any, errors: dict[str, list[str]]) -> datetime | None:
    text = "Give an ISO 8601 time with a zone, such as 2026-11-23T10:00:00Z."
    if "occurred_at" in errors:
        return None
    if value is None:
        errors["occurred_at"] = ["This field is required. " + text]
        return None
    when = parse_time(value) if isinstance(value, str) else None
    if when is None:
        errors["occurred_at"] = [text]
    return when


def parse_time(value: str) -> datetime | None:
    """An ISO 8601 instant with its zone, or None."""
    if not WHEN.fullmatch(value):
        return None
    try:
        when = datetime.fromisoformat(value.upper().replace(" ", "T"))
        return when if when.tzinfo and when.astimezone(UTC) else None
    except (ValueError, OverflowError):
        return None


def _check_optional(values: dict[str, Any], errors: dict[str, list[str]]) -> None:
    merchant, correlation = values["merchant"], values["correlation_id"]
    if merchant is not None and not (isinstance(merchant, str) and len(merchant) <= 64 and SLUG.fullmatch(merchant)):
        errors["merchant"] = ["It must be a slug of at most 64 characters, such as north-shop."]
    if correlation is not None and not (isinstance(correlation, str) and CORRELATION_FORM.fullmatch(correlation)):
        errors["correlation_id"] = ["Use 1 to 64 of letters, digits, dot, underscore and hyphen."]
