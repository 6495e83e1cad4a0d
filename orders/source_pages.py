"""Pages of the sources: where each is reached, how it does, and what a manager sets."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from e2a.errors import Conflict, NotFound
from e2a.pages import done, show
from orders.letter_lists import list_piles
from orders.letter_pages import access_of
from orders.providers.registry import ADAPTERS
from orders.reconcile_shop import CannotReconcile, ask_to_reconcile
from orders.source_forms import NewSourceForm, RotationForm, SettingsForm, settings_of
from orders.source_health import source_health
from tenants.gate import member_page
from tenants.models import Scope, Tenant, WebhookSource
from tenants.selectors import page_address
from tenants.services.sources import create_source, edit_source, end_old_secrets, rotate_secret


class NoSuchSource(NotFound):
    """There is no source of this name."""


def tenant_of(request: HttpRequest) -> Tenant:
    tenant: Tenant = request.tenant  # type: ignore[attr-defined]
    return tenant


def source_of(request: HttpRequest, name: str) -> WebhookSource:
    """Raises: NoSuchSource, also for one of another tenant."""
    row = WebhookSource.objects.filter(tenant=tenant_of(request), name=name).first() if "\0" not in name else None
    if row is None:
        raise NoSuchSource
    return row


def address_of(row: WebhookSource, tenant: Tenant) -> str:
    return page_address(tenant, f"/webhooks/{tenant.slug}/{row.name}")


@require_safe
@member_page(Scope.READ)
def sources(request: HttpRequest) -> HttpResponse:
    tenant = tenant_of(request)
    found = source_health(tenant.schema_name, tenant.slug)
    context = {"sources": found, "scopes": access_of(request).scopes}
    return show(request, "orders/sources.html", "orders/_sources.html", context)


@require_safe
@member_page(Scope.READ)
def source(request: HttpRequest, name: str) -> HttpResponse:
    tenant, row = tenant_of(request), source_of(request, name)
    [health] = source_health(tenant.schema_name, tenant.slug, name=row.name)
    newest = row.secrets.filter(valid_until=None).first()
    old = row.secrets.filter(valid_until__gt=access_of(request).now).first()
    context = {
        "row": row,
        "source": health,
        "address": address_of(row, tenant),
        "setup": ADAPTERS[row.provider].setup,
        "piles": [pile for pile in list_piles() if pile.source == row.name],
        "secret_since": newest.created_at if newest else None,
        "old_secret_until": old.valid_until if old else None,
        "scopes": access_of(request).scopes,
    }
    return show(request, "orders/source.html", "orders/_source.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def new_source(request: HttpRequest) -> HttpResponse:
    form = NewSourceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        named = {name: form.cleaned_data[name] for name in ("name", "provider", "secret")}
        try:
            made = create_source(tenant=tenant_of(request), **named, **form.settings())
            return show_secret(request, made.source, made.secret)
        except ValidationError as wrong:
            form.blame(wrong)
    return show_form(request, form, title="Add a source", verb="Add it", back=reverse("sources"))


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def edit(request: HttpRequest, name: str) -> HttpResponse:
    row = source_of(request, name)
    back = reverse("source", args=[row.name])
    form = SettingsForm(request.POST or None, initial=settings_of(row))
    if request.method == "POST" and form.is_valid():
        try:
            edit_source(source=row, **form.settings())
            return done(request, "Saved.", to=back, stay=False)
        except ValidationError as wrong:
            form.blame(wrong)
    return show_form(request, form, title=f"Edit {row.name}", verb="Save", back=back)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def rotate(request: HttpRequest, name: str) -> HttpResponse:
    row = source_of(request, name)
    form = RotationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = rotate_secret(source=row, secret=form.cleaned_data["secret"], grace=form.cleaned_data["grace"])
            return show_secret(request, made.source, made.secret)
        except ValidationError as wrong:
            form.add_error("secret", wrong.messages)
    return show_form(
        request,
        form,
        title=f"Rotate the secret of {row.name}",
        verb="Rotate",
        back=reverse("source", args=[row.name]),
    )


@require_POST
@member_page(Scope.ADMIN)
def end_old(request: HttpRequest, name: str) -> HttpResponse:
    row = source_of(request, name)
    if not end_old_secrets(source=row):
        raise Conflict("No old secret is valid any more.")
    return done(request, "The old secret opens nothing any more.", to=reverse("source", args=[row.name]))


@require_POST
@member_page(Scope.ADMIN)
def switch_on(request: HttpRequest, name: str) -> HttpResponse:
    return switch(request, name, active=True)


@require_POST
@member_page(Scope.ADMIN)
def switch_off(request: HttpRequest, name: str) -> HttpResponse:
    return switch(request, name, active=False)


def switch(request: HttpRequest, name: str, *, active: bool) -> HttpResponse:
    """Raises: Conflict when it is so already."""
    row = source_of(request, name)
    if row.active == active:
        raise Conflict(f"The source is switched {'on' if active else 'off'} already.")
    edit_source(source=row, active=active)
    sentence = "Switched on: its deliveries are taken." if active else "Switched off: its deliveries are refused."
    return done(request, sentence, to=reverse("source", args=[row.name]))


@require_POST
@member_page(Scope.ADMIN)
def reconcile(request: HttpRequest, name: str) -> HttpResponse:
    """In the background, within seconds; the page says how it ended."""
    row = source_of(request, name)
    try:
        ask_to_reconcile(row)
    except CannotReconcile as error:
        raise Conflict(str(error.args[0])) from None
    return done(request, "The shop will be asked in a few seconds.", to=reverse("source", args=[row.name]))


def show_form(request: HttpRequest, form: Any, **context: Any) -> HttpResponse:
    page, part = "orders/source_form.html", "orders/_source_form.html"
    return show(request, page, part, {"form": form, **context}, status=422 if form.is_bound else 200)


def show_secret(request: HttpRequest, row: WebhookSource, secret: str) -> HttpResponse:
    """This once."""
    address, setup = address_of(row, tenant_of(request)), ADAPTERS[row.provider].setup
    context = {"row": row, "secret": secret, "address": address, "setup": setup}
    response = render(request, "orders/source_secret.html", context)
    response["Cache-Control"] = "no-store"
    return response
