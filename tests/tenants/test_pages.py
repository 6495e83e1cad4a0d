"""Signing in and out, and the gate of the pages."""

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from e2a.errors import Conflict
from tenants.gate import member_page
from tenants.models import Role, Tenant, User
from tests.tenants.cast import PASSWORD, make_member, on_host, signed_in


def sign_in(client: Client, name: str = "maria", password: str = PASSWORD, **more: str) -> HttpResponse:
    return client.post("/login/", {"username": name, "password": password, **more})  # type: ignore[return-value]


def test_page_sends_nobody_to_the_login_and_back(acme: Tenant) -> None:
    make_member(acme)
    client = on_host("acme")
    answer = client.get("/?tab=all")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=%2F%3Ftab%3Dall")
    answer = sign_in(client, next="/?tab=all")
    assert (answer.status_code, answer["Location"]) == (302, "/?tab=all")


@pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "http:///x"])
def test_login_leads_to_no_other_host(acme: Tenant, next_page: str) -> None:
    make_member(acme)
    assert sign_in(on_host("acme"), next=next_page)["Location"] == "/"


def test_signing_in_gives_a_new_session_and_signing_out_ends_it(acme: Tenant) -> None:
    make_member(acme)
    client = on_host("acme")
    client.cookies[settings.SESSION_COOKIE_NAME] = "known-to-somebody-else-0000000000"
    sign_in(client)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert key != "known-to-somebody-else-0000000000"
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert not Session.objects.filter(session_key=key).exists()
    assert client.get("/").status_code == 302


def test_wrong_password_gets_a_sentence_and_then_a_lock(acme: Tenant) -> None:
    make_member(acme)
    client = on_host("acme")
    answer = sign_in(client, password="wrong")
    assert answer.status_code == 422
    assert b"do not fit together" in answer.content
    for _ in range(4):
        answer = sign_in(client, password="wrong")
    assert answer.status_code == 429
    assert sign_in(client).status_code == 429
    assert not Session.objects.exists()


def test_member_of_another_tenant_gets_403_and_learns_nothing(acme: Tenant, globex: Tenant) -> None:
    user = make_member(acme, role=Role.MANAGER)
    answer = signed_in(globex, user).get("/")
    assert answer.status_code == 403
    assert b"not a member of this team" in answer.content


def view_of(user: User, scope: str, act: object = None) -> HttpResponse:
    @member_page(scope)
    def view(request: HttpRequest) -> HttpResponse:
        if isinstance(act, Exception):
            raise act
        access = request.access  # type: ignore[attr-defined]
        return HttpResponse(f"{access.actor} {access.tenant} {timezone.get_current_timezone_name()}")

    request = RequestFactory().post("/")
    request.user = user  # type: ignore[attr-defined]
    request.membership = user.memberships.select_related("tenant", "user").get()  # type: ignore[attr-defined]
    return view(request)


def test_gate_hands_the_view_an_access_and_the_tenants_zone(in_acme: Tenant) -> None:
    type(in_acme).objects.filter(pk=in_acme.pk).update(timezone="Europe/Lisbon")
    user = make_member(in_acme, role=Role.VIEWER)
    assert view_of(user, "read").content == b"user:maria acme Europe/Lisbon"
    assert view_of(user, "operate").status_code == 403


def test_problem_of_a_view_becomes_a_page(in_acme: Tenant) -> None:
    user = make_member(in_acme)
    answer = view_of(user, "operate", Conflict("It is RESOLVED now."))
    assert answer.status_code == 409
    assert b"It is RESOLVED now." in answer.content


def test_unknown_address_is_a_page(acme: Tenant) -> None:
    answer = on_host("acme").get("/no-such-page")
    assert answer.status_code == 404
    assert b"There is nothing here" in answer.content


def test_form_without_its_token_is_refused(acme: Tenant) -> None:
    client = Client(headers={"Host": "acme.localhost"}, enforce_csrf_checks=True)
    make_member(acme)
    assert sign_in(client).status_code == 403
    assert not Session.objects.exists()
