"""Signature schemes: HMAC over the raw body, and Standard Webhooks. A comparison takes the same time, match or not.

To verify costs one digest of the body for each secret, whatever the headers are, and every refusal costs `DIGESTS` of them: how
long a large body takes to be refused tells nobody whether an address exists.
"""

import binascii
import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime

from orders.providers.delivery import Delivery

TOLERANCE_SECONDS = 300
MAX_SIGNATURES = 10
MAX_HEADER = 4096
STAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
DIGESTS = 2  # a source has two secrets while one is being replaced
ALGORITHMS = {"sha256": hashlib.sha256, "sha512": hashlib.sha512, "sha1": hashlib.sha1}


def hmac_matches(
    body: bytes,
    sent: str,
    secrets: Sequence[str],
    *,
    encoding: str = "base64",
    prefix: str = "",
    algorithm: str = "sha256",
) -> bool:
    """Whether `sent` is the HMAC of the body by one of the secrets. Goes through all of them even after a match."""
    formed = len(sent) <= MAX_HEADER and sent.startswith(prefix)
    given = sent[len(prefix) :].encode("utf-8", "surrogatepass") if formed else b""
    found = False
    for secret in secrets:
        digest = hmac.new(secret.encode(), body, ALGORITHMS[algorithm]).digest()
        expected = b64encode(digest) if encoding == "base64" else digest.hex().encode()
        found |= hmac.compare_digest(expected, given if encoding == "base64" else given.lower())
    return found


def standard_matches(delivery: Delivery, secrets: Sequence[str]) -> bool:
    """Standard Webhooks: `webhook-signature` holds `v1,BASE64` once or more, of HMAC-SHA256 over `id.timestamp.body`.

    Source: standardwebhooks.com, "Verifying signatures"; five minutes of tolerance either way.
    """
    identity = delivery.header("webhook-id")
    stamp = delivery.header("webhook-timestamp")
    formed = bool(identity) and "." not in identity and is_fresh(stamp, delivery.now)
    sent = [part[3:].encode("utf-8", "surrogatepass") for part in signature_parts(delivery) if part.startswith("v1,")]
    signed = f"{identity}.{stamp}.".encode("utf-8", "surrogatepass") + delivery.body
    found = False
    for secret in secrets:
        expected = b64encode(hmac.new(standard_key(secret), signed, hashlib.sha256).digest())
        for signature in sent:
            found |= hmac.compare_digest(expected, signature)
    return found and formed


def spend(body: bytes, digests: int) -> None:
    """As long as so many signatures take."""
    for _ in range(digests):
        hmac.new(b"", body, hashlib.sha256).digest()


def signature_parts(delivery: Delivery) -> list[str]:
    """The signatures of a Standard Webhooks header; none at all if there are too many to be honest."""
    header = delivery.header("webhook-signature")
    parts = header.split(" ", MAX_SIGNATURES) if len(header) <= MAX_HEADER else []
    return parts if len(parts) <= MAX_SIGNATURES else []


def is_fresh(stamp: str, now: datetime) -> bool:
    return STAMP.fullmatch(stamp) is not None and abs(now.timestamp() - int(stamp)) <= TOLERANCE_SECONDS


def standard_key(secret: str) -> bytes:
    """`whsec_` and base64, as the standard writes it; anything else is taken as its own bytes."""
    text = secret.removeprefix("whsec_")
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()


def is_malformed(headers: Mapping[str, str]) -> bool:
    """What no honest sender makes, whoever it is for: an id that could be cut in two, too many signatures."""
    signature = headers.get("webhook-signature", "")
    return "." in headers.get("webhook-id", "") or len(signature) > MAX_HEADER or signature.count(" ") >= MAX_SIGNATURES
