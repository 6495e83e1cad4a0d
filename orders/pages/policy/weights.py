"""Severity and priority of the draft: the weights, and orders that count more than others."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from e2a.errors import Conflict
from e2a.pages import done, show
from orders.pages.policy.drafting import needed_draft, save, wrong_fields
from orders.pages.policy.example import example_context
from orders.pages.policy.raise_form import RaiseForm, raises_of, with_raises
from orders.pages.policy.weights_fields import WeightsForm
from tenants.gate import member_page
from tenants.models import Scope
from tenants.navigation import address_of
from tenants.selectors import Draft
from tenants.services.drafts import StaleDraft
from tenants.weights_form import MOST_RAISES


class NoSuchRaise(StaleDraft):
    """There are no such orders that count more any more: the draft was changed meanwhile."""


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def weights(request: HttpRequest) -> HttpResponse:
    found = needed_draft(request)
    form = WeightsForm(request.POST if request.method == "POST" else None, rules=found.rules)
    if request.method == "POST" and form.is_valid() and saved(request, form, form.policy()):
        return done(request, "Severity and priority are saved in the draft.", to=reverse("policy-draft"), stay=False)
    page, part = "policy/weights.html", "policy/_weights_form.html"
    context = context_of(request, form, found, part="weights", wrong=wrong_fields(*form.parts))
    return show(request, page, part, context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def new_raise(request: HttpRequest) -> HttpResponse:
    found = needed_draft(request)
    raises = raises_of(found.rules)
    if len(raises) >= MOST_RAISES:
        raise Conflict(f"A policy takes at most {MOST_RAISES} of them.")
    form = RaiseForm(request.POST if request.method == "POST" else None)
    valid = request.method == "POST" and form.is_valid()
    if valid and saved(request, form, with_raises(found.rules, [*raises, form.raised()])):
        return done(request, "They count more in the draft.", to=reverse("policy-draft"), stay=False)
    return show_raise(request, form, found, len(raises))


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def edit_raise(request: HttpRequest, place: int) -> HttpResponse:
    found = needed_draft(request)
    raises = raises_of(found.rules)
    form = RaiseForm(request.POST if request.method == "POST" else None, raised=raise_at(raises, place))
    if request.method == "POST" and form.is_valid():
        raises[place] = form.raised()
        if saved(request, form, with_raises(found.rules, raises)):
            return done(request, "Saved in the draft.", to=reverse("policy-draft"), stay=False)
    return show_raise(request, form, found, place, removable=True)


@require_POST
@member_page(Scope.ADMIN)
def remove_raise(request: HttpRequest, place: int) -> HttpResponse:
    found = needed_draft(request)
    raises = raises_of(found.rules)
    raise_at(raises, place)
    del raises[place]
    save(request, with_raises(found.rules, raises))
    return done(request, "These orders count as all others.", to=reverse("policy-draft"), stay=False)


def raise_at(raises: list[Any], place: int) -> Any:
    """Raises: NoSuchRaise."""
    if place >= len(raises):
        raise NoSuchRaise
    return raises[place]


def saved(request: HttpRequest, form: forms.Form, rules: Mapping[str, Any]) -> bool:
    try:
        save(request, rules)
    except StaleDraft as stale:
        form.add_error(None, stale.detail)
        return False
    return True


def show_raise(
    request: HttpRequest, form: RaiseForm, found: Draft, place: int, *, removable: bool = False
) -> HttpResponse:
    raises = raises_of(found.rules)
    when = raises[place]["when"] if place < len(raises) else None
    context = context_of(request, form, found, fit=when, part="raise", place=place, removable=removable)
    return show(request, "policy/raise.html", "policy/_raise.html", context, status=422 if form.is_bound else 200)


def context_of(
    request: HttpRequest, form: forms.Form, found: Draft, *, fit: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    revision = request.POST.get("revision") or found.revision
    return {
        "form": form,
        "revision": revision,
        "effect": address_of("weights-effect"),
        **more,
        **example_context(request, found.rules, {}, edited=True, fit=fit),
    }
