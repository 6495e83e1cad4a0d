"""Who asks a page, where and when."""

from django.http import HttpRequest

from exceptions.playbooks.decisions import Decider
from tenants.access import Access
from tenants.models import Tenant


def access_of(request: HttpRequest) -> Access:
    access: Access = request.access  # type: ignore[attr-defined]
    return access


def decider_of(request: HttpRequest) -> Decider:
    access = access_of(request)
    return Decider(access.actor, access.scopes)


def tenant_of(request: HttpRequest) -> Tenant:
    tenant: Tenant = request.tenant  # type: ignore[attr-defined]
    return tenant
