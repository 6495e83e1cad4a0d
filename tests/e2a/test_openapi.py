"""The OpenAPI document: valid, complete, true to the code (schemathesis asks it all), and shown under the strict CSP."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
import schemathesis
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from orders.events import EventBody
from tenants.models import Tenant
from tests.exceptions.cast import make_exception
from tests.exceptions.incidents.cast import fold, storm
from tests.orders.letters.cast import in_schema, refused_event, tell
from tests.programs import program

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = {GenerationMode.POSITIVE: 8, GenerationMode.NEGATIVE: 5}  # each, for every operation
UNDOCUMENTED = ("healthz", "readyz", "metrics", "api/schema", "api/docs", "live")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_it_is_openapi_3_1_and_its_generation_warns_of_nothing(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert set(document["components"]["securitySchemes"]) == {"Bearer", "Tenant", "Session"}


def addresses(patterns: Any, before: str = "") -> list[str]:
    found = []
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            found.append(route)
    return found


def plain(route: str) -> str:
    """Without converters, anchors and slashes at the end, so that a route and a path of the document compare."""
    route = re.sub(r"\(\?P<(\w+)>(?:\(\?s:\.\)|\[\^/\]|[^()])+\)", r"{\1}", route)
    route = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
    return route.replace("^", "").replace("/?$", "").replace("$", "").strip("/")


def test_every_address_for_programs_is_in_it(document: dict[str, Any]) -> None:
    served = {plain(route) for route in addresses(get_resolver("e2a.programs_urls").url_patterns)}
    assert served - {path.strip("/") for path in document["paths"]} - set(UNDOCUMENTED) == set()


def test_an_event_is_described_as_it_is_decoded(document: dict[str, Any]) -> None:
    event = document["components"]["schemas"]["Event"]
    assert set(event["properties"]) == set(EventBody.__struct_fields__)
    optional = {"merchant", "correlation_id"}
    assert set(event["required"]) == set(EventBody.__struct_fields__) - optional


def test_every_operation_names_its_refusals_as_problems(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if status >= "400":
                    assert list(answer["content"]) == ["application/problem+json"], (path, status)
            assert {"$ref": "#/components/parameters/Correlation"} in operation["parameters"]
            assert {"429", "503"} <= operation["responses"].keys()


def test_examples_of_the_door_are_what_it_takes_and_gives(acme: Tenant, document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    client = program("acme", "ingest")

    def send(path: str, body: Any) -> Any:
        return client.post(path, json.dumps(body), content_type="application/json").json()

    example = schemas["Event"]["example"]
    assert send("/events", example) == schemas["EventProcessed"]["example"]
    assert send("/events", example) == schemas["EventDuplicate"]["example"]
    bad = {**example, "event_id": "evt-2", "order_id": ""}
    told = send("/events/batch", {"events": [{**example, "event_id": "evt-3"}, bad]})
    assert told == schemas["EventBatchResult"]["example"]


@contextmanager
def one_connection() -> Iterator[None]:
    """As in Django's test client, which connects these again after each request: the test's connection stays open."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    try:
        yield
    finally:
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_the_code_answers_as_the_document_says(acme: Tenant, mode: GenerationMode) -> None:
    """Right and wrong requests to each operation, made from the document, with a fixed seed."""
    with in_schema():
        make_exception("1001")
        storm(5)
        fold()
        tell()
        refused_event(occurred_at="soon")
    client = program("acme", "ingest", "read", "operate", "admin")
    headers = {name.removeprefix("HTTP_").replace("_", "-"): value for name, value in client.defaults.items()}
    with one_connection():
        schema = schemathesis.openapi.from_wsgi("/api/schema", get_wsgi_application(), headers={"Host": "127.0.0.1"})
        for found in schema.get_all_operations():
            ask(found.ok().as_strategy(generation_mode=mode), headers, examples=EXAMPLES[mode])


def ask(strategy: Any, headers: dict[str, str], *, examples: int) -> None:
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture]

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=quiet,
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=strategy)
    def once(case: Any) -> None:
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)

    run: Callable[[], None] = once
    run()


@pytest.mark.parametrize("host", ["127.0.0.1", "acme.localhost"])
def test_the_page_holds_no_inline_code_and_only_our_own_files(acme: Tenant, host: str) -> None:
    answer = Client(headers={"Host": host}).get("/api/docs")
    page = answer.content.decode()
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style| on\w+=|style=|https?://", page) == []
    for file in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
        assert finders.find(file.removeprefix("/static/"))
