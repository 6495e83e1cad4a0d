"""A person's own pages: the link of an invitation, the password changed and set anew, the age of a session."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client

from tenants.models import Invitation, Mail, Membership, Role, Tenant, User
from tenants.services.invitations import invite_member, revoke_invitation
from tests.tenants.cast import PASSWORD, make_member, on_host, signed_in

NEW = "a quite new one 77"
ACCOUNT = {"username": "newby", "full_name": "Nina New", "password": NEW, "again": NEW}

Clock = Callable[[float], time_machine.travel]


@pytest.fixture
def at() -> Clock:
    """Minutes after the test's beginning."""
    start = datetime.now(UTC)
    return lambda minutes: time_machine.travel(start + timedelta(minutes=minutes), tick=False)


def text(response: HttpResponse) -> str:
    return response.content.decode()


def link(invitation: Invitation) -> str:
    assert invitation.mail is not None
    found = re.search(r"/invitation/[\w-]+/", invitation.mail.text)
    assert found
    return found[0]


@pytest.fixture
def invited(acme: Tenant) -> Invitation:
    return invite_member(tenant=acme, email="new@example.com", role=Role.OPERATOR, invited_by=None)


def test_new_person_makes_an_account_and_is_in(acme: Tenant, invited: Invitation) -> None:
    client, path = on_host("acme"), link(invited)
    page = client.get(path)
    assert "new@example.com" in text(page)
    assert "no-store" in page["Cache-Control"]
    assert client.post(path, ACCOUNT)["Location"] == "/"
    assert client.get("/api/orders").status_code == 200
    assert Membership.objects.get().role == Role.OPERATOR
    again = on_host("acme").get(path)
    assert again.status_code == 409
    assert "This invitation was used" in text(again)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"again": "another one 99"}, "The two do not match"),
        ({"password": "1234567890", "again": "1234567890"}, "This password is too common."),
        ({"username": "maria"}, "A user with that username already exists."),
        ({"username": ""}, "This field is required."),
    ],
)
def test_refused_account_can_be_corrected(
    acme: Tenant, invited: Invitation, words: dict[str, str], sentence: str
) -> None:
    make_member(acme)
    client, path = on_host("acme"), link(invited)
    answer = client.post(path, ACCOUNT | words)
    assert (answer.status_code, sentence in text(answer)) == (422, True)
    assert User.objects.count() == 1
    assert client.post(path, ACCOUNT).status_code == 302


def test_link_opens_on_its_tenants_host_only(acme: Tenant, globex: Tenant, invited: Invitation) -> None:
    assert on_host("globex").post(link(invited), ACCOUNT).status_code == 409
    assert on_host("acme").get("/invitation/made-up/").status_code == 409
    assert not User.objects.exists()


def test_revoked_link_makes_no_account(acme: Tenant, invited: Invitation) -> None:
    path = link(invited)
    revoke_invitation(invitation=invited)
    assert on_host("acme").post(path, ACCOUNT).status_code == 409
    assert not User.objects.exists()


def test_existing_person_signs_in_and_joins(acme: Tenant, globex: Tenant) -> None:
    gina = make_member(globex, "gina")
    path = link(invite_member(tenant=acme, email="gina@example.com", role=Role.VIEWER, invited_by=None))
    assert f'href="/login/?next={path}"' in text(on_host("acme").get(path))
    stranger = signed_in(acme, make_member(acme, "olga"))
    assert "you are signed in as olga" in text(stranger.post(path, ACCOUNT))
    assert not Membership.objects.filter(user=gina, tenant=acme).exists()
    client = signed_in(acme, gina)
    assert "You are signed in as gina" in text(client.get(path))
    assert not Membership.objects.filter(user=gina, tenant=acme).exists()
    assert client.post(path).status_code == 302
    assert Membership.objects.get(user=gina, tenant=acme).role == Role.VIEWER


def test_password_is_changed_by_who_knows_it_and_ends_other_sessions(acme: Tenant) -> None:
    user = make_member(acme)
    here, there = signed_in(acme, user), signed_in(acme, user)
    words = {"current": PASSWORD, "password": NEW, "again": NEW}
    key = here.cookies[settings.SESSION_COOKIE_NAME].value
    assert here.post("/password/", words)["Location"] == "/"
    assert here.get("/api/orders").status_code == 200
    assert here.cookies[settings.SESSION_COOKIE_NAME].value != key
    assert there.get("/api/orders").status_code == 401
    assert User.objects.get(pk=user.pk).check_password(NEW)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"current": "wrong"}, "This is not your present password."),
        ({"password": "short", "again": "short"}, "This password is too short."),
        ({"password": "maria@example.com", "again": "maria@example.com"}, "too similar to the email"),
    ],
)
def test_refused_change_leaves_the_password(acme: Tenant, words: dict[str, str], sentence: str) -> None:
    user = make_member(acme)
    answer = signed_in(acme, user).post("/password/", {"current": PASSWORD, "password": NEW, "again": NEW} | words)
    assert (answer.status_code, sentence in text(answer)) == (422, True)
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)


