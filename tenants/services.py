"""Every write of tenants: companies, their keys, sources, people and policies (public schema)."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection, transaction

from tenants.access import KEY_MARK, key_digest
from tenants.models import ApiKey, Domain, SlaPolicy, Tenant
from tenants.policy import DEFAULT_RULES, parse_policy
from tenants.slugs import schema_of

FIRST_POLICY_FROM = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class NewKey:
    """`key` is the whole key, which is stored nowhere: whoever asked sees it this once."""

    row: ApiKey
    key: str


def create_tenant(
    *,
    slug: str,
    name: str = "",
    domain: str = "",
    timezone: str = "UTC",
    sla: Mapping[str, Any] | None = None,
    billing: Mapping[str, Any] | None = None,
) -> Tenant:
    """Tenant, host, schema and first policy, all or nothing. `sla` is the flat form of CONTRACT 4.

    Raises: ValidationError naming the field; tenants.policy.PolicyError.
    """
    rules = dict(DEFAULT_RULES if sla is None else sla)
    parse_policy(rules)
    tenant = Tenant(
        slug=slug, schema_name=schema_of(slug), name=name or slug, timezone=timezone, billing=dict(billing or {})
    )
    tenant.full_clean()
    host = Domain(domain=(domain or f"{slug}.{settings.E2A_BASE_DOMAIN}").lower(), tenant=tenant, is_primary=True)
    host.full_clean(exclude=["tenant"])
    try:
        with transaction.atomic():
            tenant.save()
            host.tenant = tenant
            host.save()
            SlaPolicy.objects.create(tenant=tenant, version=1, valid_from=FIRST_POLICY_FROM, rules=rules)
            create_schema(tenant)
    finally:
        connection.set_schema_to_public()  # type: ignore[attr-defined]
    return tenant


def create_schema(tenant: Tenant) -> None:
    """Raises: ValidationError when a schema of that name is there already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [tenant.schema_name])
        if cursor.fetchone():
            raise ValidationError({"slug": [f"The database already has a schema “{tenant.schema_name}”."]})
        cursor.execute(f'CREATE SCHEMA "{tenant.schema_name}"')
    call_command("migrate_schemas", schema_name=tenant.schema_name, interactive=False, verbosity=0)


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
    prefix, secret = secrets.token_hex(6), secrets.token_hex(24)
    key = f"{KEY_MARK}_{prefix}_{secret}"
    row = ApiKey(
        tenant=tenant,
        name=name,
        prefix=prefix,
        digest=key_digest(key),
        scopes=sorted(set(scopes)),
        sources=sorted(set(sources)),
        merchant=merchant,
        expires_at=expires_at,
    )
    row.full_clean()
    row.save()
    return NewKey(row, key)

