"""Traces (OpenTelemetry), loaded only where the environment names who takes them. A span carries names, ids and times, never a body."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

from e2a.observability.correlation import correlation_id

NEW_RELIC = "https://otlp.nr-data.net"
tracer = trace.get_tracer("e2a")


def start() -> None:
    """Requests, tasks and calls to the outside are traced from here on, in this process."""
    url, headers = destination(settings.OTEL_EXPORTER_OTLP_ENDPOINT, settings.NEW_RELIC_LICENSE_KEY)
    exporter = OTLPSpanExporter(url, headers=headers, timeout=5)
    trace.set_tracer_provider(provider_of(exporter, settings.TRACE_RATIO))
    CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call]
    HTTPXClientInstrumentor().instrument()


def destination(endpoint: str, license_key: str) -> tuple[str, dict[str, str]]:
    """Address and headers: the endpoint's; New Relic's own where only its key is given."""
    return f"{(endpoint or NEW_RELIC).rstrip('/')}/v1/traces", {"api-key": license_key} if license_key else {}


def provider_of(exporter: SpanExporter, ratio: float) -> TracerProvider:
    """Keeps this share of the traces, each whole."""
    named = Resource.create({"service.name": settings.SERVICE_NAME, "deployment.environment.name": settings.APP_ENV})
    provider = TracerProvider(resource=named, sampler=ParentBasedTraceIdRatio(ratio))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


class TracingMiddleware:
    """A span a request. It begins its own trace: whether it is kept is not for the sender to say."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with tracer.start_as_current_span("request", context=Context(), kind=trace.SpanKind.SERVER) as span:
            response = self.get_response(request)
            if span.is_recording():
                describe(span, request, response)
            return response


def describe(span: trace.Span, request: HttpRequest, response: HttpResponse) -> None:
    """What the request was, now that it is known."""
    route = request.resolver_match.route if request.resolver_match else "none"
    tenant = getattr(request, "tenant", None)
    span.update_name(f"{request.method} {route}")
    span.set_attributes(
        {
            "http.request.method": request.method or "",
            "http.route": route,
            "http.response.status_code": response.status_code,
            "e2a.correlation_id": correlation_id.get(),
            "e2a.tenant": tenant.slug if tenant else "",
        }
    )
