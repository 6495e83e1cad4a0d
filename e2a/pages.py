"""How a page answers: whole or only the part that changes, after an act, and when something is in the way.

A list or detail page is one template with an `{% include %}` of the part that lives: `show` sends the whole page to a
browser and the part alone to htmx, so that the first render and each refresh share it. The part stands in the page as

    <div id="list" hx-get="{{ request.get_full_path }}" hx-trigger="live from:body" hx-swap="morph:innerHTML">

and app.js fires `live` when something may have changed. An act is a POST to an address of its own that ends in `done`;
a form that must be corrected is shown again by `show(…, status=422)`; what cannot be done raises a ProblemError.
"""

import json
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

from e2a.errors import DATABASE_DOWN, Forbidden, NotFound, ProblemError, problem_response

TITLES: Mapping[int, str] = {
    400: "That address cannot be used",
    403: "This is not open to you",
    404: "There is nothing here",
    409: "That is not possible now",
    422: "Something in that does not fit",
    429: "Too many attempts",
    500: "Something broke on our side",
    503: "The database cannot be reached",
}
CLASSES: Mapping[type[forms.Widget], str] = {
    forms.CheckboxInput: "checkbox checkbox-sm",
    forms.CheckboxSelectMultiple: "checkbox checkbox-sm",
    forms.RadioSelect: "radio radio-sm",
    forms.Select: "select select-sm",
    forms.Textarea: "textarea",
    forms.FileInput: "file-input file-input-sm",
    forms.widgets.Input: "input input-sm",
}


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx asks for the part alone."""
    asked: Any = getattr(request, "htmx", None)
    return bool(asked) and not asked.boosted and not asked.history_restore_request


def show(
    request: HttpRequest, page: str, part: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """The template `page`, or for htmx its `part` (a partial)."""
    response = render(request, part if wants_part(request) else page, dict(context or {}), status=status)
    patch_vary_headers(response, ["HX-Request"])
    response["Cache-Control"] = "no-store"
    return response


def done(request: HttpRequest, sentence: str, *, to: str, stay: bool = True) -> HttpResponse:
    """After an act. For htmx the sentence comes as a toast and the page's living parts refresh, or, without `stay`, the
    browser goes to `to`; otherwise the browser is sent to where it came from, else to `to`.
    """
    if wants_part(request) and stay:
        response = HttpResponse(status=204)
        response["HX-Trigger"] = json.dumps({"toast": {"text": sentence, "level": "success"}, "live": True})
        return response
    messages.success(request, sentence)
    if wants_part(request):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = to
        return response
    return HttpResponseRedirect((came_from(request) if stay else None) or to)


def came_from(request: HttpRequest) -> str | None:
    """The page of this host that the request came from."""
    referrer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referrer, {request.get_host()}):
        return None
    parts = urlsplit(referrer)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def dressed(form: forms.BaseForm) -> forms.BaseForm:
    """The form with our classes on its widgets."""
    for field in form.fields.values():
        kinds = (kind for kind in CLASSES if isinstance(field.widget, kind))
        kind = next(kinds, None)
        if kind is not None:
            field.widget.attrs.setdefault("class", CLASSES[kind])
    return form


def refused(request: HttpRequest, error: ProblemError) -> HttpResponse:
    """What cannot be done, as a page; for htmx as problem+json, which app.js shows as a toast."""
    if wants_part(request) or request.path.startswith("/api/"):
        return problem_response(error)
    response = error_page(error.status, error.detail, [text for texts in error.errors.values() for text in texts])
    if error.status in (429, 503):
        response["Retry-After"] = str(error.retry_after or 5)
    return response


def error_page(status: int, detail: str = "", texts: list[str] | None = None) -> HttpResponse:
    """Needs neither request nor database."""
    title = TITLES.get(status) or HTTPStatus(status).phrase
    context = {"status": status, "title": title, "detail": detail, "texts": texts or []}
    return HttpResponse(render_to_string("error.html", context), status=status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused(request, NotFound("The address may be mistyped, or what it named is gone."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused(request, Forbidden())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return refused(request, Forbidden("The form's security token is missing or stale; reload the page and try again."))


def server_error(request: HttpRequest) -> HttpResponse:
    if isinstance(sys.exc_info()[1], DATABASE_DOWN):
        response = error_page(503, "Nothing was changed. Try again in a few seconds.")
        response["Retry-After"] = "5"
        return response
    return error_page(500, "It has been noted. Try again; if it stays, tell whoever runs this installation.")