def test_guessing_the_present_password_is_locked(acme: Tenant) -> None:
    client = signed_in(acme, make_member(acme))
    words = {"current": "wrong", "password": NEW, "again": NEW}
    assert [client.post("/password/", words).status_code for _ in range(5)] == [422, 422, 422, 422, 429]


def reset_link() -> str:
    found = re.search(r"/password/reset/\w+/[\w-]+/", Mail.objects.get().text)
    assert found
    return found[0]


def test_lost_password_is_set_by_the_mailed_link_once(acme: Tenant) -> None:
    user = make_member(acme)
    old = signed_in(acme, user)
    client = on_host("acme")
    assert "a link is on its way" in text(client.post("/password/reset/", {"email": "maria@example.com"}))
    path = reset_link()
    assert client.post(path, {"password": "1", "again": "1"}).status_code == 422
    assert client.post(path, {"password": NEW, "again": NEW})["Location"] == "/login/"
    assert "Your password is set" in text(client.get("/login/"))
    assert old.get("/api/orders").status_code == 401
    assert client.post(path, {"password": PASSWORD, "again": PASSWORD}).status_code == 409
    assert User.objects.get(pk=user.pk).check_password(NEW)


def test_asking_tells_nobody_who_is_a_member(acme: Tenant, globex: Tenant) -> None:
    make_member(globex, "gina")
    pages = [
        text(on_host("acme").post("/password/reset/", {"email": email}))
        for email in ("gina@example.com", "no@example.com")
    ]
    assert pages[0].replace("gina@example.com", "no@example.com") == pages[1]
    assert not Mail.objects.exists()


def test_reset_link_ends_after_an_hour_and_works_at_its_tenant_only(acme: Tenant, globex: Tenant) -> None:
    make_member(acme)
    on_host("acme").post("/password/reset/", {"email": "maria@example.com"})
    path = reset_link()
    assert on_host("globex").get(path).status_code == 409
    for odd in (
        "/password/reset/x/y/",
        "/password/reset/MA/y/",
        "/password/reset/é/y/",
        "/password/reset/OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5/y/",
    ):
        assert on_host("acme").get(odd).status_code == 409
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        assert on_host("acme").get(path).status_code == 409
    assert on_host("acme").get(path).status_code == 200


def test_session_ends_when_nobody_used_it_for_two_hours(acme: Tenant, at: Clock) -> None:
    client = signed_in(acme, make_member(acme))
    for minutes in (0, 100, 200):
        with at(minutes):
            assert client.get("/api/orders").status_code == 200
    with at(322):
        assert client.get("/api/orders").status_code == 401
    assert not Session.objects.exists()


def test_what_a_page_asks_by_itself_keeps_no_session(acme: Tenant, at: Clock) -> None:
    client = signed_in(acme, make_member(acme))
    with at(0):
        client.get("/api/orders")
    with at(119):
        assert client.get("/api/orders", headers={"HX-Request": "true"}).status_code == 200
        assert client.get("/live").status_code in (200, 204)
    with at(122):
        assert client.get("/api/orders").status_code == 401


def test_session_ends_after_twelve_hours_however_much_it_is_used(acme: Tenant, at: Clock) -> None:
    client = signed_in(acme, make_member(acme))
    for minutes in range(0, 720, 60):
        with at(minutes):
            assert client.get("/api/orders").status_code == 200
    with at(722):
        assert client.get("/api/orders").status_code == 401


def test_use_is_written_at_most_once_a_minute(acme: Tenant, at: Clock) -> None:
    client = signed_in(acme, make_member(acme))
    with at(0):
        client.get("/api/orders")
        client.get("/api/orders")
    before = Session.objects.get().session_data
    with at(0.5):
        client.get("/api/orders")
    assert Session.objects.get().session_data == before
    with at(2):
        client.get("/api/orders")
    assert Session.objects.get().session_data != before


def test_cookies_belong_to_one_host_and_no_script(acme: Tenant) -> None:
    make_member(acme)
    answer = on_host("acme").post("/login/", {"username": "maria", "password": PASSWORD})
    cookie = answer.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["domain"], cookie["httponly"], cookie["samesite"], cookie["path"]) == ("", True, "Lax", "/")
    page = Client(headers={"Host": "acme.localhost"}).get("/login/")
    assert (page.cookies["csrftoken"]["domain"], page.cookies["csrftoken"]["httponly"]) == ("", True)
