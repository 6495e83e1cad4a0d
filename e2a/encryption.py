"""Encryption at rest with a rotating list of keys (E2A_FIELD_KEYS): the first encrypts, all of them decrypt."""

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def check_keys(keys: Sequence[str]) -> list[str]:
    """Raises: ImproperlyConfigured unless there is at least one key and each is a Fernet key."""
    if not keys:
        raise ImproperlyConfigured("E2A_FIELD_KEYS must list at least one Fernet key (32 bytes, URL-safe base64).")
    for number, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            raise ImproperlyConfigured(
                f"E2A_FIELD_KEYS: key {number} must be a Fernet key (32 bytes, URL-safe base64)."
            ) from None
    return list(keys)


def encrypt(text: str) -> str:
    return _cipher().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Raises: cryptography.fernet.InvalidToken when no key of the list made the token."""
    return _cipher().decrypt(token.encode()).decode()


def secret_digest(text: str) -> str:
    """A keyed digest, to find or compare a secret without storing it: 64 hexadecimal digits."""
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.E2A_FIELD_KEYS])
