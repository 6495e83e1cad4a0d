"""`POST /api/token` and `/api/token/refresh`."""

import structlog
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tenants.access import OtherTenant
from tenants.limits import client_address
from tenants.models import Membership
from tenants.tokens import LONGEST, WrongCredentials, issue_tokens, refresh_access

logger = structlog.get_logger("tenants.tokens")
REFUSED = {
    401: OpenApiResponse(description="No active member of the tenant by these words; the same for whichever is wrong."),
    403: OpenApiResponse(description="On a tenant's host, for another tenant."),
}


class CredentialsSerializer(serializers.Serializer[None]):
    tenant = serializers.CharField(max_length=40, required=False, help_text="May be left out on the tenant's own host.")
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=128, trim_whitespace=False)


class TokensSerializer(serializers.Serializer[None]):
    access = serializers.CharField(help_text="Lasts five minutes.")
    refresh = serializers.CharField(help_text="Lasts twelve hours, or until the password changes.")


class RefreshSerializer(serializers.Serializer[None]):
    refresh = serializers.CharField(max_length=LONGEST)


class AccessSerializer(serializers.Serializer[None]):
    access = serializers.CharField(help_text="Lasts five minutes.")


CREDENTIALS = OpenApiExample(
    "A member",
    request_only=True,
    value={"tenant": "acme", "username": "anna", "password": "correct horse battery staple"},
)
BOTH = OpenApiExample(
    "Both tokens", response_only=True, status_codes=["200"], value={"access": "eyJhbGciOi…", "refresh": "eyJhbGciOi…"}
)
REFRESH = OpenApiExample("A refresh token", request_only=True, value={"refresh": "eyJhbGciOi…"})
ACCESS = OpenApiExample("A new one", response_only=True, status_codes=["200"], value={"access": "eyJhbGciOi…"})


class TokenView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="token",
        request=CredentialsSerializer,
        responses={200: TokensSerializer, **REFUSED},
        examples=[CREDENTIALS, BOTH],
        tags=["token"],
    )
    def post(self, request: Request) -> Response:
        """A person's name and password for an access and a refresh token of one tenant."""
        sent = CredentialsSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        asked = of_host(request, sent.validated_data.get("tenant", ""))
        membership = log_in(request._request, asked, sent.validated_data["username"], sent.validated_data["password"])
        tokens = issue_tokens(membership)
        return Response({"access": tokens.access, "refresh": tokens.refresh})


class RefreshView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="token_refresh",
        request=RefreshSerializer,
        responses={200: AccessSerializer, **REFUSED},
        examples=[REFRESH, ACCESS],
        tags=["token"],
    )
    def post(self, request: Request) -> Response:
        """A refresh token for a new access token."""
        sent = RefreshSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        membership, access = refresh_access(sent.validated_data["refresh"])
        of_host(request, membership.tenant.slug)
        return Response({"access": access})


def of_host(request: Request, slug: str) -> str:
    """On a tenant's host its own slug. Raises: OtherTenant when another is named."""
    tenant = request._request.tenant  # type: ignore[attr-defined]
    if tenant is not None and slug and slug != tenant.slug:
        raise OtherTenant
    return slug or (tenant.slug if tenant is not None else "")


def log_in(request: HttpRequest, slug: str, username: str, password: str) -> Membership:
    """The one refusal for every wrong word, so that nothing can be learnt from it; each counts as a failed attempt.

    Raises: WrongCredentials.
    """
    user = authenticate(request, username=username, password=password)
    if user is None:
        raise WrongCredentials
    found = (
        Membership.objects.select_related("user", "tenant")
        .filter(tenant__slug=slug, tenant__active=True, user_id=user.pk)
        .first()
    )
    if found is None:
        user_login_failed.send(__name__, credentials={"username": username}, request=request)
        raise WrongCredentials
    AxesProxyHandler.reset_attempts(username=username, ip_address=client_address(request))
    logger.info("token issued", user=user.get_username(), tenant=slug)
    return found
