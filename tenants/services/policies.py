"""SLA policies as dated versions: published, never edited."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from e2a.postgresql.raw import database_now, raw_connection
from tenants.models import SlaPolicy, Tenant
from tenants.policy import parse_policy

FIRST_POLICY_FROM = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
FARTHEST = timedelta(days=366)


def publish_policy(
    *, tenant: Tenant, rules: Mapping[str, Any], starts_at: datetime | None = None, note: str = "", by: str = ""
) -> SlaPolicy:
    """The next version, from `starts_at` (None: now) on; the very first reaches back without limit (CONTRACT 4).

    Raises: tenants.policy.PolicyError; ValidationError at `starts_at` or `note`.
    """
    parse_policy(rules)
    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=tenant.pk)  # versions are numbered one after the other
        now = database_now(raw_connection())
        latest = SlaPolicy.objects.filter(tenant=tenant).order_by("-version").first()
        if starts_at is not None and starts_at < now - timedelta(minutes=1):
            raise ValidationError(
                {"starts_at": ["A policy starts now or later: orders keep the one they began under."]}
            )
        if starts_at is not None and starts_at > now + FARTHEST:
            raise ValidationError({"starts_at": ["That is more than a year ahead; choose an earlier start."]})
        policy = SlaPolicy(
            tenant=tenant,
            version=latest.version + 1 if latest else 1,
            valid_from=max(starts_at or now, now) if latest else FIRST_POLICY_FROM,
            rules=dict(rules),
            note=note.strip(),
            created_by=by,
        )
        policy.full_clean()
        policy.save()
    return policy
