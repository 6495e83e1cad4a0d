"""Webhook sources and their secrets: encrypted at rest, shown once, two valid ones while a rotation lasts."""

import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from e2a.encryption import secret_digest
from tenants.models import Provider, Tenant, WebhookSecret, WebhookSource

EDITABLE = ("merchant", "timezone", "settle_seconds", "mapping", "api_url", "api_token", "active")
SHORTEST_SECRET, LONGEST_SECRET = 16, 512
GRACE = timedelta(hours=24)
LONGEST_GRACE = timedelta(days=30)
TAKEN = "This secret is in use at a source already; each source needs its own."


@dataclass(frozen=True, slots=True)
class NewSecret:
    """`secret` is kept encrypted and never shown again: whoever asked sees it this once."""

    source: WebhookSource
    secret: str


def create_source(*, tenant: Tenant, name: str, provider: str, secret: str = "", **settings: Any) -> NewSecret:
    """`secret`: the provider's own (Shopify gives one), else one is made. `settings`: columns of EDITABLE.

    Raises: ValidationError.
    """
    row = WebhookSource(tenant=tenant, name=name, provider=provider, **only_editable(settings))
    row.full_clean(validate_constraints=False)  # the insert tells it with our sentence
    try:
        with transaction.atomic():
            row.save()
            return NewSecret(row, add_secret(row, secret))
    except IntegrityError:
        raise ValidationError({"name": ["There is a source of this name already."]}) from None


def edit_source(*, source: WebhookSource, **settings: Any) -> WebhookSource:
    """Only what is given changes; name and provider never do, since events carry them. Raises: ValidationError."""
    with transaction.atomic():
        row = WebhookSource.objects.select_for_update().get(pk=source.pk)
        changes = only_editable(settings)
        for column, value in changes.items():
            setattr(row, column, value)
        row.full_clean()
        row.save(update_fields=list(changes))
    return row


def rotate_secret(*, source: WebhookSource, secret: str = "", grace: timedelta = GRACE) -> NewSecret:
    """The newest secret stays valid for `grace` beside the new one; older ones end now. Raises: ValidationError."""
    if not timedelta(0) <= grace <= LONGEST_GRACE:
        raise ValidationError({"grace": ["The old secret may stay valid for 0 to 30 days."]})
    with transaction.atomic():
        row = WebhookSource.objects.select_for_update().get(pk=source.pk)
        row.secrets.filter(valid_until__isnull=False).delete()
        row.secrets.update(valid_until=Now() + grace)
        return NewSecret(row, add_secret(row, secret))


def end_old_secrets(*, source: WebhookSource) -> int:
    """Ends the grace of a rotation at once. Returns how many secrets that were."""
    deleted, _ = source.secrets.filter(valid_until__isnull=False).delete()
    return deleted


def add_secret(source: WebhookSource, secret: str) -> str:
    """Raises: ValidationError at `secret`."""
    given = secret.strip() or new_secret(source.provider)
    if not SHORTEST_SECRET <= len(given) <= LONGEST_SECRET:
        raise ValidationError({"secret": [f"A secret has {SHORTEST_SECRET} to {LONGEST_SECRET} characters."]})
    if not given.isprintable():
        raise ValidationError({"secret": ["A secret has visible characters only; copy it again."]})
    digest = secret_digest(given)
    if WebhookSecret.objects.filter(digest=digest).exists():
        raise ValidationError({"secret": [TAKEN]})
    try:
        with transaction.atomic():
            WebhookSecret.objects.create(source=source, secret=given, digest=digest)
    except IntegrityError:
        raise ValidationError({"secret": [TAKEN]}) from None
    return given


def new_secret(provider: str) -> str:
    """256 random bits, in the form that the provider's side expects."""
    if provider == Provider.STANDARD:
        return f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
    return secrets.token_urlsafe(32)


def only_editable(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Raises: TypeError for a column that is none of EDITABLE."""
    if unknown := [name for name in settings if name not in EDITABLE]:
        raise TypeError(f"{unknown[0]} cannot be set")
    return dict(settings)


def remove_ended_secrets() -> int:
    """Ended secrets open nothing; they are removed so that they rest nowhere."""
    deleted, _ = WebhookSecret.objects.filter(valid_until__lte=Now()).delete()
    return deleted
