"""Who a program is, by the key it shows, and what it may do (CONTRACT 2). Looked up at every request, never cached."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from e2a.errors import Forbidden, Unauthorized
from e2a.postgresql.raw import raw_connection
from tenants.models import Membership, Role, Scope
from tenants.slugs import is_tenant_slug

KEY_MARK = "e2a"
KEY = re.compile(rf"{KEY_MARK}_([0-9a-f]{{12}})_[0-9a-f]{{48}}")
SCOPES_OF_ROLE: Mapping[str, frozenset[str]] = {
    Role.VIEWER: frozenset({Scope.READ}),
    Role.OPERATOR: frozenset({Scope.READ, Scope.OPERATE}),
    Role.MANAGER: frozenset({Scope.READ, Scope.OPERATE, Scope.ADMIN}),
}
FIND = """
SELECT k.prefix, k.digest, k.scopes, k.sources, k.merchant, t.slug, t.schema_name, t.active,
  k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp()),
  EXISTS (SELECT 1 FROM "public".tenants_tenant a WHERE a.slug = %(asked)s AND a.active), clock_timestamp()
FROM "public".tenants_apikey k JOIN "public".tenants_tenant t ON t.id = k.tenant_id WHERE k.prefix = %(prefix)s"""


@dataclass(frozen=True, slots=True)
class Access:
    """`actor` goes into timelines: key:PREFIX or user:NAME. `merchant` and `sources` bind a key; empty means any.

    `now`: the database's, of the look-up.
    """

    schema: str
    tenant: str
    actor: str
    scopes: frozenset[str]
    now: datetime
    sources: frozenset[str] = frozenset()
    merchant: str = ""

    def require(self, scope: str) -> None:
        """Raises: Forbidden."""
        if scope not in self.scopes:
            raise Forbidden(f"This needs the scope “{scope}”; these credentials have {', '.join(sorted(self.scopes))}.")


class UnknownCaller(Unauthorized):
    """The key is missing, unknown, ended or revoked, or there is no such tenant."""


class OtherTenant(Forbidden):
    """These credentials belong to another tenant."""


def access_of_member(membership: Membership, now: datetime) -> Access:
    """What a person may do in a tenant, by their role there."""
    tenant = membership.tenant
    return Access(
        schema=tenant.schema_name,
        tenant=tenant.slug,
        actor=f"user:{membership.user.get_username()}",
        scopes=SCOPES_OF_ROLE[membership.role],
        now=now,
    )


def is_key(token: str) -> bool:
    return token.startswith(f"{KEY_MARK}_")


def bearer_of(header: str) -> str:
    """The token of an `Authorization: Bearer …` header; empty when there is none."""
    kind, _, token = header.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def key_digest(key: str) -> str:
    """SHA-256 of the whole key: it is random, so nothing slower is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def access_by_key(key: str, tenant: str) -> Access:
    """One round trip. `tenant`: the slug that the request asks for.

    Raises: UnknownCaller, OtherTenant.
    """
    form = KEY.fullmatch(key)
    if form is None or not is_tenant_slug(tenant):
        raise UnknownCaller
    row = raw_connection().execute(FIND, {"prefix": form[1], "asked": tenant}, prepare=True).fetchone()
    if row is None:
        raise UnknownCaller
    prefix, digest, scopes, sources, merchant, slug, schema, active, valid, asked_exists, now = row
    if not (hmac.compare_digest(digest, key_digest(key)) and valid and active and asked_exists):
        raise UnknownCaller
    if slug != tenant:
        raise OtherTenant
    return Access(
        schema=schema,
        tenant=slug,
        actor=f"key:{prefix}",
        scopes=frozenset(scopes),
        now=now.astimezone(UTC),
        sources=frozenset(sources),
        merchant=merchant,
    )
