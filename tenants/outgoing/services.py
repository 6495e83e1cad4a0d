"""Writes of outgoing targets. Addresses are resolved and judged when they are set, and judged again at every call."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from tenants.clients.errors import CallError
from tenants.clients.outgoing import Resolve, judged_addresses, resolve
from tenants.clients.webhooks import new_secret
from tenants.models import Tenant
from tenants.outgoing.addresses import address_trouble
from tenants.outgoing.models import Channel, OutgoingTarget

GRACE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class SavedTarget:
    """`secret` is shown this once; empty when none was made."""

    row: OutgoingTarget
    secret: str


def create_target(
    *, tenant: Tenant, name: str, channel: str, address: str, actor: str, resolve: Resolve = resolve
) -> SavedTarget:
    """Raises: ValidationError with a sentence at the field."""
    secret = new_secret() if channel == Channel.WEBHOOK else ""
    row = OutgoingTarget(tenant=tenant, name=name, channel=channel, secret=secret, created_by=actor)
    row.address = checked_address(channel, address, resolve)
    row.full_clean(validate_constraints=False)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise ValidationError({"name": ["There is a target of this name already."]}) from None
    return SavedTarget(row, secret)


def change_target(
    *, target: OutgoingTarget, address: str | None = None, active: bool | None = None, resolve: Resolve = resolve
) -> None:
    """Only what is given changes; the channel never does, since playbooks rely on it. Raises: ValidationError."""
    changes: dict[str, object] = {}
    if address is not None:
        changes["address"] = checked_address(target.channel, address, resolve)
    if active is not None:
        changes["active"] = active
    if changes:
        OutgoingTarget.objects.filter(pk=target.pk).update(**changes)


def rotate_target_secret(*, target: OutgoingTarget, now: datetime) -> SavedTarget:
    """The present secret signs beside the new one for a day. Raises: ValidationError for what has no secret."""
    if target.channel != Channel.WEBHOOK:
        raise ValidationError({"name": ["Only webhooks are signed."]})
    secret = new_secret()
    row = OutgoingTarget(pk=target.pk, secret=secret)
    with transaction.atomic():
        rows = OutgoingTarget.objects.filter(pk=target.pk)
        rows.update(old_secret=F("secret"), old_secret_until=now + GRACE)
        row.save(update_fields=["secret"])
    return SavedTarget(OutgoingTarget.objects.get(pk=target.pk), secret)


def remove_target(*, target: OutgoingTarget) -> None:
    """What still waits for it fails with a sentence that says so."""
    target.delete()


def checked_address(channel: str, address: str, resolve: Resolve) -> str:
    """Raises: ValidationError at `address`."""
    text, allowed = address.strip(), settings.E2A_ALLOW_PRIVATE_OUTGOING
    if channel not in Channel.values:
        raise ValidationError({"channel": [f"“{channel}” is no channel: use {', '.join(Channel.values)}."]})
    if trouble := address_trouble(channel, text, allow_plain=allowed):
        raise ValidationError({"address": [trouble]})
    if channel != Channel.EMAIL:
        parts = urlsplit(text)
        try:
            judged_addresses(parts.hostname or "", parts.port or 443, allow_private=allowed, resolve=resolve)
        except CallError as error:
            raise ValidationError({"address": [error.sentence]}) from None
    return text


def signing_secrets(target: OutgoingTarget, now: datetime) -> list[str]:
    """The secrets that sign now, the newest first."""
    old = target.old_secret if target.old_secret_until and target.old_secret_until > now else ""
    return [secret for secret in (target.secret, old) if secret]
