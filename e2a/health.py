"""`/healthz`, `/readyz` and `/metrics`."""

import hmac
import os
from collections.abc import Mapping
from ipaddress import ip_address

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.utils.module_loading import import_string
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from e2a.env import redis_database
from e2a.errors import DATABASE_DOWN
from e2a.heartbeat import ages
from e2a.observability.gauges import registry_of

FRESH_SECONDS = 60


def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """503 only when PostgreSQL cannot be reached; without redis, worker, beat or radar it is `degraded`, still 200."""
    parts = health_parts()
    if parts["postgres"] != "ok":
        return JsonResponse({"status": "down", "parts": parts}, status=503, headers={"Retry-After": "5"})
    return JsonResponse({"status": overall(parts), "parts": parts})


def overall(parts: Mapping[str, str]) -> str:
    return "ok" if set(parts.values()) == {"ok"} else "degraded"


def health_parts() -> dict[str, str]:
    """The state of each part: `ok`, `down`, or how long ago it was last heard of."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            beats = ages(cursor)
    except DATABASE_DOWN:
        return {"postgres": "down"}
    parts = {"postgres": "ok", "redis": redis_state()}
    for name in ("worker", "beat", "radar"):
        age = beats.get(name)
        parts[name] = "never heard of" if age is None else "ok" if age < FRESH_SECONDS else f"silent for {age:.0f} s"
    return parts


def redis_state() -> str:
    client = redis.Redis.from_url(redis_database(settings.REDIS_URL, 0), socket_timeout=0.5, socket_connect_timeout=0.5)
    try:
        client.ping()
    except (redis.RedisError, OSError):
        return "down"
    finally:
        client.close()
    return "ok"


def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus on this machine, or with the platform's token; a tenant's host has no such page."""
    if request.tenant is not None or not may_read_metrics(request):  # type: ignore[attr-defined]
        return HttpResponseNotFound("Not found.", content_type="text/plain")
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    gauges = registry_of(import_string(name)() for name in settings.METRIC_COLLECTORS)
    return HttpResponse(generate_latest(registry) + generate_latest(gauges), content_type=CONTENT_TYPE_LATEST)


def may_read_metrics(request: HttpRequest) -> bool:
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.E2A_PLATFORM_TOKEN and hmac.compare_digest(sent.encode(), settings.E2A_PLATFORM_TOKEN.encode()):
        return True
    if "X-Forwarded-For" in request.headers:
        return False  # a proxy's loopback is not ours
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
