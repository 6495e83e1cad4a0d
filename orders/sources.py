"""Finding a webhook source: by its address (tenant and name), or by schema for replay and reconciliation."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography.fernet import InvalidToken

from e2a.encryption import decrypt
from e2a.postgresql.raw import raw_connection
from orders.providers.delivery import Adapter, Delivery, Reading, Unusable
from orders.providers.registry import ADAPTERS
from tenants.slugs import SLUG

logger = logging.getLogger(__name__)
FIND = """
SELECT t.schema_name, t.slug, w.id, w.name, w.provider, w.merchant, w.timezone, w.mapping::json, w.active,
  ARRAY(SELECT s.secret FROM "public".tenants_webhooksecret s WHERE s.source_id = w.id
    AND (s.valid_until IS NULL OR s.valid_until > clock_timestamp()) ORDER BY s.created_at DESC LIMIT 5),
  clock_timestamp()
FROM "public".tenants_tenant t JOIN "public".tenants_webhooksource w ON w.tenant_id = t.id
WHERE t.active AND w.name = %(name)s AND {which}"""
BY_ADDRESS = FIND.format(which="t.slug = %(tenant)s")
BY_SCHEMA = FIND.format(which="t.schema_name = %(tenant)s")


@dataclass(frozen=True, slots=True)
class Source:
    """A webhook source with the secrets that are valid at `now`, the database's."""

    schema: str
    tenant: str
    pk: int
    name: str
    provider: str
    merchant: str
    timezone: str
    mapping: Mapping[str, Any]
    active: bool
    secrets: tuple[str, ...]
    now: datetime

    @property
    def adapter(self) -> Adapter:
        return ADAPTERS[self.provider]

    def delivery(self, body: bytes, headers: Mapping[str, str], *, correlation_id: str = "") -> Delivery:
        return Delivery(
            source=self.name,
            body=body,
            headers=headers,
            now=self.now,
            merchant=self.merchant or "default",
            timezone=self.timezone,
            mapping=self.mapping,
            correlation_id=correlation_id,
        )


def find_source(tenant: str, name: str) -> Source | None:
    """The source at `/webhooks/TENANT/NAME`, active or not; None for anything that is not there. One round trip."""
    if not (len(tenant) <= 40 and SLUG.fullmatch(tenant) and len(name) <= 16 and SLUG.fullmatch(name)):
        return None
    return _found(BY_ADDRESS, tenant, name)


def source_of_schema(schema: str, name: str) -> Source | None:
    return _found(BY_SCHEMA, schema, name)


def read_again(schema: str, name: str, body: bytes, headers: Mapping[str, str]) -> Reading | None:
    """What a dead letter's webhook says now, by the present mapping and adapter; None if its source is gone.

    Raises: orders.providers.delivery.Unusable when it still cannot be used.
    """
    source = source_of_schema(schema, name)
    return read_delivery(source, source.delivery(body, headers)) if source else None


def read_delivery(source: Source, delivery: Delivery) -> Reading:
    """Raises: Unusable, also when the adapter itself stumbles over a shape that nobody foresaw."""
    try:
        return source.adapter.read(delivery)
    except Unusable:
        raise
    except Exception as error:
        logger.exception("the adapter of %s failed on a delivery of %s", source.provider, source.tenant)
        sentence = f"The adapter of {source.provider} could not read it ({type(error).__name__})."
        raise Unusable("adapter_failed", {"body": [sentence]}) from error


def _found(text: str, tenant: str, name: str) -> Source | None:
    row = raw_connection().execute(text, {"tenant": tenant, "name": name}, prepare=True).fetchone()
    if row is None or row[4] not in ADAPTERS:
        return None
    *columns, ciphertexts, now = row
    secrets = tuple(filter(None, map(_plain, ciphertexts)))
    return Source(*columns, secrets, now.astimezone(UTC))  # type: ignore[call-arg]  # a list has no known length


@lru_cache(maxsize=4096)
def _plain(ciphertext: str) -> str:
    """A secret, decrypted once a process; an empty text if no key of ours made it, which then verifies nothing."""
    try:
        return decrypt(ciphertext)
    except InvalidToken:
        return ""
