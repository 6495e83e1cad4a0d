"""Sends signed webhooks (Standard Webhooks): `webhook-id`, `webhook-timestamp`, `webhook-signature`.

The signature is `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; with two secrets during a rotation, two of them.
A receiver tells a repetition by the id, so an unsure call may be sent again.
Source: standardwebhooks.com, specification.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

import httpx

from tenants.clients.errors import Busy, Refused
from tenants.clients.outgoing import call, wait_of

MARK = "whsec_"
SECRET_BYTES = 32
MOST_ANSWER = 64 * 1024
SHOWN = 500


class Gone(Refused):
    """The receiver says that it is there no more (410); it is not called again."""


def new_secret() -> str:
    return MARK + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """Raises: ValueError for what is no secret of 24 to 64 bytes in base64."""
    try:
        key = base64.b64decode(secret.removeprefix(MARK), validate=True)
    except binascii.Error:
        raise ValueError("a secret is whsec_ and base64") from None
    if not 24 <= len(key) <= 64:
        raise ValueError("a secret holds 24 to 64 bytes")
    return key


def sign(secret: str, identity: str, timestamp: int, body: bytes) -> str:
    signed = b".".join((identity.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()


def signed_headers(secrets: Sequence[str], identity: str, at: datetime, body: bytes) -> dict[str, str]:
    timestamp = int(at.timestamp())
    return {
        "Content-Type": "application/json",
        "User-Agent": "E2A-Webhooks/1",
        "webhook-id": identity,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, identity, timestamp, body) for secret in secrets),
    }


def send_webhook(
    url: str,
    *,
    secrets: Sequence[str],
    identity: str,
    at: datetime,
    body: bytes,
    transport: httpx.BaseTransport | None = None,
    allow_private: bool = False,
) -> str:
    """Status and the beginning of the answer. Only 2xx is a success. Raises: Busy, Gone, Refused, Unsure."""
    headers = signed_headers(secrets, identity, at, body)
    answer = call(
        "POST", url, headers=headers, content=body, transport=transport, allow_private=allow_private, most=MOST_ANSWER
    )
    said = f"{answer.status} {answer.body.decode('utf-8', 'replace')[:SHOWN]}".strip()
    if 200 <= answer.status < 300:
        return said
    if answer.status == 410:
        raise Gone(f"The receiver answered {said}; it is not called again.")
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise Busy(f"The receiver answered {said}", wait_seconds=wait_of(answer.headers))
    raise Refused(f"The receiver answered {said}")
