"""Errors as the outside sees them: `application/problem+json` (CONTRACT 3).

ProblemError                 one of our own, with its status and its fields
├── BadRequest 400           syntax
├── Unauthorized 401         who is asking is not known
├── Forbidden 403            known, but not allowed
├── NotFound 404
├── Conflict 409             an impossible change; nothing was changed
├── TooLarge 413
├── UnsupportedMedia 415
├── Unprocessable 422        well-formed, but wrong in content
├── TooMany 429              with Retry-After
└── Unavailable 503          PostgreSQL is down; with Retry-After; a retry can help
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
from django.core.exceptions import PermissionDenied
from django.db.utils import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions as drf

from e2a.observability.correlation import correlation_id

logger = logging.getLogger(__name__)
Fields = Mapping[str, list[str]]
DATABASE_DOWN = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)  # a full pool, too


class ProblemError(Exception):
    """The request cannot be served."""

    status = 400
    retryable = False

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Fields | None = None,
        retry_after: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.detail = detail or (type(self).__doc__ or "")
        self.errors = dict(errors or {})
        self.retry_after = retry_after
        self.extra = dict(extra or {})
        super().__init__(self.detail)


class BadRequest(ProblemError):
    """The request is not well-formed."""


class Unauthorized(ProblemError):
    """The credentials are missing or not valid."""

    status = 401


class Forbidden(ProblemError):
    """These credentials do not allow this."""

    status = 403


class NotFound(ProblemError):
    """There is nothing here."""

    status = 404


class MethodNotAllowed(ProblemError):
    """This address does not take this method."""

    status = 405


class Conflict(ProblemError):
    """The change is not possible in the present state; nothing was changed."""

    status = 409


class TooLarge(ProblemError):
    """The body is larger than this address takes."""

    status = 413


class UnsupportedMedia(ProblemError):
    """This address takes application/json in UTF-8 without content encoding."""

    status = 415


class Unprocessable(ProblemError):
    """The content is not usable; see the fields."""

    status = 422


class TooMany(ProblemError):
    """Too many requests; send again later."""

    status = 429
    retryable = True


class Unavailable(ProblemError):
    """The database cannot be reached at the moment; send again later. Nothing was stored."""

    status = 503
    retryable = True


def problem_response(error: ProblemError) -> HttpResponse:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.detail,
        "errors": error.errors,
        "correlation_id": correlation_id.get(),
        **error.extra,
    }
    response = HttpResponse(msgspec.json.encode(body), status=error.status, content_type="application/problem+json")
    if error.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if error.status in (429, 503):
        response["Retry-After"] = str(error.retry_after or (5 if error.status == 503 else 1))
    return response


def problem_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's exception handler: each of its errors, and ours, as a problem. None lets an unknown one become a 500."""
    ours = as_problem(error)
    return problem_response(ours) if ours else None


def as_problem(error: Exception) -> ProblemError | None:
    match error:
        case ProblemError():
            return error
        case Http404() | drf.NotFound():
            return NotFound()
        case drf.ValidationError():
            return Unprocessable(errors=flat_errors(error.detail))
        case drf.Throttled():
            return TooMany(retry_after=max(1, int(getattr(error, "wait", None) or 1)))
        case drf.APIException():
            return of_status(error.status_code, str(error.detail))
        case PermissionDenied():
            return Forbidden()
        case _ if isinstance(error, DATABASE_DOWN):
            return Unavailable()
    return None


def of_status(status: int, detail: str = "") -> ProblemError:
    for kind in ProblemError.__subclasses__():
        if kind.status == status:
            return kind(detail)
    problem = ProblemError(detail or HTTPStatus(status).phrase)
    problem.status = status
    return problem


def flat_errors(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """DRF's nested error details as `{dotted.field: [sentence, …]}`."""
    if isinstance(detail, Mapping):
        flat: dict[str, list[str]] = {}
        for key, value in detail.items():
            flat.update(flat_errors(value, f"{prefix}.{key}" if prefix else str(key)))
        return flat
    if isinstance(detail, list) and any(isinstance(item, Mapping | list) for item in detail):
        return {
            key: text
            for n, item in enumerate(detail)
            for key, text in flat_errors(item, f"{prefix}.{n}" if prefix else str(n)).items()
        }
    texts = detail if isinstance(detail, list) else [detail]
    return {prefix or "detail": [str(text) for text in texts]}
