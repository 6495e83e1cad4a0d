"""The 3PL's clients, whose orders they are."""

from tenants.models import Merchant, Tenant


def create_merchant(*, tenant: Tenant, slug: str, name: str = "") -> Merchant:
    """Raises: ValidationError."""
    merchant = Merchant(tenant=tenant, slug=slug, name=name.strip() or slug)
    merchant.full_clean()
    merchant.save()
    return merchant


def rename_merchant(*, merchant: Merchant, name: str) -> Merchant:
    """The slug stays: orders carry it. Raises: ValidationError."""
    merchant.name = name.strip()
    merchant.full_clean()
    merchant.save(update_fields=["name"])
    return merchant
