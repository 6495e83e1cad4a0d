"""Members and invitations: who may join, with which account, once; a tenant is never left without a manager."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models.functions import Now

from e2a.errors import ProblemError
from tenants.models import Invitation, Mail, Membership, Role, Tenant, User
from tenants.services.accounts import ask_for_reset, change_password
from tenants.services.invitations import (
    InvitationGone,
    OtherAccount,
    accept_invitation,
    accept_with_new_account,
    digest_of,
    find_offer,
    invite_member,
    resend_invitation,
    revoke_invitation,
)
from tenants.services.members import LastManager, NoSuchMember, add_member, change_role, remove_member
from tenants.tasks import send_mails
from tests.tenants.cast import PASSWORD, make_member


def token_of(invitation: Invitation) -> str:
    invitation.refresh_from_db()
    assert invitation.mail is not None
    found = re.search(r"http://acme\.localhost:8000/invitation/([\w-]{43})/", invitation.mail.text)
    assert found
    return found[1]


def invite(acme: Tenant, email: str = "new@example.com", role: str = Role.OPERATOR) -> Invitation:
    return invite_member(tenant=acme, email=email, role=role, invited_by=User.objects.filter(username="boss").first())


@pytest.fixture
def boss(acme: Tenant) -> User:
    return make_member(acme, "boss", Role.MANAGER)


def test_invitation_keeps_only_a_digest_and_mails_the_link(acme: Tenant, boss: User) -> None:
    invitation = invite(acme, " New@Example.com ")
    token = token_of(invitation)
    assert (invitation.email, invitation.token_digest) == ("new@example.com", digest_of(token))
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM public.tenants_mail")
        assert token not in cursor.fetchone()[0]
    send_mails()
    (sent,) = outbox.outbox
    assert sent.to == ["new@example.com"]
    assert (sent.subject, token in sent.body) == ("Invitation to Acme on E²A", True)
    mail = Mail.objects.get()
    assert (mail.due_at, mail.text, mail.sent_at is not None) == (None, "", True)
    send_mails()
    assert len(outbox.outbox) == 1


def test_new_person_accepts_with_a_new_account_once(acme: Tenant, boss: User) -> None:
    token = token_of(invite(acme, role=Role.VIEWER))
    membership = accept_with_new_account(token=token, username="newby", password=PASSWORD, full_name="Nina  New")
    user = membership.user
    assert (membership.role, membership.tenant, user.email) == (Role.VIEWER, acme, "new@example.com")
    assert (user.first_name, user.last_name, user.check_password(PASSWORD)) == ("Nina", "New", True)
    assert not (user.is_staff or user.is_superuser)
    with pytest.raises(InvitationGone):
        accept_with_new_account(token=token, username="again", password=PASSWORD)
    assert not User.objects.filter(username="again").exists()


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"username": "boss"}, "username"),
        ({"username": "a b"}, "username"),
        ({"password": "short 1"}, "password"),
        ({"password": "password123"}, "password"),
        ({"username": "correcthorse", "password": "correcthorse"}, "password"),
    ],
)
def test_refused_account_leaves_the_invitation_open(
    acme: Tenant, boss: User, words: dict[str, str], field: str
) -> None:
    token = token_of(invite(acme))
    with pytest.raises(ValidationError) as refused:
        accept_with_new_account(token=token, **{"username": "newby", "password": PASSWORD} | words)
    assert list(refused.value.message_dict) == [field]
    assert find_offer(token).account is None
    assert Membership.objects.count() == 1


def test_existing_person_accepts_with_their_own_account_only(acme: Tenant, globex: Tenant, boss: User) -> None:
    gina = make_member(globex, "gina")
    token = token_of(invite(acme, "Gina@example.com"))
    assert find_offer(token).account == gina
    with pytest.raises(OtherAccount):
        accept_invitation(token=token, user=boss)
    with pytest.raises(OtherAccount):
        accept_with_new_account(token=token, username="fake", password=PASSWORD)
    assert accept_invitation(token=token, user=gina).tenant == acme
    assert sorted(gina.memberships.values_list("tenant__slug", flat=True)) == ["acme", "globex"]


@pytest.mark.parametrize(
    "end",
    [
        lambda invitation: revoke_invitation(invitation=invitation),
        lambda invitation: Invitation.objects.update(expires_at=Now() - timedelta(seconds=1)),
        lambda invitation: Tenant.objects.filter(slug="acme").update(active=False),
        lambda invitation: resend_invitation(invitation=invitation),
    ],
    ids=["revoked", "ended", "tenant inactive", "sent anew"],
)
def test_ended_link_opens_nothing(acme: Tenant, boss: User, end: Callable[[Invitation], Any]) -> None:
    invitation = invite(acme)
    token = token_of(invitation)
    end(invitation)
    with pytest.raises(InvitationGone):
        accept_with_new_account(token=token, username="newby", password=PASSWORD)
    assert (Membership.objects.count(), User.objects.count()) == (1, 1)


def test_resent_invitation_works_by_its_new_link_and_drops_the_old_mail(acme: Tenant, boss: User) -> None:
    invitation = invite(acme)
    resend_invitation(invitation=invitation)
    send_mails()
    assert len(outbox.outbox) == 1
    found = re.search(r"/invitation/([\w-]{43})/", str(outbox.outbox[0].body))
    assert found
    assert find_offer(found[1]).invitation == invitation


def test_address_is_invited_once_at_a_time(acme: Tenant, boss: User) -> None:
    first = invite(acme)
    with pytest.raises(ValidationError) as refused:
        invite(acme, "NEW@example.com")
    assert refused.value.message_dict == {
        "email": ["This address has an open invitation already; send it again from the list."]
    }
    Invitation.objects.update(expires_at=Now() - timedelta(seconds=1))
    assert invite(acme) != first
    assert Mail.objects.count() == 2


@pytest.mark.parametrize(
    ("email", "role", "field"),
    [("no-address", "viewer", "email"), ("a@b.co", "root", "role"), ("boss@example.com", "viewer", "email")],
)
def test_refused_invitation_queues_no_mail(acme: Tenant, boss: User, email: str, role: str, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        invite(acme, email, role)
    assert list(refused.value.message_dict) == [field]
    assert (Invitation.objects.count(), Mail.objects.count()) == (0, 0)


def test_last_manager_can_neither_be_lowered_nor_removed(acme: Tenant, boss: User) -> None:
    membership = Membership.objects.get(user=boss)
    inactive = make_member(acme, "gone", Role.MANAGER, is_active=False)
    with pytest.raises(LastManager):
        change_role(membership=membership, role=Role.VIEWER)
    with pytest.raises(LastManager):
        remove_member(membership=membership)
    assert Membership.objects.get(user=boss).role == Role.MANAGER
    change_role(membership=membership, role=Role.MANAGER)
    remove_member(membership=Membership.objects.get(user=inactive))
    make_member(acme, "second", Role.MANAGER)
    assert change_role(membership=membership, role=Role.VIEWER).role == Role.VIEWER
    remove_member(membership=membership)
    with pytest.raises(NoSuchMember):
        remove_member(membership=membership)
    with pytest.raises(ValidationError):
        change_role(membership=Membership.objects.get(user__username="second"), role="root")


def test_member_cannot_be_added_twice(acme: Tenant, boss: User) -> None:
    with pytest.raises(ValidationError):
        add_member(tenant=acme, user=boss, role=Role.VIEWER)
    assert Membership.objects.get(user=boss).role == Role.MANAGER


def race(*acts: Callable[[], object]) -> list[object]:
    """Runs the acts at once, each on its own connection; what each returned or raised."""
    results: list[object] = []
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        try:
            start.wait()
            results.append(act())
        except (ProblemError, ValidationError) as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_two_managers_lowering_each_other_at_once_leave_one(committed: None) -> None:
    acme = Tenant.objects.get(slug="acme")
    for _ in range(5):
        Membership.objects.all().delete()
        pair = [Membership.objects.get(user=make_member(acme, name, Role.MANAGER)) for name in ("one", "two")]
        results = race(*(lambda row=row: remove_member(membership=row) for row in pair))
        assert sum(isinstance(result, LastManager) for result in results) == 1
        assert Membership.objects.filter(role=Role.MANAGER).count() == 1


def test_link_used_by_two_at_once_makes_one_account(committed: None) -> None:
    acme = Tenant.objects.get(slug="acme")
    token = token_of(invite(acme))
    names = ("one", "two", "three")
    results = race(
        *(lambda name=name: accept_with_new_account(token=token, username=name, password=PASSWORD) for name in names)
    )
    assert sum(isinstance(result, Membership) for result in results) == 1
    assert (User.objects.count(), Membership.objects.count()) == (1, 1)


def test_reset_is_mailed_to_members_only_and_not_twice_in_a_row(acme: Tenant, globex: Tenant, boss: User) -> None:
    make_member(globex, "gina")
    for email in ("nobody@example.com", "gina@example.com", "BOSS@example.com", "boss@example.com"):
        ask_for_reset(tenant=acme, email=email)
    (mail,) = Mail.objects.all()
    assert mail.recipient == "boss@example.com"
    assert re.search(r"http://acme\.localhost:8000/password/reset/\w+/[\w-]+/", mail.text)


def test_weak_password_changes_nothing(acme: Tenant, boss: User) -> None:
    with pytest.raises(ValidationError):
        change_password(user=boss, password="1234567890")
    assert User.objects.get(pk=boss.pk).check_password(PASSWORD)
