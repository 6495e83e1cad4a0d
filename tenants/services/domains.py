"""The hosts at which a tenant's pages answer; one of them is the first, which e-mails name."""

from django.db import transaction

from e2a.errors import Conflict
from tenants.models import Domain, Tenant


class LastDomain(Conflict):
    """A tenant needs a host: add another one first."""


def add_domain(*, tenant: Tenant, host: str) -> Domain:
    """Raises: ValidationError."""
    domain = Domain(tenant=tenant, domain=host.strip().lower(), is_primary=False)
    domain.full_clean()
    domain.save()
    return domain


def make_primary(*, domain: Domain) -> None:
    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=domain.tenant_id)
        Domain.objects.filter(tenant_id=domain.tenant_id).exclude(pk=domain.pk).update(is_primary=False)
        Domain.objects.filter(pk=domain.pk).update(is_primary=True)


def remove_domain(*, domain: Domain) -> None:
    """If it was the first, another becomes it. Raises: LastDomain."""
    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=domain.tenant_id)
        other = (
            Domain.objects.filter(tenant_id=domain.tenant_id)
            .exclude(pk=domain.pk)
            .order_by("-is_primary", "pk")
            .first()
        )
        if other is None:
            raise LastDomain
        domain.delete()
        if not other.is_primary:
            Domain.objects.filter(pk=other.pk).update(is_primary=True)
