"""Tokens of people who call the API (CONTRACT 2): an access token opens one tenant for five minutes.

A token says who and where, never what: role, account and password are read at every request, so whatever is taken away
is gone at the next one. `stamp` ends a person's tokens when their password changes.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from e2a.encryption import secret_digest
from e2a.errors import Unauthorized
from e2a.postgresql.raw import database_now, raw_connection
from tenants.access import Access, OtherTenant, UnknownCaller, access_by_key, access_of_member, is_key
from tenants.models import Membership, Tenant, User

LONGEST = 2048
CLAIMS = ("tenant", "user", "stamp")
Kind = TypeVar("Kind", bound=Token)


@dataclass(frozen=True, slots=True)
class Tokens:
    access: str
    refresh: str


class WrongCredentials(Unauthorized):
    """No active member of this tenant has this name and password."""


class BadToken(Unauthorized):
    """The token is not valid, has ended, or its person is no longer a member."""


def issue_tokens(membership: Membership) -> Tokens:
    return Tokens(access=signed(AccessToken(), membership), refresh=signed(RefreshToken(), membership))


def refresh_access(token: str) -> tuple[Membership, str]:
    """A new access token for as long as the refresh token lasts and its person is a member. Raises: BadToken."""
    membership = member_of(read(RefreshToken, token))
    return membership, signed(AccessToken(), membership)


def access_by_token(token: str, asked: str) -> tuple[User, Access]:
    """`asked`: the slug that the request asks for. Raises: BadToken, UnknownCaller, OtherTenant."""
    membership = member_of(read(AccessToken, token))
    if asked != membership.tenant.slug:
        if Tenant.objects.filter(slug=asked, active=True).exists():
            raise OtherTenant
        raise UnknownCaller
    now: datetime = database_now(raw_connection())
    return membership.user, access_of_member(membership, now)


def access_by_bearer(bearer: str, asked: str) -> Access:
    """Whoever a program shows to be: by an API key or by a person's token. Raises: Unauthorized, OtherTenant."""
    return access_by_key(bearer, asked) if is_key(bearer) else access_by_token(bearer, asked)[1]


def signed(token: Token, membership: Membership) -> str:
    token["tenant"] = membership.tenant.slug
    token["user"] = membership.user_id
    token["stamp"] = stamp_of(membership.user)
    return str(token)


def read(kind: type[Kind], token: str) -> Kind:
    """Raises: BadToken, also for a token of the other kind."""
    if len(token) > LONGEST or not token.isascii():
        raise BadToken
    try:
        return kind(token)  # type: ignore[arg-type]  # simplejwt's hint names a token, it takes text
    except TokenError:
        raise BadToken from None


def member_of(token: Token) -> Membership:
    """Raises: BadToken unless its person is still an active member of its active tenant."""
    if not all(claim in token for claim in CLAIMS):
        raise BadToken
    found = (
        Membership.objects.select_related("user", "tenant")
        .filter(tenant__slug=token["tenant"], user_id=token["user"], tenant__active=True, user__is_active=True)
        .first()
    )
    if found is None or not hmac.compare_digest(stamp_of(found.user), token["stamp"]):
        raise BadToken
    return found


def stamp_of(user: User) -> str:
    return secret_digest(f"token stamp {user.password}")[:24]
