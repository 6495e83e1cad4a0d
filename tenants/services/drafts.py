"""The draft of a tenant's next policy: begun, changed, published, discarded; and an older version put in force again.

A change names the revision that it was made from, and is refused when somebody else changed the draft meanwhile.
"""

from collections.abc import Mapping
from datetime import datetime
from secrets import randbelow
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from e2a.errors import Conflict, NotFound
from tenants.models import PolicyDraft, SlaPolicy, Tenant
from tenants.policy import as_rules
from tenants.services.policies import NoSuchVersion, publish_policy

FIRST_REVISIONS = 10**9  # drawn among so many, so that a page of a draft long gone changes no other


class NoDraft(NotFound):
    """There is no draft: it was published or discarded meanwhile. Begin a new one."""


class StaleDraft(Conflict):
    """Somebody else changed the draft meanwhile, so nothing was saved. Look at it again, then make your change."""


class SameVersion(Conflict):
    """The newest version says the same already."""


def begin_draft(*, tenant: Tenant, by: str) -> PolicyDraft:
    """With what the newest version says; the draft that there is, if there is one. Raises: NoSuchVersion."""
    latest = SlaPolicy.objects.filter(tenant=tenant).order_by("-version").first()
    if latest is None:
        raise NoSuchVersion
    words = {
        "rules": as_rules(latest.rules),
        "based_on": latest.version,
        "revision": 1 + randbelow(FIRST_REVISIONS),
        "edited_by": by,
    }
    draft, _ = PolicyDraft.objects.get_or_create(tenant=tenant, defaults=words)
    return draft


def change_draft(*, tenant: Tenant, revision: int, rules: Mapping[str, Any], by: str) -> None:
    """`rules`: the whole draft. Raises: NoDraft, StaleDraft."""
    rows = PolicyDraft.objects.filter(tenant=tenant, revision=revision)
    if not rows.update(rules=dict(rules), revision=F("revision") + 1, edited_by=by, edited_at=Now()):
        raise missing(tenant)


def discard_draft(*, tenant: Tenant, revision: int) -> None:
    """Raises: NoDraft, StaleDraft."""
    removed, _ = PolicyDraft.objects.filter(tenant=tenant, revision=revision).delete()
    if not removed:
        raise missing(tenant)


def missing(tenant: Tenant) -> NoDraft | StaleDraft:
    return StaleDraft() if PolicyDraft.objects.filter(tenant=tenant).exists() else NoDraft()


def publish_draft(
    *, tenant: Tenant, revision: int, starts_at: datetime | None = None, note: str = "", by: str = ""
) -> SlaPolicy:
    """The draft as the next version, in force from `starts_at` (None: now); the draft is gone then.

    Raises: NoDraft, StaleDraft; what `publish_policy` raises.
    """
    with transaction.atomic():
        draft = PolicyDraft.objects.select_for_update().filter(tenant=tenant, revision=revision).first()
        if draft is None:
            raise missing(tenant)
        policy = publish_policy(tenant=tenant, rules=draft.rules, starts_at=starts_at, note=note, by=by)
        draft.delete()
    return policy


def restore_version(*, tenant: Tenant, version: int, by: str) -> SlaPolicy:
    """What that version says as the next version, in force from now. Raises: NoSuchVersion, SameVersion."""
    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=tenant.pk)  # so that the newest stays the newest meanwhile
        rows = SlaPolicy.objects.filter(tenant=tenant)
        old, latest = rows.filter(version=version).first(), rows.order_by("-version").first()
        if old is None or latest is None:
            raise NoSuchVersion
        if old.rules == latest.rules:
            raise SameVersion
        return publish_policy(tenant=tenant, rules=old.rules, note=f"Back to version {version}", by=by)
