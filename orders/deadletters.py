"""Dead letters: what was refused for its content is kept with its raw bytes, until somebody mends or discards it."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec
import psycopg

from orders.statements import Statements


@dataclass(frozen=True, slots=True)
class Letter:
    """A refusal. `reason` is one word of a closed list (`invalid`, `conflict`, `unmapped`, `poison` …).

    `entrance`: orders.models.Entrance, how it had come; `merchant`: of what names none itself.
    """

    source: str
    reason: str
    body: bytes
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    event_id: str = ""
    order_ref: str = ""
    topic: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    line_number: int | None = None
    correlation_id: str = ""
    entrance: str = "events"
    merchant: str = ""


def store_letters(
    connection: psycopg.Connection[Any], texts: Statements, letters: Sequence[Letter], *, now: datetime
) -> None:
    """One statement, whatever their number. The same refusal of the same bytes is counted, not kept twice."""
    rows = {row["digest"]: row for row in map(_row, letters)}
    if rows:
        connection.execute(
            texts.dead_letters, {"letters": msgspec.json.encode(list(rows.values())).decode(), "now": now}
        )


def _row(letter: Letter) -> dict[str, Any]:
    digest = blake2b(digest_size=16)
    for part in (letter.source.encode("ascii", "replace"), letter.reason.encode(), letter.topic.encode(), letter.body):
        digest.update(len(part).to_bytes(4, "big") + part)
    return {
        "source": printable(letter.source, 16),
        "reason": letter.reason,
        "errors": {key: list(texts) for key, texts in letter.errors.items()},
        "event_id": printable(letter.event_id, 128),
        "order_ref": printable(letter.order_ref, 128),
        "topic": printable(letter.topic, 64),
        "headers": dict(letter.headers),
        "body": b64encode(letter.body).decode(),
        "line_number": letter.line_number,
        "correlation_id": letter.correlation_id,
        "entrance": letter.entrance,
        "merchant": letter.merchant,
        "digest": digest.hexdigest(),
    }


def printable(text: str, length: int) -> str:
    """As much of an untrusted text as a log line or a column should hold."""
    return "".join(c if c.isprintable() and c.isascii() else "?" for c in text[:length])
