"""Shaped reads of tenants, people and keys (public schema)."""

from django.utils import timezone

from tenants.hosts import address_of
from tenants.models import ApiKey, Domain, Invitation, Mail, Tenant


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


def invitation_state(invitation: Invitation) -> str:
    """accepted, taken back, ended or open."""
    if invitation.accepted_at:
        return "accepted"
    if invitation.revoked_at:
        return "taken back"
    return "open" if invitation.expires_at > timezone.now() else "ended"


def key_state(key: ApiKey) -> str:
    """works, revoked or ended."""
    if key.revoked_at:
        return "revoked"
    return "ended" if key.expires_at and key.expires_at <= timezone.now() else "works"
