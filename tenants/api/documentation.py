"""How the OpenAPI schema names the ways of showing who one is."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension

TENANT_HEADER = {
    "type": "apiKey",
    "in": "header",
    "name": "X-Tenant-Id",
    "description": "The tenant's slug. Opens nothing alone; may be left out on the tenant's own host.",
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "tenants.api.authentication.KeyAuthentication"
    name = ["Bearer", "Tenant"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        bearer = {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key (e2a_…), or a token of POST /api/token.",
        }
        return [bearer, TENANT_HEADER]


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Said by BearerScheme already."""

    target_class = "tenants.api.authentication.TokenAuthentication"
    name: list[str] = []

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return []

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return []


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "tenants.api.authentication.MemberAuthentication"
    name = "Session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "A person signed in on the tenant's host; other methods than GET need X-CSRFToken.",
        }
