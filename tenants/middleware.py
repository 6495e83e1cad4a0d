"""Finds whose request it is by host, and which role the signed-in person has there."""

from collections.abc import Callable

import pghistory
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound

from tenants.audit import context_of
from tenants.hosts import is_platform_host, is_public_host
from tenants.models import Domain, Membership, Tenant

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
PROGRAM_PATHS = ("/events", "/webhooks/")
Handler = Callable[[HttpRequest], HttpResponse]


class TenantMiddleware:
    """Sets `request.tenant` (None on the public host) and the connection's schema; an unknown host gets 404.

    The door's own addresses find their tenant by key or path, so they cost no look-up of the host here.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        connection.set_schema_to_public()
        host = request.get_host().rsplit(":", 1)[0].lower()
        request.tenant = None  # type: ignore[attr-defined]
        if is_public_host(host):
            request.urlconf = settings.PUBLIC_SCHEMA_URLCONF  # type: ignore[attr-defined]
        elif not (request.path.startswith(PROGRAM_PATHS) and is_platform_host(host)):
            tenant = tenant_of_host(host)
            if tenant is None:
                return HttpResponseNotFound("No such address here.", content_type="text/plain")
            request.tenant = tenant  # type: ignore[attr-defined]
            connection.set_tenant(tenant)
        try:
            return self.get_response(request)
        finally:
            connection.set_schema_to_public()


class MembershipMiddleware:
    """Sets `request.membership`: the signed-in person's, in the host's tenant, read anew at every request; else None."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.membership = None  # type: ignore[attr-defined]
        tenant = request.tenant  # type: ignore[attr-defined]
        if tenant is not None and settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            request.membership = membership_of(tenant, request.user.pk)  # type: ignore[attr-defined]
        return self.get_response(request)


class HistoryMiddleware:
    """What a request changes in the configuration is kept with who, where and why. The door's own addresses change none."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in SAFE_METHODS or request.path.startswith(PROGRAM_PATHS):
            return self.get_response(request)
        with pghistory.context(**context_of(request)):
            return self.get_response(request)


def tenant_of_host(host: str) -> Tenant | None:
    domain = Domain.objects.select_related("tenant").filter(domain=host, tenant__active=True).first()
    return domain.tenant if domain else None


def membership_of(tenant: Tenant, user_id: int) -> Membership | None:
    return (
        Membership.objects.select_related("user").filter(tenant=tenant, user_id=user_id, user__is_active=True).first()
    )
