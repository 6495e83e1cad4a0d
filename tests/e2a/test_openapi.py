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
from jsonschema import Draft202012Validator
from rest_framework.serializers import ChoiceField, MultipleChoiceField, Serializer
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
ROOMS = ("tenants", "orders", "exceptions", "analytics")
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


def serializers_in_use() -> Iterator[type[Serializer[Any]]]:
    waiting = [Serializer]
    while waiting:
        found = waiting.pop()
        waiting += found.__subclasses__()
        if found.__module__.split(".")[0] in ROOMS:
            yield found


def choices_of(schema: dict[str, Any], document: dict[str, Any]) -> set[Any]:
    """What an enumerated field may be, through references and unions."""
    if "$ref" in schema:
        return choices_of(document["components"]["schemas"][schema["$ref"].split("/")[-1]], document)
    parts = [*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())]
    return set(schema.get("enum", ())).union(*(choices_of(part, document) for part in parts))


def test_every_choice_is_told_as_it_is(document: dict[str, Any]) -> None:
    """Two enumerations that were given one name would show up here."""
    told = document["components"]["schemas"]
    seen = 0
    for kind in serializers_in_use():
        schema = told.get(kind.__name__.removesuffix("Serializer"), {}).get("properties", {})
        for name, field in kind().get_fields().items():
            if name in schema and isinstance(field, ChoiceField) and not isinstance(field, MultipleChoiceField):
                assert choices_of(schema[name], document) - {"", None} == set(field.choices) - {""}, (kind, name)
                seen += 1
    assert seen > 20


def examples_of(node: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(where, schema, example) of every example in the document: of a schema, a parameter or a body."""
    if isinstance(node, dict):
        schema = node.get("schema", {key: value for key, value in node.items() if key != "example"})
        named = node["examples"] if "schema" in node and "examples" in node else {}
        given = {"": {"value": node["example"]}} if "example" in node else named
        yield from ((f"{where} {name}", schema, each["value"]) for name, each in given.items())
        node = {key: value for key, value in node.items() if key not in ("example", "examples")}
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from examples_of(value, f"{where}/{key}")


def test_every_example_is_of_its_schema(document: dict[str, Any]) -> None:
    found = list(examples_of(document))
    assert len(found) > 20
    wrong = {
        where: error.message
        for where, schema, example in found
        if "ndjson" not in where  # a text of lines
        for error in Draft202012Validator({**schema, "components": document["components"]}).iter_errors(example)
    }
    assert wrong == {}


def test_every_operation_shows_what_it_takes_and_gives(document: dict[str, Any]) -> None:
    with_example = {where.split(" ")[0] for where, *_ in examples_of(document)}

    def is_shown(where: str, content: dict[str, Any]) -> bool:
        component = content["schema"].get("$ref", "").removeprefix("#")
        return where in with_example or component in with_example

    missing = [
        f"{path} {method} {part} {kind}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for part, body in [
            ("requestBody", operation.get("requestBody", {})),
            *((f"responses/{status}", answer) for status, answer in operation["responses"].items() if status < "400"),
        ]
        for kind, content in body.get("content", {}).items()
        if kind == "application/json"
        if not is_shown(f"/paths/{path}/{method}/{part}/content/{kind}", content)
    ]
    assert missing == ["/webhooks/{tenant}/{source} post requestBody application/json"]  # as the provider has it


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
