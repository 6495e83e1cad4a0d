"""Plain JSON from a system of the customer's own, signed by HMAC over the raw body; its mapping says where all is.

`{"signature": {"header": "X-Hub-Signature-256", "prefix": "sha256=", "encoding": "hex"}, "order_id": "order.number",
"event_id": "id", "event_type": "kind", "occurred_at": "at", "types": {"shipped": "order_fulfilled"}}`
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b

from orders.providers.delivery import STATUS_SAYS_IT, Delivery, Reading
from orders.providers.mapped import read_mapped
from orders.providers.reading import identity
from orders.providers.signatures import hmac_matches

SIGNATURE = {"header": "x-signature", "prefix": "", "encoding": "hex", "algorithm": "sha256"}


class PlainJson:
    kept_headers: Sequence[str] = ()
    receipt: Mapping[str, str] = STATUS_SAYS_IT
    setup = "Sign the raw body with HMAC, as the mapping says, and send one event a delivery."

    def verify(self, delivery: Delivery, secrets: Sequence[str]) -> bool:
        given = delivery.mapping.get("signature")
        scheme = {**SIGNATURE, **(given if isinstance(given, dict) else {})}
        return hmac_matches(
            delivery.body,
            delivery.header(str(scheme["header"]).lower()),
            secrets,
            encoding=str(scheme["encoding"]),
            prefix=str(scheme["prefix"]),
            algorithm=str(scheme["algorithm"]),
        )

    def topic(self, delivery: Delivery) -> str:
        return ""

    def survives_uninstall(self, topic: str) -> bool:
        return False

    def read(self, delivery: Delivery) -> Reading:
        content = blake2b(delivery.body, digest_size=16).hexdigest()
        return read_mapped(delivery, delivery.mapping, identity("body", content))
