"""Outermost middleware: correlation id, one log line per request, problem answers for what nobody caught."""

import logging
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from e2a.errors import ProblemError, as_problem, of_status, problem_response
from e2a.observability.correlation import accept_or_make, correlation_id
from e2a.observability.metrics import REQUEST_SECONDS
from e2a.postgresql.patience import patience

logger = structlog.get_logger("e2a.request")
Handler = Callable[[HttpRequest], HttpResponse]
DOOR = ("/events", "/webhooks/", "/healthz", "/readyz")
DOOR_SECONDS, PAGE_SECONDS = 3.5, 20.0  # of waiting for PostgreSQL; a provider's own limit is five
QUIET = ("/healthz", "/readyz", "/metrics", "/static/")


class CorrelationMiddleware:
    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        identity = accept_or_make(request.headers.get("X-Correlation-Id"))
        token = correlation_id.set(identity)
        try:
            with patience(DOOR_SECONDS if request.path.startswith(DOOR) else PAGE_SECONDS):
                response = self.get_response(request)
            response["X-Correlation-Id"] = identity
            self.report(request, response, time.perf_counter() - began)
            return response
        finally:
            correlation_id.reset(token)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Our errors and a lost database become problems here; anything else is a 500 with its traceback in the log."""
        json = wants_json(request)
        problem = as_problem(error) if json or isinstance(error, ProblemError) else None
        if problem is None:
            logging.getLogger("e2a.error").exception("unhandled error")
            problem = of_status(500, "Something broke on our side. It has been noted.") if json else None
        return problem_response(problem) if problem else None

    def report(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        route = request.resolver_match.route if request.resolver_match else "none"
        REQUEST_SECONDS.labels(request.method or "", route, response.status_code).observe(seconds)
        if request.path.startswith(QUIET) or (settings.LOG_LEVEL == "WARNING" and response.status_code < 500):
            return
        tenant = getattr(request, "tenant", None)
        logger.info(
            "request",
            method=request.method,
            route=route,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            tenant=tenant.slug if tenant else getattr(request, "tenant_slug", ""),
        )


def wants_json(request: HttpRequest) -> bool:
    return request.path.startswith(("/api/", "/events", "/webhooks/", "/healthz", "/readyz"))
