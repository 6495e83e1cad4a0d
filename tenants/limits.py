"""Limits on guessing passwords, kept by axes: per name and address, five failures, then fifteen minutes of 429."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from e2a.errors import TooMany, problem_response

SENTENCE = "Too many failed attempts; try again in 15 minutes."


def client_address(request: HttpRequest) -> str | None:
    """The peer's; behind E2A_PROXY_COUNT proxies what the outermost of them saw. Whatever a client itself sends is ignored."""
    peer: str | None = request.META.get("REMOTE_ADDR") or None
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    count = settings.E2A_PROXY_COUNT
    return hops[-count] if count and len(hops) >= count and hops[-count] else peer


def lockout_response(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """What axes answers in place of a login: a page to people, a problem to programs."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    if request.path.startswith("/api/"):
        return problem_response(TooMany(SENTENCE, retry_after=seconds))
    login = settings.LOGIN_URL if request.tenant is not None else "/admin/"  # type: ignore[attr-defined]
    page = render(request, "429.html", {"sentence": SENTENCE, "login": login}, status=429)
    page["Retry-After"] = str(seconds)
    return page
