"""Making a tenant: its row, host, schema and first policy, all or nothing."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from tenants.models import Domain, Tenant
from tenants.policy import DEFAULT_RULES, parse_policy
from tenants.services.policies import publish_policy
from tenants.services.schemas import create_schema
from tenants.slugs import schema_of


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
    rules = DEFAULT_RULES if sla is None else sla
    parse_policy(rules)
    tenant = Tenant(
        slug=slug,
        schema_name=schema_of(slug),
        name=name.strip() or slug,
        timezone=timezone,
        billing={} if billing is None else billing,
    )
    tenant.full_clean(exclude=["schema_name"])
    host = Domain(domain=(domain or f"{slug}.{settings.E2A_BASE_DOMAIN}").lower(), is_primary=True)
    host.full_clean(exclude=["tenant"])
    try:
        with transaction.atomic():
            tenant.save()
            host.tenant = tenant
            host.save()
            publish_policy(tenant=tenant, rules=rules)
            create_schema(tenant.schema_name)
    except IntegrityError:  # another process took the name or the host since we looked
        raise ValidationError({"slug": ["A tenant of this name or host has just been made."]}) from None
    finally:
        connection.set_schema_to_public()  # type: ignore[attr-defined]
    return tenant


def edit_tenant(*, tenant: Tenant, name: str, timezone: str, billing: Mapping[str, Any]) -> Tenant:
    """The slug stays: schema, keys and addresses carry it. Raises: ValidationError."""
    tenant.name, tenant.timezone, tenant.billing = name.strip(), timezone, dict(billing)
    tenant.full_clean(exclude=["schema_name"])
    tenant.save(update_fields=["name", "timezone", "billing"])
    return tenant


def set_tenant_active(*, tenant: Tenant, active: bool) -> None:
    """An inactive tenant's hosts, keys, tokens and webhooks open nothing from the next request on; its data stays."""
    Tenant.objects.filter(pk=tenant.pk).update(active=active)
