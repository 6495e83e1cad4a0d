"""/targets/, /deliveries/: where messages go, and what became of each."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from e2a.errors import Conflict, NotFound
from e2a.pages import done, dressed, show
from exceptions.deliveries.models import Delivery, DeliveryState
from exceptions.deliveries.services import retry_delivery
from exceptions.pages.who import access_of, tenant_of
from tenants.gate import member_page
from tenants.models import Scope
from tenants.outgoing.addresses import shown_address
from tenants.outgoing.models import Channel, OutgoingTarget
from tenants.outgoing.services import change_target, create_target, remove_target, rotate_target_secret

MOST_SHOWN = 100


class NoSuchTarget(NotFound):
    """There is no target of this name."""


class TargetForm(forms.Form):
    name = forms.CharField(
        max_length=32, help_text="By which playbooks call it: small letters and hyphens, such as ops-slack."
    )
    channel = forms.ChoiceField(choices=Channel.choices)
    address = forms.CharField(
        max_length=500,
        help_text="Slack: the address of an incoming webhook. Webhook: https://… of your own. E-mail: addresses with commas between.",
    )


class AddressForm(forms.Form):
    address = forms.CharField(
        max_length=500, help_text="The address that was set is not shown again; this one replaces it."
    )


def blame(form: forms.Form, wrong: ValidationError) -> None:
    """Sentences at the fields that the form has; the rest above it."""
    for field, texts in wrong.message_dict.items():
        form.add_error(field if field in form.fields else None, texts)


def target_of(request: HttpRequest, name: str) -> OutgoingTarget:
    """Raises: NoSuchTarget, also for one of another tenant."""
    found = OutgoingTarget.objects.filter(tenant=tenant_of(request), name=name).first() if "\0" not in name else None
    if found is None:
        raise NoSuchTarget
    return found


@require_safe
@member_page(Scope.READ)
def targets(request: HttpRequest) -> HttpResponse:
    rows = OutgoingTarget.objects.filter(tenant=tenant_of(request))
    context = {
        "targets": [(row, shown_address(row.channel, row.address)) for row in rows],
        "can_edit": Scope.ADMIN in access_of(request).scopes,
    }
    return show(request, "exceptions/targets.html", "exceptions/_targets.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def new_target(request: HttpRequest) -> HttpResponse:
    form = TargetForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_target(tenant=tenant_of(request), actor=access_of(request).actor, **form.cleaned_data)
        except ValidationError as wrong:
            blame(form, wrong)
        else:
            if made.secret:
                return show_secret(request, made.row, made.secret)
            return done(request, "Added.", to=reverse("targets"), stay=False)
    return show_form(request, form, "Add a target", "Add it")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def edit_target(request: HttpRequest, name: str) -> HttpResponse:
    row = target_of(request, name)
    form = AddressForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            change_target(target=row, address=form.cleaned_data["address"])
            return done(request, "Saved.", to=reverse("targets"), stay=False)
        except ValidationError as wrong:
            blame(form, wrong)
    return show_form(request, form, f"Another address for {row.name}", "Save")


@require_POST
@member_page(Scope.ADMIN)
def switch_target(request: HttpRequest, name: str) -> HttpResponse:
    active = request.POST.get("active") == "1"
    change_target(target=target_of(request, name), active=active)
    return done(request, "Switched on." if active else "Switched off.", to=reverse("targets"))


@require_POST
@member_page(Scope.ADMIN)
def rotate_target(request: HttpRequest, name: str) -> HttpResponse:
    row = target_of(request, name)
    try:
        made = rotate_target_secret(target=row, now=access_of(request).now)
    except ValidationError as wrong:
        raise Conflict(" ".join(wrong.messages)) from None
    return show_secret(request, made.row, made.secret)


@require_POST
@member_page(Scope.ADMIN)
def drop_target(request: HttpRequest, name: str) -> HttpResponse:
    remove_target(target=target_of(request, name))
    return done(request, "Removed.", to=reverse("targets"), stay=False)


def show_form(request: HttpRequest, form: forms.Form, title: str, verb: str) -> HttpResponse:
    context = {"form": dressed(form), "title": title, "verb": verb, "back": reverse("targets")}
    status = 422 if form.is_bound else 200
    return show(request, "exceptions/target.html", "exceptions/_target.html", context, status=status)


def show_secret(request: HttpRequest, row: OutgoingTarget, secret: str) -> HttpResponse:
    response = render(request, "exceptions/target_secret.html", {"row": row, "secret": secret})
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@member_page(Scope.READ)
def deliveries(request: HttpRequest) -> HttpResponse:
    rows = Delivery.objects.select_related("exception").order_by("-created_at", "-pk")
    state = request.GET.get("state", "")
    shown = rows.filter(state=state) if state in DeliveryState.values else rows
    context: dict[str, Any] = {
        "deliveries": list(shown[:MOST_SHOWN]),
        "state": state,
        "can_act": Scope.OPERATE in access_of(request).scopes,
    }
    return show(request, "exceptions/deliveries.html", "exceptions/_deliveries.html", context)


@require_POST
@member_page(Scope.OPERATE)
def resend(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Raises: Conflict."""
    if not retry_delivery(delivery_id=delivery_id, now=access_of(request).now):
        raise Conflict("Only a webhook or Slack message that failed can be sent again. Nothing was changed.")
    return done(request, "It is sent again within seconds.", to=reverse("deliveries"))
