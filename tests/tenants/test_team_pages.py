"""The pages of members and keys: for managers, of their own tenant, with each act's refusal."""

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tenants.access import access_by_key
from tenants.models import ApiKey, Invitation, Mail, Membership, Role, Tenant, User
from tenants.services import create_api_key
from tenants.services.invitations import invite_member
from tests.tenants.cast import make_member, signed_in

HTMX = {"HX-Request": "true"}


@pytest.fixture
def boss(acme: Tenant) -> Client:
    return signed_in(acme, make_member(acme, "boss", Role.MANAGER))


def text(response: HttpResponse) -> str:
    return response.content.decode()


def membership(name: str) -> Membership:
    return Membership.objects.get(user__username=name, tenant__slug="acme")


def make_invitation(tenant: Tenant, email: str = "new@example.com") -> Invitation:
    return invite_member(tenant=tenant, email=email, role=Role.VIEWER, invited_by=None)


def test_list_shows_members_and_invitations_of_this_tenant_only(boss: Client, acme: Tenant, globex: Tenant) -> None:
    make_member(globex, "gina")
    make_invitation(globex, "secret@example.com")
    make_invitation(acme)
    page = text(boss.get("/members/"))
    assert "boss@example.com" in page
    assert "new@example.com" in page
    assert "gina" not in page
    assert "secret@example.com" not in page
    part = text(boss.get("/members/", headers=HTMX))
    assert "<html" not in part
    assert "new@example.com" in part


def test_invited_person_stands_in_the_list_and_gets_a_mail(boss: Client) -> None:
    answer = boss.post("/members/invite/", {"email": "New@Example.com", "role": "operator"}, headers=HTMX)
    assert answer.status_code == 204
    assert "An invitation goes to" in answer["HX-Trigger"]
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role) == ("new@example.com", "operator")
    assert invitation.invited_by == User.objects.get(username="boss")
    assert boss.post("/members/invite/", {"email": "b@example.com", "role": "viewer"})["Location"] == "/members/"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"email": "x"}, "Enter a valid email address."),
        ({"email": "boss@example.com"}, "This person is a member already"),
        ({"role": "root"}, "Select a valid choice."),
    ],
)
@pytest.mark.parametrize("headers", [HTMX, {}])
def test_refused_invitation_has_its_sentence_at_the_field(
    boss: Client, words: dict[str, str], sentence: str, headers: dict[str, str]
) -> None:
    answer = boss.post("/members/invite/", {"email": "n@example.com", "role": "viewer"} | words, headers=headers)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert ("<html" in text(answer)) is not bool(headers)
    assert not Invitation.objects.exists()


def test_role_is_changed_and_member_removed(boss: Client, acme: Tenant) -> None:
    make_member(acme)
    path = f"/members/{membership('maria').pk}"
    assert boss.post(f"{path}/role/", {"role": "viewer"}, headers=HTMX).status_code == 204
    assert membership("maria").role == Role.VIEWER
    refused = boss.post(f"{path}/role/", {"role": "root"}, headers=HTMX)
    assert refused.status_code == 422
    assert membership("maria").role == Role.VIEWER
    assert boss.post(f"{path}/remove/").status_code == 302
    assert not Membership.objects.filter(user__username="maria").exists()
    assert User.objects.filter(username="maria").exists()


def test_last_manager_stays(boss: Client) -> None:
    path = f"/members/{membership('boss').pk}"
    for act, words in (("role", {"role": "viewer"}), ("remove", {})):
        refused = boss.post(f"{path}/{act}/", words, headers=HTMX)
        assert (refused.status_code, refused.json()["detail"]) == (
            409,
            "This is the last manager: make somebody else a manager first.",
        )
    assert membership("boss").role == Role.MANAGER


def test_manager_who_steps_down_is_led_away_from_the_page(boss: Client, acme: Tenant) -> None:
    make_member(acme, "second", Role.MANAGER)
    answer = boss.post(f"/members/{membership('boss').pk}/role/", {"role": "viewer"}, headers=HTMX)
    assert answer["HX-Redirect"] == "/"
    assert boss.get("/members/").status_code == 403


def test_invitation_is_sent_again_and_taken_back(boss: Client, acme: Tenant) -> None:
    row = make_invitation(acme)
    assert boss.post(f"/members/invitations/{row.pk}/resend/", headers=HTMX).status_code == 204
    assert Mail.objects.count() == 2
    assert boss.post(f"/members/invitations/{row.pk}/revoke/", headers=HTMX).status_code == 204
    assert boss.post(f"/members/invitations/{row.pk}/resend/", headers=HTMX).status_code == 409
    assert Mail.objects.filter(due_at__isnull=False).count() == 0


