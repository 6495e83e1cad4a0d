"""SLA policies as dated versions: published, never edited. One that has not begun to count may be withdrawn."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from e2a.errors import Conflict, NotFound
from e2a.postgresql.raw import database_now, raw_connection
from tenants.models import SlaPolicy, Tenant
from tenants.policy import parse_policy

FIRST_POLICY_FROM = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
FARTHEST = timedelta(days=366)
TOO_LATE = timedelta(minutes=1)  # so that no order begins under a version while it is withdrawn


class NoSuchVersion(NotFound):
    """There is no such version of the policy."""


class CountsAlready(Conflict):
    """It counts already, or will within a minute: orders keep the version they began under. Put an older one in force instead."""


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
            version=newest_number(tenant) + 1,
            valid_from=max(starts_at or now, now) if latest else FIRST_POLICY_FROM,
            rules=dict(rules),
            note=note.strip(),
            created_by=by,
        )
        policy.full_clean()
        policy.save()
    return policy


def withdraw_policy(*, tenant: Tenant, version: int) -> None:
    """Takes back a version that is only planned; its number is not given again. Raises: NoSuchVersion, CountsAlready."""
    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=tenant.pk)
        policy = SlaPolicy.objects.filter(tenant=tenant, version=version).first()
        if policy is None:
            raise NoSuchVersion
        if policy.valid_from <= database_now(raw_connection()) + TOO_LATE:
            raise CountsAlready
        policy.delete()


def newest_number(tenant: Tenant) -> int:
    """Of all versions that were ever published, 0 if there was none. Those withdrawn stand in the history only."""
    kept, ever = SlaPolicy.objects, apps.get_model("tenants", "SlaPolicyChange").objects
    found = [rows.filter(tenant=tenant.pk).aggregate(newest=Max("version"))["newest"] for rows in (kept, ever)]
    return max(number or 0 for number in found)
