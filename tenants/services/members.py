"""Members of a tenant: a manager edits memberships, never another's account. A tenant is never left without a manager."""

from django.core.exceptions import ValidationError
from django.db import transaction

from e2a.errors import Conflict
from tenants.models import Membership, Role, Tenant, User


class LastManager(Conflict):
    """This is the last manager: make somebody else a manager first."""


class NoSuchMember(Conflict):
    """This person is not a member any more."""


def add_member(*, tenant: Tenant, user: User, role: str) -> Membership:
    """For the platform's admin; managers invite. Raises: ValidationError."""
    membership = Membership(tenant=tenant, user=user, role=role)
    membership.full_clean()
    membership.save()
    return membership


def change_role(*, membership: Membership, role: str) -> Membership:
    """Raises: ValidationError at `role`; LastManager, NoSuchMember."""
    if role not in Role.values:
        raise ValidationError({"role": [f"“{role}” is no role; choose among {', '.join(Role.values)}."]})
    with transaction.atomic():
        locked = lock_member(membership, still_manager=role == Role.MANAGER)
        locked.role = role
        locked.save(update_fields=["role"])
    return locked


def remove_member(*, membership: Membership) -> None:
    """Works at the person's next request. Raises: LastManager, NoSuchMember."""
    with transaction.atomic():
        lock_member(membership, still_manager=False).delete()


def lock_member(membership: Membership, *, still_manager: bool) -> Membership:
    """Locks the tenant's managers too, so that two who lower each other at once do not both succeed.

    Raises: LastManager, NoSuchMember.
    """
    rows = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(tenant_id=membership.tenant_id)
        .order_by("pk")
    )
    members = {row.pk: row for row in rows}
    locked = members.get(membership.pk)
    if locked is None:
        raise NoSuchMember
    managers = [row for row in members.values() if row.role == Role.MANAGER and row.user.is_active]
    if managers == [locked] and not still_manager:
        raise LastManager
    return locked