def test_key_is_shown_once_and_bound_as_asked(boss: Client, acme: Tenant) -> None:
    words = {"name": "wms", "scopes": ["ingest"], "sources": "wms, erp", "last_day": "2999-01-31"}
    page = boss.post("/keys/new/", words)
    key = re.search(r"e2a_[0-9a-f]{12}_[0-9a-f]{48}", text(page))
    assert key
    assert "no-store" in page["Cache-Control"]
    access = access_by_key(key[0], "acme")
    assert (access.scopes, access.sources) == ({"ingest"}, {"wms", "erp"})
    assert key[0] not in text(boss.get("/keys/"))
    assert ApiKey.objects.get().prefix in text(boss.get("/keys/"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"scopes": []}, "Choose what the key may do."),
        ({"sources": "a b"}, "is no source"),
        ({"merchant": "nobody"}, "Select a valid choice."),
        ({"last_day": "2020-01-01"}, "The end lies in the past"),
        ({"last_day": "soon"}, "Enter a valid date."),
    ],
)
def test_refused_key_has_its_sentence(boss: Client, words: dict[str, Any], sentence: str) -> None:
    answer = boss.post("/keys/new/", {"name": "x", "scopes": ["read"]} | words)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert not ApiKey.objects.exists()


def test_revoked_key_opens_nothing_and_stays_in_the_list(boss: Client, acme: Tenant) -> None:
    made = create_api_key(tenant=acme, scopes=["read"], name="wms")
    assert boss.post(f"/keys/{made.row.pk}/revoke/", headers=HTMX).status_code == 204
    client = Client(headers={"Authorization": f"Bearer {made.key}", "X-Tenant-Id": "acme", "Host": "127.0.0.1"})
    assert client.get("/api/orders").status_code == 401
    assert "Revoked" in text(boss.get("/keys/"))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_only_managers_enter(acme: Tenant, role: str) -> None:
    client = signed_in(acme, make_member(acme, role=role))
    row, key = make_invitation(acme), create_api_key(tenant=acme, scopes=["read"]).row
    for path in ("/members/", "/keys/", "/keys/new/"):
        assert client.get(path).status_code == 403
    member = membership("maria").pk
    acts = (
        ("/members/invite/", {"email": "n@example.com", "role": "manager"}),
        (f"/members/{member}/role/", {"role": "manager"}),
        (f"/members/{member}/remove/", {}),
        (f"/members/invitations/{row.pk}/revoke/", {}),
        (f"/members/invitations/{row.pk}/resend/", {}),
        ("/keys/new/", {"name": "x", "scopes": ["admin"]}),
        (f"/keys/{key.pk}/revoke/", {}),
    )
    for path, words in acts:
        assert client.post(path, words).status_code == 403
        assert client.get(path).status_code in (403, 405)
    assert (Membership.objects.get().role, Invitation.objects.count(), ApiKey.objects.count()) == (role, 1, 1)
    key.refresh_from_db()
    row.refresh_from_db()
    assert (key.revoked_at, row.revoked_at) == (None, None)


def test_manager_of_one_tenant_cannot_touch_another(boss: Client, acme: Tenant, globex: Tenant) -> None:
    make_member(globex, "gina", Role.MANAGER)
    gina = Membership.objects.get(user__username="gina")
    row, key = make_invitation(globex), create_api_key(tenant=globex, scopes=["read"], name="theirs").row
    assert "theirs" not in text(boss.get("/keys/"))
    acts = (f"/members/{gina.pk}/role/", f"/members/{gina.pk}/remove/", f"/keys/{key.pk}/revoke/")
    for path in (*acts, f"/members/invitations/{row.pk}/revoke/", f"/members/invitations/{row.pk}/resend/"):
        assert boss.post(path, {"role": "viewer"}).status_code == 404
    assert boss.get("/members/", headers={"Host": "globex.localhost"}).status_code == 403
    gina.refresh_from_db()
    key.refresh_from_db()
    row.refresh_from_db()
    assert (gina.role, key.revoked_at, row.revoked_at) == (Role.MANAGER, None, None)


def test_acts_need_the_forms_token(acme: Tenant) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Host": "acme.localhost"})
    client.force_login(make_member(acme, "boss", Role.MANAGER), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/members/invite/", {"email": "n@example.com", "role": "viewer"}).status_code == 403
    assert client.post("/keys/new/", {"name": "x", "scopes": ["read"]}).status_code == 403
    assert (Invitation.objects.count(), ApiKey.objects.count()) == (0, 0)


@pytest.mark.parametrize("path", ["/members/", "/keys/"])
def test_longer_list_costs_no_more_queries(
    boss: Client, acme: Tenant, path: str, django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            make_member(acme, f"member{number}")
            make_invitation(acme, f"invited{number}@example.com")
            create_api_key(tenant=acme, scopes=["read"], name=f"key{number}")

    fill(0, 2)
    with django_assert_max_num_queries(9) as few:
        boss.get(path, headers=HTMX)
    fill(2, 60)
    with django_assert_num_queries(len(few)):
        page = text(boss.get(path, headers=HTMX))
    assert "cursor=1" in page
    assert "cursor=1" not in text(boss.get(f"{path}?cursor=1", headers=HTMX))
    assert boss.get(f"{path}?cursor=nonsense").status_code == 200
