"""Shaped reads of tenants, people and keys (public schema)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from tenants.hosts import address_of
from tenants.models import (
    ApiKey,
    Domain,
    Invitation,
    Mail,
    Membership,
    Merchant,
    PolicyDraft,
    SlaPolicy,
    Tenant,
    WebhookSource,
)
from tenants.policy import Policy, PolicyVersion, policy_at
from tenants.policy_form import read_again

MOST_INVITATIONS = 200
NO_POLICY = Policy()


def host_of(tenant: Tenant) -> str:
    """Its first host: the primary one, else any."""
    found = Domain.objects.filter(tenant=tenant).order_by("-is_primary", "pk").values_list("domain", flat=True).first()
    return found or ""


def page_address(tenant: Tenant, path: str) -> str:
    """The whole address of a page of the tenant's, for e-mails."""
    return address_of(host_of(tenant), path)


def mail_state(mail: Mail | None) -> str:
    """A few words for a list."""
    if mail is None:
        return "none"
    if mail.sent_at:
        return "sent"
    if mail.due_at is None:
        return mail.trouble or "not sent"
    return f"tried {mail.attempts} times; will be tried again" if mail.attempts else "on its way"


def invitation_state(invitation: Invitation, now: datetime) -> str:
    """accepted, taken back, ended or open."""
    if invitation.accepted_at:
        return "accepted"
    if invitation.revoked_at:
        return "taken back"
    return "open" if invitation.expires_at > now else "ended"


def key_state(key: ApiKey, now: datetime) -> str:
    """works, revoked or ended."""
    if key.revoked_at:
        return "revoked"
    return "ended" if key.expires_at and key.expires_at <= now else "works"


def members_of(tenant: Tenant) -> QuerySet[Membership]:
    """By name, with their people."""
    return Membership.objects.select_related("user").filter(tenant=tenant).order_by("user__username")


def open_invitations(tenant: Tenant) -> Sequence[Invitation]:
    """Neither accepted nor taken back, newest first; those that ended are among them, to be sent again."""
    rows = Invitation.objects.select_related("mail", "invited_by").filter(
        tenant=tenant, accepted_at=None, revoked_at=None
    )
    return list(rows.order_by("-created_at")[:MOST_INVITATIONS])


def keys_of(tenant: Tenant) -> QuerySet[ApiKey]:
    """Those that are not revoked first, each group newest first."""
    return ApiKey.objects.filter(tenant=tenant).order_by(F("revoked_at").desc(nulls_first=True), "-created_at", "-pk")


def merchants_of(tenant: Tenant) -> list[tuple[str, str]]:
    """(slug, name)"""
    return list(Merchant.objects.filter(tenant=tenant).order_by("name").values_list("slug", "name"))


def sources_of(tenant: Tenant) -> list[str]:
    return list(WebhookSource.objects.filter(tenant=tenant).order_by("name").values_list("name", flat=True))


@dataclass(frozen=True, slots=True)
class Draft:
    """A tenant's draft. `policy`: None while it cannot be used; `errors`: then why, by path, as PolicyError tells it."""

    rules: Mapping[str, Any]
    based_on: int
    revision: int
    edited_by: str
    edited_at: datetime
    policy: Policy | None
    errors: Mapping[str, Sequence[str]]


def draft_of(tenant: Tenant) -> Draft | None:
    row = PolicyDraft.objects.filter(tenant=tenant).first()
    if row is None:
        return None
    policy, errors = checked(row.rules)
    return Draft(row.rules, row.based_on, row.revision, row.edited_by, row.edited_at, policy, errors)


def checked(rules: Mapping[str, Any]) -> tuple[Policy | None, Mapping[str, Sequence[str]]]:
    """The policy, or why there is none. `rules`: in the form of rules."""
    policy, errors = read_again(json.dumps(rules))
    return (None if errors else policy), errors


@dataclass(frozen=True, slots=True)
class PolicyStanding:
    """Which version counts for an order that begins now, and which ones start later. All by their number."""

    in_force: int
    planned: frozenset[int]
    newest: int


def policy_standing(tenant: Tenant, now: datetime) -> PolicyStanding:
    rows = list(SlaPolicy.objects.filter(tenant=tenant).order_by("version").values_list("version", "valid_from"))
    chosen = policy_at([PolicyVersion(version, start, NO_POLICY) for version, start in rows], now)
    planned = frozenset(version for version, start in rows if start > now)
    return PolicyStanding(chosen.id if chosen else 0, planned, rows[-1][0] if rows else 0)


def versions_of(tenant: Tenant) -> QuerySet[SlaPolicy]:
    """Newest first, without what they say."""
    return SlaPolicy.objects.filter(tenant=tenant).defer("rules").order_by("-version")
