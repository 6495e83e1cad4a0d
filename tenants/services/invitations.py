"""Inviting people to a tenant: a link by e-mail, of which only a digest is kept, that opens once and for seven days."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from e2a.errors import Conflict
from e2a.postgresql.raw import database_now, raw_connection
from tenants.models import Invitation, Mail, Membership, Role, Tenant, User
from tenants.selectors import page_address
from tenants.services.accounts import create_account
from tenants.services.mail import queue_mail

LASTS = timedelta(days=7)
MOST_OPEN = 200  # a manager's session in wrong hands must not send mail without end
ALREADY = "This address has an open invitation already; send it again from the list."
TEXT = """{inviter} invites you to the team “{tenant}” on E²A as {role}.

Open this link within 7 days to accept:

{link}

If you did not expect this, ignore it: nothing happens without your answer.
"""


class InvitationGone(Conflict):
    """This invitation was used, taken back or has ended. Ask the person who sent it for a new one."""


class OtherAccount(Conflict):
    """This invitation is for another account: sign out, and open the link again."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An open invitation, as the person who holds its link sees it; `account`: of that address, if there is one."""

    invitation: Invitation
    account: User | None


def invite_member(*, tenant: Tenant, email: str, role: str, invited_by: User | None) -> Invitation:
    """Raises: ValidationError at `email` or `role`."""
    address = email.strip().lower()
    invitation = Invitation(tenant=tenant, email=address, role=role, invited_by=invited_by)
    invitation.expires_at = database_now(raw_connection()) + LASTS
    invitation.token_digest = "set by issue_link"
    invitation.clean_fields(exclude={"invited_by", "mail"})
    if Membership.objects.filter(tenant=tenant, user__email__iexact=address).exists():
        raise ValidationError({"email": ["This person is a member already; change the role in the list."]})
    close_ended(tenant, address)
    if Invitation.objects.filter(tenant=tenant, accepted_at=None, revoked_at=None).count() >= MOST_OPEN:
        raise ValidationError({"email": [f"There are {MOST_OPEN} open invitations; take some back first."]})
    try:
        with transaction.atomic():
            issue_link(invitation)
    except IntegrityError:
        raise ValidationError({"email": [ALREADY]}) from None
    return invitation


def resend_invitation(*, invitation: Invitation) -> Invitation:
    """A new link and seven new days; the old link ends. Raises: InvitationGone."""
    with transaction.atomic():
        locked = (
            Invitation.objects.select_for_update().filter(pk=invitation.pk, accepted_at=None, revoked_at=None).first()
        )
        if locked is None:
            raise InvitationGone
        drop_mail(locked)
        locked.expires_at = database_now(raw_connection()) + LASTS
        issue_link(locked)
    return locked


def revoke_invitation(*, invitation: Invitation) -> None:
    """Raises: InvitationGone when it was used or taken back before."""
    with transaction.atomic():
        open_ones = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
        if not open_ones.update(revoked_at=Now()):
            raise InvitationGone
        drop_mail(invitation)


def find_offer(token: str) -> Offer:
    """Raises: InvitationGone."""
    invitation = (
        Invitation.objects.select_related("tenant", "invited_by")
        .filter(
            token_digest=digest_of(token), accepted_at=None, revoked_at=None, expires_at__gt=Now(), tenant__active=True
        )
        .first()
    )
    if invitation is None:
        raise InvitationGone
    return Offer(invitation, User.objects.filter(email__iexact=invitation.email).first())


def accept_invitation(*, token: str, user: User) -> Membership:
    """With the account of the address that was invited. A member keeps the role they have.

    Raises: InvitationGone, OtherAccount.
    """
    offer = find_offer(token)
    if offer.account is None or offer.account.pk != user.pk:
        raise OtherAccount
    with transaction.atomic():
        return join(offer.invitation, user)


def accept_with_new_account(*, token: str, username: str, password: str, full_name: str = "") -> Membership:
    """The account and the membership, both or neither. Raises: InvitationGone, OtherAccount, ValidationError."""
    offer = find_offer(token)
    if offer.account is not None:
        raise OtherAccount("There is an account of this address: sign in with it to accept.")
    with transaction.atomic():
        user = create_account(username=username, email=offer.invitation.email, password=password, full_name=full_name)
        return join(offer.invitation, user)


def join(invitation: Invitation, user: User) -> Membership:
    """Of two that use a link at once one gets it. Raises: InvitationGone."""
    open_ones = Invitation.objects.filter(
        pk=invitation.pk, token_digest=invitation.token_digest, accepted_at=None, revoked_at=None, expires_at__gt=Now()
    )
    if not open_ones.update(accepted_at=Now()):
        raise InvitationGone
    membership, _ = Membership.objects.get_or_create(
        tenant=invitation.tenant, user=user, defaults={"role": invitation.role}
    )
    return membership


def issue_link(invitation: Invitation) -> None:
    """Saves the invitation with a new token, and queues the mail that carries it."""
    token = secrets.token_urlsafe(32)
    invitation.token_digest = digest_of(token)
    inviter = invitation.invited_by
    text = TEXT.format(
        inviter=(inviter.get_full_name() or inviter.get_username()) if inviter else "The platform",
        tenant=invitation.tenant.name,
        role=Role(invitation.role).label.lower(),
        link=page_address(invitation.tenant, f"/invitation/{token}/"),
    )
    subject = f"Invitation to {invitation.tenant.name} on E²A"
    invitation.mail = queue_mail(recipient=invitation.email, subject=subject, text=text)
    invitation.save()


def drop_mail(invitation: Invitation) -> None:
    """What still waits is not sent any more: its link opens nothing."""
    if invitation.mail_id is not None:
        Mail.objects.filter(pk=invitation.mail_id, sent_at=None).update(due_at=None, text="")


def close_ended(tenant: Tenant, email: str) -> None:
    """An invitation that has ended makes room for a new one."""
    ended = Invitation.objects.filter(
        tenant=tenant, email=email, accepted_at=None, revoked_at=None, expires_at__lte=Now()
    )
    ended.update(revoked_at=Now())


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
