"""What a provider sent, and what its adapter made of it. Pure: no clock, no database, no settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from orders.events import Incoming

NO_MAPPING: Mapping[str, Any] = {}
STATUS_SAYS_IT: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook of one source. Header names are in lower case; `now` is the database's."""

    source: str
    body: bytes
    headers: Mapping[str, str]
    now: datetime
    merchant: str = "default"
    timezone: str = "UTC"
    mapping: Mapping[str, Any] = field(default_factory=lambda: NO_MAPPING)
    correlation_id: str = ""

    def header(self, *names: str) -> str:
        """The first of these headers that was sent, else an empty text."""
        return next((self.headers[name] for name in names if name in self.headers), "")


@dataclass(frozen=True, slots=True)
class Demand:
    """What a delivery asks for besides events: `uninstalled`, `report_orders`, `redact_orders`, `redact_shop`."""

    kind: str
    orders: tuple[str, ...] = ()
    customer: tuple[str, ...] = ()  # what identifies the person in a stored text: e-mail, phone


@dataclass(frozen=True, slots=True)
class Reading:
    """What a delivery says. Nothing at all needs its reason in `ignored`."""

    events: Sequence[Incoming] = ()
    ignored: str = ""
    demand: Demand | None = None


class Unusable(ValueError):
    """A verified delivery that cannot become events: a dead letter, `reason` one word, a sentence for each field."""

    def __init__(
        self, reason: str, errors: Mapping[str, Sequence[str]], *, event_id: str = "", order_ref: str = ""
    ) -> None:
        self.reason = reason
        self.errors = dict(errors)
        self.event_id = event_id
        self.order_ref = order_ref
        super().__init__(f"{reason}: {self.errors}")


class Adapter(Protocol):
    """One provider. `kept_headers` are what a replay of a dead letter needs; a signature is never among them.

    `receipt` is what this provider looks for in the body of our 200; to most of them the status says it all.
    """

    kept_headers: Sequence[str]
    receipt: Mapping[str, str]

    @property
    def setup(self) -> str:
        """A sentence or two for whoever sets the address at the provider: what to subscribe to, and what not."""

    def verify(self, delivery: Delivery, secrets: Sequence[str]) -> bool:
        """Whether one of the secrets signed the raw body. Constant time in the secret; tries all of them."""

    def topic(self, delivery: Delivery) -> str:
        """The provider's own word for what happened, from a header or from the body; may be empty. Never raises."""

    def read(self, delivery: Delivery) -> Reading:
        """The events of the delivery. Raises: Unusable."""

    def survives_uninstall(self, topic: str) -> bool:
        """Whether this topic is still taken from a source that its provider has switched off."""
