"""DRF's side of `tenants.access`: a key, a token or a signed-in member becomes the request's `Access` and its tenant's schema."""

from typing import Any

from django.db import connection
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from e2a.postgresql.raw import database_now, raw_connection
from tenants.access import Access, OtherTenant, access_by_key, access_of_member, bearer_of, is_key
from tenants.models import User
from tenants.tokens import access_by_token


def asked_tenant(request: Request) -> str:
    """The slug of the header, which on a tenant's host may be left out but not differ. Raises: OtherTenant."""
    named: str = request.headers.get("X-Tenant-Id", "")
    host: Any = getattr(request, "tenant", None)
    if host is not None and named and named != host.slug:
        raise OtherTenant
    return named or (host.slug if host is not None else "")


def enter(access: Access) -> None:
    connection.set_schema(access.schema)  # type: ignore[attr-defined]


class KeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[None, Access] | None:
        token = bearer_of(request.headers.get("Authorization", ""))
        if not is_key(token):
            return None
        access = access_by_key(token, asked_tenant(request))
        enter(access)
        return None, access

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class TokenAuthentication(BaseAuthentication):
    """An access token of `POST /api/token`."""

    def authenticate(self, request: Request) -> tuple[User, Access] | None:
        token = bearer_of(request.headers.get("Authorization", ""))
        if not token:
            return None
        user, access = access_by_token(token, asked_tenant(request))
        enter(access)
        return user, access


class MemberAuthentication(BaseAuthentication):
    """A person signed in on the tenant's host; their role there is read at every request. Other methods than GET need the form token."""

    def authenticate(self, request: Request) -> tuple[User, Access] | None:
        membership = getattr(request._request, "membership", None)
        if membership is None or request.headers.get("Authorization"):
            return None
        SessionAuthentication().enforce_csrf(request)
        return membership.user, access_of_member(membership, database_now(raw_connection()))
