"""People's accounts, which the whole installation shares."""

from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from tenants.models import Mail, Membership, Tenant, User
from tenants.selectors import page_address
from tenants.services.mail import queue_mail

RESET_PAUSE = timedelta(minutes=5)  # nobody's mailbox is filled by somebody else's clicks
RESET_SUBJECT = "A new password for E²A"
RESET_TEXT = """Somebody, hopefully you, asked for a new password for the account “{username}” on E²A.

Open this link within an hour to choose one:

{link}

If it was not you, ignore this: your password stays as it is.
"""


def create_account(*, username: str, email: str, password: str, full_name: str = "") -> User:
    """Raises: ValidationError at `username`, `email` or `password`."""
    first, _, last = " ".join(full_name.split()).partition(" ")
    user = User(username=username.strip(), email=email.strip().lower(), first_name=first, last_name=last)
    wrong: dict[str, list[str]] = {}
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        wrong |= error.message_dict
    try:
        validate_password(password, user)
    except ValidationError as error:
        wrong["password"] = error.messages
    if wrong:
        raise ValidationError(wrong)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise ValidationError({"username": ["An account of this name or address has just been made."]}) from None
    return user


def change_password(*, user: User, password: str) -> None:
    """Ends every other session and every token of theirs. Raises: ValidationError at `password`."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from None
    user.set_password(password)
    user.save(update_fields=["password"])


def ask_for_reset(*, tenant: Tenant, email: str) -> None:
    """Queues a link to each active member of the tenant with this address; says nothing about whether there is one."""
    recent = Mail.objects.filter(
        recipient__iexact=email.strip(), subject=RESET_SUBJECT, created_at__gt=Now() - RESET_PAUSE
    )
    if recent.exists():
        return
    members = Membership.objects.select_related("user").filter(
        tenant=tenant, user__email__iexact=email.strip(), user__is_active=True
    )
    for membership in members:
        user = membership.user
        path = (
            f"/password/reset/{urlsafe_base64_encode(force_bytes(user.pk))}/{default_token_generator.make_token(user)}/"
        )
        text = RESET_TEXT.format(username=user.get_username(), link=page_address(tenant, path))
        queue_mail(recipient=user.email, subject=RESET_SUBJECT, text=text)
