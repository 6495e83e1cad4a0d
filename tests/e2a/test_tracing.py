"""Traces and crash reports: what a span says, how many are kept, where they go, and that nothing is even loaded where nobody watches."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from e2a.observability import tracing
from e2a.observability.middleware import CorrelationMiddleware
from e2a.observability.tracing import TracingMiddleware, destination, provider_of
from tests.live import ROOT

ASK = """
import json, sys, django
django.setup()
from django.conf import settings
from e2a.observability.watchers import start_watchers
start_watchers()
both = settings.MIDDLEWARE + settings.DOOR_MIDDLEWARE
traced = sum(name.endswith("TracingMiddleware") for name in both)
print(json.dumps([traced, "opentelemetry.sdk" in sys.modules, "sentry_sdk" in sys.modules]))
"""


def respond(request: HttpRequest) -> HttpResponse:
    return HttpResponse("body", status=404)


def test_span_names_the_request_and_holds_nothing_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    provider = provider_of(exporter, 1.0)
    monkeypatch.setattr(tracing, "tracer", provider.get_tracer("test"))
    forced = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    request = RequestFactory().get(
        "/api/orders?token=secret", headers={"X-Correlation-Id": "abc-1", "traceparent": forced}
    )
    request.resolver_match = SimpleNamespace(route="api/orders")
    CorrelationMiddleware(TracingMiddleware(respond))(request)
    provider.shutdown()
    [span] = exporter.get_finished_spans()
    assert (span.name, span.parent) == ("GET api/orders", None)
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "api/orders",
        "http.response.status_code": 404,
        "e2a.correlation_id": "abc-1",
        "e2a.tenant": "",
    }


def test_one_in_a_hundred_is_kept() -> None:
    exporter = InMemorySpanExporter()
    provider = provider_of(exporter, 0.01)
    for _ in range(5_000):
        provider.get_tracer("test").start_span("x").end()
    provider.shutdown()
    assert 10 <= len(exporter.get_finished_spans()) <= 120


class Collector(BaseHTTPRequestHandler):
    got: list[tuple[str, str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, self.headers["api-key"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Collector)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_spans_reach_the_collector(collector: str) -> None:
    url, headers = destination(collector, "key")
    provider = provider_of(OTLPSpanExporter(url, headers=headers), 1.0)
    provider.get_tracer("test").start_span("x").end()
    provider.shutdown()
    assert Collector.got == [("/v1/traces", "key")]


def test_new_relic_needs_its_key_only() -> None:
    assert destination("", "key") == ("https://otlp.nr-data.net/v1/traces", {"api-key": "key"})


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ({}, [0, False, False]),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "SENTRY_DSN": "http://key@127.0.0.1:1/1"},
            [2, True, True],
        ),
    ],
)
def test_nothing_is_loaded_where_nobody_watches(named: dict[str, str], found: list[object]) -> None:
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "e2a.settings", **named}
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK], cwd=ROOT, env=environ, capture_output=True, check=True
    )
    assert json.loads(said.stdout.splitlines()[-1]) == found
