"""Shaped reads of tenants, people and keys (public schema)."""

from tenants.hosts import address_of
from tenants.models import Domain, Tenant


def host_of(tenant: Tenant) -> str:
    """Its first host: the primary one, else any."""
    found = Domain.objects.filter(tenant=tenant).order_by("-is_primary", "pk").values_list("domain", flat=True).first()
    return found or ""


def page_address(tenant: Tenant, path: str) -> str:
    """The whole address of a page of the tenant's, for e-mails."""
    return address_of(host_of(tenant), path)
