"""`POST /api/token` (CONTRACT 2): what a token opens, what closes it, and what guessing gets."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from tenants.models import Membership, Role, Tenant, User
from tenants.tokens import issue_tokens
from tests.tenants.cast import PASSWORD, make_member, on_host

REFUSAL = "No active member of this tenant has this name and password."


def ask(client: Client | None = None, **words: str) -> HttpResponse:
    body = {"tenant": "acme", "username": "maria", "password": PASSWORD} | words
    client = client or on_host("127.0.0.1", Host="127.0.0.1")
    return client.post("/api/token", body, content_type="application/json")


def caller(token: str, slug: str = "acme", host: str = "127.0.0.1") -> Client:
    return Client(headers={"Authorization": f"Bearer {token}", "X-Tenant-Id": slug, "Host": host})


def refresh(token: str, host: str = "127.0.0.1") -> HttpResponse:
    return Client(headers={"Host": host}).post(
        "/api/token/refresh", {"refresh": token}, content_type="application/json"
    )


def status(token: str, slug: str = "acme", host: str = "127.0.0.1") -> int:
    return caller(token, slug, host).get("/api/orders").status_code


@pytest.fixture
def maria(acme: Tenant) -> User:
    return make_member(acme)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "acme.localhost"])
def test_password_gives_a_token_that_opens_the_tenant_for_five_minutes(maria: User, host: str) -> None:
    given = ask(Client(headers={"Host": host}))
    assert given.status_code == 200
    assert not given.cookies
    access = given.json()["access"]
    assert status(access, host=host) == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=301)):
        assert status(access) == 401
        again = refresh(given.json()["refresh"], host).json()["access"]
        assert status(again) == 200


def test_tenants_own_host_needs_no_name_of_the_tenant(maria: User) -> None:
    body = {"username": "maria", "password": PASSWORD}
    given = on_host("acme").post("/api/token", body, content_type="application/json")
    assert given.status_code == 200
    client = Client(headers={"Authorization": f"Bearer {given.json()['access']}", "Host": "acme.localhost"})
    assert client.get("/api/orders").status_code == 200


@pytest.mark.parametrize(
    "words",
    [
        {"password": "wrong"},
        {"username": "nobody"},
        {"tenant": "globex"},
        {"tenant": "unheard-of"},
        {"tenant": ""},
        {"tenant": 'public";--'},
    ],
)
def test_every_wrong_word_gets_the_same_answer(maria: User, globex: Tenant, words: dict[str, str]) -> None:
    given = ask(**words)
    if words == {"tenant": ""}:
        assert given.status_code == 422
        return
    assert (given.status_code, given.json()["detail"]) == (401, REFUSAL)


@pytest.mark.parametrize(
    "body", ["", "5", "[]", "{", '{"username": "a\\u0000b", "password": "x"}', '{"password": 1e999}']
)
def test_malformed_request_is_refused(acme: Tenant, body: str) -> None:
    given = on_host("acme").post("/api/token", body, content_type="application/json")
    assert given.status_code in (400, 422)


def test_form_and_get_are_refused(maria: User) -> None:
    words = {"tenant": "acme", "username": "maria", "password": PASSWORD}
    assert on_host("acme").post("/api/token", words).status_code == 415
    assert on_host("acme").get("/api/token").status_code == 405


@pytest.mark.parametrize(
    ("role", "statuses"),
    [(Role.VIEWER, (200, 403, 403)), (Role.OPERATOR, (200, 404, 403)), (Role.MANAGER, (200, 404, 403))],
)
def test_scopes_follow_the_role(acme: Tenant, role: str, statuses: tuple[int, int, int]) -> None:
    make_member(acme, "anna", role)
    client = caller(ask(username="anna").json()["access"])
    event = {
        "source": "wms",
        "event_type": "order_created",
        "event_id": "1",
        "order_id": "1",
        "occurred_at": "2026-11-23T10:00:00Z",
    }
    answers = (
        client.get("/api/orders"),
        client.post("/api/exceptions/1/acknowledge", {}, content_type="application/json"),
        client.post("/events", event, content_type="application/json"),
    )
    assert tuple(answer.status_code for answer in answers) == statuses


def test_token_of_one_tenant_opens_nothing_at_another(maria: User, globex: Tenant) -> None:
    access = ask().json()["access"]
    assert status(access, "globex") == 403
    assert status(access, "acme", "globex.localhost") == 403
    assert status(access, "globex", "globex.localhost") == 403
    assert status(access, "unheard-of") == 401
    assert (
        Client(headers={"Authorization": f"Bearer {access}", "Host": "127.0.0.1"}).get("/api/orders").status_code == 401
    )


def test_member_of_both_needs_a_token_for_each(maria: User, globex: Tenant) -> None:
    make_member(globex, "maria", Role.VIEWER)
    access = ask(tenant="globex").json()["access"]
    assert (status(access, "globex"), status(access, "acme")) == (200, 403)


def test_tenants_host_gives_no_token_of_another(maria: User, globex: Tenant) -> None:
    assert ask(on_host("globex")).status_code == 403
    tokens = ask().json()
    assert refresh(tokens["refresh"], "globex.localhost").status_code == 403


def test_tokens_of_one_kind_do_not_serve_as_the_other(maria: User) -> None:
    tokens = ask().json()
    assert status(tokens["refresh"]) == 401
    assert refresh(tokens["access"]).status_code == 401


@pytest.mark.parametrize(
    "take_away",
    [
        lambda user: Membership.objects.filter(user=user).delete(),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: Tenant.objects.filter(slug="acme").update(active=False),
        lambda user: (
            User.objects.get(pk=user.pk).set_password("another one 42")
            or User.objects.filter(pk=user.pk).update(password="x")
        ),
    ],
    ids=["membership", "account", "tenant", "password"],
)
def test_what_is_taken_away_is_gone_at_the_next_request(maria: User, take_away: Any) -> None:
    tokens = ask().json()
    assert status(tokens["access"]) == 200
    take_away(maria)
    assert status(tokens["access"]) == 401
    assert refresh(tokens["refresh"]).status_code == 401


def test_lowered_role_counts_at_the_next_request(acme: Tenant, maria: User) -> None:
    client = caller(ask().json()["access"])
    path = "/api/exceptions/1/acknowledge"
    assert client.post(path, {}, content_type="application/json").status_code == 404
    Membership.objects.filter(user=maria).update(role=Role.VIEWER)
    assert client.post(path, {}, content_type="application/json").status_code == 403


def test_forged_tokens_are_refused(acme: Tenant, maria: User) -> None:
    good = issue_tokens(Membership.objects.select_related("user", "tenant").get(user=maria)).access
    claims = jwt.decode(good, options={"verify_signature": False})
    others = [
        jwt.encode(claims, "another-secret-0123456789-0123456789", algorithm="HS256"),
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode({k: v for k, v in claims.items() if k != "exp"}, settings.JWT_SECRET, algorithm="HS256"),
        good[:-2] + ("AA" if good[-2:] != "AA" else "BB"),
        good + "." + good,
        "a.b.c",
        "x" * 5000,
        "ü.ü.ü",
    ]
    assert [caller(token.encode().decode("latin-1")).get("/api/orders").status_code for token in others] == [401] * len(
        others
    )
    assert status(good) == 200


@pytest.mark.parametrize("claim", ["tenant", "user", "stamp"])
def test_signed_token_without_one_of_our_claims_is_refused(maria: User, claim: str) -> None:
    claims = jwt.decode(ask().json()["access"], options={"verify_signature": False})
    del claims[claim]
    assert status(jwt.encode(claims, settings.JWT_SECRET, algorithm="HS256")) == 401


def test_guessing_ends_in_429_for_that_name_and_address_only(maria: User, acme: Tenant) -> None:
    make_member(acme, "anna")
    guesses = [ask(password="wrong").status_code for _ in range(5)]
    assert guesses == [401, 401, 401, 401, 429]
    locked = ask()
    assert (locked.status_code, locked["Retry-After"]) == (429, "900")
    assert locked["Content-Type"] == "application/problem+json"
    assert ask(username="anna").status_code == 200
    spoofed = ask(Client(headers={"Host": "127.0.0.1", "X-Forwarded-For": "10.1.2.3"}))
    assert spoofed.status_code == 429
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)):
        assert ask().status_code == 200


def test_right_password_at_a_wrong_tenant_counts_as_a_guess(maria: User, globex: Tenant) -> None:
    assert [ask(tenant="globex").status_code for _ in range(5)] == [401, 401, 401, 401, 429]


def test_success_forgets_the_failures_before_it(maria: User) -> None:
    for _ in range(2):
        assert [ask(password="wrong").status_code for _ in range(4)] == [401] * 4
        assert ask().status_code == 200
