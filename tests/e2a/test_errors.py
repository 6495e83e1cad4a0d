"""Errors as the outside sees them: problem+json with the same fields whatever went wrong (CONTRACT 3)."""

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import OperationalError
from django.http import Http404
from django.test import Client
from rest_framework import exceptions as drf
from rest_framework.exceptions import ErrorDetail

from e2a.errors import (
    Conflict,
    NotFound,
    ProblemError,
    TooMany,
    Unauthorized,
    Unavailable,
    Unprocessable,
    as_problem,
    flat_errors,
    of_status,
    problem_response,
)
from tenants.models import Tenant
from tests.tenants.cast import on_host


def test_problem_has_every_field() -> None:
    error = Unprocessable(errors={"source": ["Too long."]}, extra={"index": 3})
    answer = problem_response(error)
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert json.loads(answer.content) == {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "The content is not usable; see the fields.",
        "errors": {"source": ["Too long."]},
        "correlation_id": "",
        "index": 3,
    }


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (Unauthorized(), "WWW-Authenticate", "Bearer"),
        (TooMany(retry_after=900), "Retry-After", "900"),
        (TooMany(), "Retry-After", "1"),
        (Unavailable(), "Retry-After", "5"),
    ],
)
def test_problem_says_what_helps(error: ProblemError, header: str, value: str) -> None:
    assert problem_response(error)[header] == value


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Conflict(), 409),
        (Http404(), 404),
        (drf.NotFound(), 404),
        (PermissionDenied(), 403),
        (drf.ParseError(), 400),
        (drf.MethodNotAllowed("PUT"), 405),
        (drf.UnsupportedMediaType("text/xml"), 415),
        (drf.Throttled(wait=7.2), 429),
        (drf.ValidationError({"a": ["no"]}), 422),
        (OperationalError(), 503),
    ],
)
def test_each_error_has_its_status(error: Exception, status: int) -> None:
    problem = as_problem(error)
    assert problem is not None
    assert problem.status == status


def test_unknown_error_is_not_hidden() -> None:
    assert as_problem(RuntimeError()) is None


def test_an_error_knows_whether_a_retry_can_help() -> None:
    assert [kind.retryable for kind in (Conflict, NotFound, TooMany, Unavailable)] == [False, False, True, True]
    assert of_status(418).status == 418


@pytest.mark.parametrize(
    ("detail", "flat"),
    [
        ({"a": ["x", "y"]}, {"a": ["x", "y"]}),
        ({"a": {"b": ["x"]}}, {"a.b": ["x"]}),
        ([{"a": ["x"]}, {}, {"b": ["y"]}], {"0.a": ["x"], "2.b": ["y"]}),
        ({"list": [{}, {"a": ["x"]}]}, {"list.1.a": ["x"]}),
        ([ErrorDetail("x", "c")], {"detail": ["x"]}),
        (ErrorDetail("x", "c"), {"detail": ["x"]}),
    ],
)
def test_nested_details_become_dotted_fields(detail: Any, flat: dict[str, list[str]]) -> None:
    assert flat_errors(detail) == flat


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/orders", 401),
        ("GET", "/api/nothing-here", 404),
        ("PUT", "/api/token", 405),
        ("POST", "/api/token", 415),
        ("GET", "/events", 405),
        ("POST", "/events", 401),
    ],
)
@pytest.mark.parametrize("host", ["127.0.0.1", "acme.localhost"])
def test_programs_get_problems_on_every_host(acme: Tenant, host: str, method: str, path: str, status: int) -> None:
    answer = Client(headers={"Host": host}).generic(method, path, b"x", content_type="text/plain")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_pages_get_pages(acme: Tenant) -> None:
    answer = on_host("acme").get("/nothing-here/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("path", ["/login/", "/nothing-here/", "/api/docs"])
def test_policy_for_scripts_is_strict(acme: Tenant, path: str) -> None:
    policy = on_host("acme").get(path)["Content-Security-Policy"]
    assert "unsafe" not in policy
    for directive in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in policy


def test_admins_policy_is_looser_for_scripts_only(db: None) -> None:
    policy = Client(headers={"Host": "localhost"}).get("/admin/login/")["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in policy
    for directive in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in policy


def test_openapi_schema_is_made_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True)
    assert "openapi: 3.1.0" in capsys.readouterr().out
