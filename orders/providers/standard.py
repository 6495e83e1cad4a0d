"""Any sender of Standard Webhooks. `type`, `timestamp` and `data` are the standard's own; the mapping says the rest."""

from collections.abc import Mapping, Sequence

from orders.providers.delivery import STATUS_SAYS_IT, Delivery, Reading
from orders.providers.mapped import read_mapped
from orders.providers.reading import identity
from orders.providers.signatures import standard_matches

DEFAULTS = {"event_type": "type", "occurred_at": "timestamp", "order_id": "data.order_id"}


class Standard:
    kept_headers: Sequence[str] = ("webhook-id", "webhook-timestamp")
    receipt: Mapping[str, str] = STATUS_SAYS_IT
    setup = "Sign as Standard Webhooks says; the mapping tells which of your types mean what."

    def verify(self, delivery: Delivery, secrets: Sequence[str]) -> bool:
        return standard_matches(delivery, secrets)

    def topic(self, delivery: Delivery) -> str:
        return ""

    def survives_uninstall(self, topic: str) -> bool:
        return False

    def read(self, delivery: Delivery) -> Reading:
        return read_mapped(delivery, {**DEFAULTS, **delivery.mapping}, identity(delivery.header("webhook-id")))
