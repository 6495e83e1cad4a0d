"""Finds whose request it is by host, and which role the signed-in person has there."""

import time
from collections.abc import Callable

import pghistory
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import DisallowedHost
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound

from e2a.errors import BadRequest, problem_response
from tenants.audit import context_of
from tenants.hosts import is_platform_host, is_public_host
from tenants.models import Domain, Membership, Tenant

BACKGROUND_PATHS = ("/live",)
BEGAN_AT, USED_AT = "began_at", "used_at"  # keys of the session, seconds since 1970
USE_NOTED_EVERY_SECONDS = 60
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
        connection.set_schema_to_public()  # type: ignore[attr-defined]
        try:
            host = request.get_host().rsplit(":", 1)[0].lower()
        except DisallowedHost:  # Django would log each with a traceback, and anybody can send them
            return problem_response(BadRequest("The Host header does not hold a host's name."))
        request.tenant = None  # type: ignore[attr-defined]
        if is_public_host(host):
            request.urlconf = settings.PUBLIC_SCHEMA_URLCONF  # type: ignore[attr-defined]
        elif not (request.path.startswith(PROGRAM_PATHS) and is_platform_host(host)):
            tenant = tenant_of_host(host)
            if tenant is None:
                return HttpResponseNotFound("No such address here.", content_type="text/plain")
            request.tenant = tenant  # type: ignore[attr-defined]
            connection.set_tenant(tenant)  # type: ignore[attr-defined]
        try:
            return self.get_response(request)
        finally:
            connection.set_schema_to_public()  # type: ignore[attr-defined]


class SessionAgeMiddleware:
    """Ends a session that nobody used for long (idle), and any session after its longest time, used or not.

    What a page asks by itself (its live parts) is no use; the time of the last use is written at most once a minute.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            keep_or_end(request, time.time())
        return self.get_response(request)


def keep_or_end(request: HttpRequest, now: float) -> None:
    session = request.session
    if session_ended(session, now):
        logout(request)
        return
    used = session.get(USED_AT)
    if used is None:
        session[BEGAN_AT] = session[USED_AT] = now
    elif now - used > USE_NOTED_EVERY_SECONDS and is_use(request):
        session[USED_AT] = now


def session_ended(session: SessionBase, now: float) -> bool:
    idle, whole = settings.E2A_SESSION_IDLE_SECONDS, settings.SESSION_COOKIE_AGE
    return bool(now - session.get(USED_AT, now) > idle or now - session.get(BEGAN_AT, now) > whole)


def is_use(request: HttpRequest) -> bool:
    by_itself = request.path in BACKGROUND_PATHS or (request.method == "GET" and "HX-Request" in request.headers)
    return not by_itself


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
    found = (
        Membership.objects.select_related("user").filter(tenant=tenant, user_id=user_id, user__is_active=True).first()
    )
    if found is not None:
        found.tenant = tenant  # which the host has named already: no page asks for it again
    return found
