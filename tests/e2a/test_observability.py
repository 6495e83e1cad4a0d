"""The correlation id, and one line of log for each request, without anything secret in it."""

import json
import logging
import re
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from e2a.errors import Conflict
from e2a.observability.correlation import correlation_id
from e2a.observability.logs import configure
from e2a.observability.middleware import CorrelationMiddleware
from tenants.models import Tenant
from tenants.services import create_api_key
from tests.tenants.cast import make_member, on_host


def break_down(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("the view broke down")


def refuse(request: HttpRequest) -> HttpResponse:
    raise Conflict


urlpatterns = [path("api/broken", break_down), path("broken", break_down), path("api/refused", refuse)]


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("sent", ["a", "A-b_c.1", "x" * 64])
def test_senders_id_is_returned(db: None, sent: str) -> None:
    answer = Client(headers={"Host": "127.0.0.1", "X-Correlation-Id": sent}).get("/healthz")
    assert answer["X-Correlation-Id"] == sent


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "a\tb", "é", "a;b"])
def test_strange_id_is_replaced(db: None, sent: str) -> None:
    answer = Client(headers={"Host": "127.0.0.1", "X-Correlation-Id": sent}).get("/healthz")
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Correlation-Id"])


def test_each_request_has_its_own_id_and_leaves_none_behind(db: None) -> None:
    client = Client(headers={"Host": "127.0.0.1"})
    assert client.get("/healthz")["X-Correlation-Id"] != client.get("/healthz")["X-Correlation-Id"]
    assert correlation_id.get() == ""


def test_problem_carries_the_id(db: None) -> None:
    answer = Client(headers={"Host": "127.0.0.1", "X-Correlation-Id": "mine"}).get("/api/orders")
    assert (answer["X-Correlation-Id"], answer.json()["correlation_id"]) == ("mine", "mine")


def test_one_line_a_request_says_what_and_whose_but_not_who_with(
    acme: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    key = create_api_key(tenant=acme, scopes=["read"]).key
    headers = {"Authorization": f"Bearer {key}", "X-Tenant-Id": "acme", "X-Correlation-Id": "mine"}
    on_host("acme", **headers).get("/api/orders/1001?merchant=private-shop")
    (line,) = lines(capsys)
    assert {name: line[name] for name in ("event", "method", "status", "tenant", "correlation_id", "level")} == {
        "event": "request",
        "method": "GET",
        "status": 404,
        "tenant": "acme",
        "correlation_id": "mine",
        "level": "info",
    }
    assert not {key, "private-shop", "1001"} & set(re.findall(r"[\w-]+", json.dumps(line)))


def test_nothing_secret_is_logged(
    acme: Tenant, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    make_member(acme)
    key = create_api_key(tenant=acme, scopes=["ingest"]).key
    on_host("acme").post("/login/", {"username": "maria", "password": "my-wrong-word"})
    on_host("acme").post(
        "/api/token", {"username": "maria", "password": "my-wrong-word"}, content_type="application/json"
    )
    on_host("acme").get("/invitation/a-token-of-mine/")
    on_host("acme").post("/password/reset/", {"email": "maria@example.com"})
    on_host("acme").get("/password/reset/MQ/a-token-of-mine/")
    client = Client(headers={"Authorization": f"Bearer {key}", "X-Tenant-Id": "acme", "Host": "127.0.0.1"})
    client.post("/events", '{"payload": {"card": "4111111111111111"', content_type="application/json")
    client.post(
        "/webhooks/acme/shop", "sesame", content_type="application/json", headers={"X-Shopify-Hmac-Sha256": "sig-0"}
    )
    said = capsys.readouterr().out + caplog.text
    assert said.count('"event": "request"') == 7
    for secret in (
        "my-wrong-word",
        "a-token-of-mine",
        key[16:],
        "4111111111111111",
        "sesame",
        "sig-0",
        "maria@example.com",
    ):
        assert secret not in said


@override_settings(ROOT_URLCONF=__name__)
def test_broken_view_is_a_500_with_its_traceback_in_the_log_only(
    acme: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    client = on_host("acme")
    client.raise_request_exception = False
    answer = client.get("/api/broken")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert "broke down" not in answer.content.decode()
    assert "RuntimeError: the view broke down" in caplog.text
    page = client.get("/broken")
    assert (page.status_code, "broke down" in page.content.decode()) == (500, False)
    assert page["X-Correlation-Id"]


@override_settings(ROOT_URLCONF=__name__)
def test_our_errors_are_problems_wherever_they_are_raised(acme: Tenant) -> None:
    assert on_host("acme").get("/api/refused").json()["detail"] == Conflict.__doc__


def test_log_of_a_library_has_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    formatter = configure(level="INFO", service="e2a", console=False)["formatters"]["line"]
    made = formatter.pop("()")(**formatter)
    token = correlation_id.set("mine")
    try:
        record = logging.LogRecord("kombu", logging.WARNING, "x.py", 1, "lost %s", ("redis",), None)
        line = json.loads(made.format(record))
    finally:
        correlation_id.reset(token)
    assert (line["event"], line["level"], line["logger"], line["correlation_id"]) == (
        "lost redis",
        "warning",
        "kombu",
        "mine",
    )


def test_middleware_takes_the_id_back_when_the_view_raises() -> None:
    def fail(request: HttpRequest) -> HttpResponse:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        CorrelationMiddleware(fail)(RequestFactory().get("/"))
    assert correlation_id.get() == ""
