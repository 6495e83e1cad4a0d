"""What a dead letter says now, by the present mapping, adapter and rules: the way back to the door begins here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from e2a.errors import BadRequest, Unprocessable
from orders.events import decode_event, prepare
from orders.models import Entrance
from orders.providers.delivery import Delivery, Reading, Unusable
from orders.sources import Source, read_delivery, source_of_schema

Errors = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Copy:
    """A dead letter as it was claimed, or an edited copy of one."""

    id: int
    entrance: str
    source: str
    body: bytes
    headers: Mapping[str, str]
    merchant: str
    event_id: str
    order_ref: str
    correlation_id: str


class StillRefused(Exception):
    """It cannot be used now either. `errors`: {field: [sentence, …]}."""

    def __init__(self, errors: Errors) -> None:
        self.errors = errors
        super().__init__(str(errors))


@dataclass(slots=True)
class Reader:
    """Reads the letters of one tenant. Each source is looked up once."""

    schema: str
    now: datetime
    sources: dict[str, Source | None] = field(default_factory=dict)

    def read(self, letter: Copy) -> Reading:
        """Not for quarantined events, which are stored already. Raises: StillRefused."""
        try:
            return self._webhook(letter) if letter.entrance == Entrance.WEBHOOK else self._event(letter)
        except Unusable as trouble:
            raise StillRefused({key: list(texts) for key, texts in trouble.errors.items()}) from None
        except (BadRequest, Unprocessable) as refusal:
            raise StillRefused(refusal.errors or {"event": [refusal.detail]}) from None

    def _event(self, letter: Copy) -> Reading:
        event = prepare(
            decode_event(letter.body),
            raw=letter.body,
            now=self.now,
            merchant=letter.merchant,
            correlation_id=letter.correlation_id,
        )
        return Reading([event])

    def _webhook(self, letter: Copy) -> Reading:
        source = self.source(letter.source)
        return read_delivery(source, self.delivery(source, letter))

    def delivery(self, source: Source, letter: Copy) -> Delivery:
        return source.delivery(letter.body, letter.headers, correlation_id=letter.correlation_id)

    def source(self, name: str) -> Source:
        """Raises: StillRefused."""
        if name not in self.sources:
            self.sources[name] = source_of_schema(self.schema, name)
        source = self.sources[name]
        if source is None:
            raise StillRefused(
                {"source": [f"There is no source “{name}” any more: create it again, or discard this letter."]}
            )
        return source
