"""API keys: made, shown once, revoked."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models.functions import Now

from e2a.postgresql.raw import database_now, raw_connection
from tenants.access import KEY_MARK, key_digest
from tenants.models import ApiKey, Tenant

PREFIX = re.compile(rf"(?:{KEY_MARK}_)?([0-9a-f]{{12}})")


@dataclass(frozen=True, slots=True)
class NewKey:
    """`key` is the whole key, which is stored nowhere: whoever asked sees it this once."""

    row: ApiKey
    key: str


class NoSuchKey(LookupError):
    """There is no API key with this prefix."""


def create_api_key(
    *,
    tenant: Tenant,
    scopes: Sequence[str],
    name: str = "",
    sources: Sequence[str] = (),
    merchant: str = "",
    expires_at: datetime | None = None,
) -> NewKey:
    """`e2a_PREFIX_SECRET`: 48 bits to find it by, 192 to keep it secret. Raises: ValidationError."""
    if expires_at is not None and expires_at <= database_now(raw_connection()):
        raise ValidationError({"expires_at": ["The end lies in the past; choose a later one, or none."]})
    prefix, secret = secrets.token_hex(6), secrets.token_hex(24)
    key = f"{KEY_MARK}_{prefix}_{secret}"
    row = ApiKey(
        tenant=tenant,
        name=name.strip(),
        prefix=prefix,
        digest=key_digest(key),
        scopes=sorted(set(scopes)),
        sources=sorted(set(sources)),
        merchant=merchant,
        expires_at=expires_at,
    )
    row.clean()  # its sentences, before Django's own on the items of an array
    row.full_clean()
    row.save()
    return NewKey(row, key)


def revoke_api_key(*, prefix: str, tenant: Tenant | None = None) -> ApiKey:
    """Works at the key's next request. Revoking twice keeps the first instant. `tenant`: only one of its keys.

    Raises: NoSuchKey.
    """
    form = PREFIX.fullmatch(prefix.strip())
    keys = ApiKey.objects.filter(prefix=form[1] if form else "")
    if tenant is not None:
        keys = keys.filter(tenant=tenant)
    keys.filter(revoked_at=None).update(revoked_at=Now())
    row = keys.select_related("tenant").first()
    if row is None:
        raise NoSuchKey(NoSuchKey.__doc__)
    return row
