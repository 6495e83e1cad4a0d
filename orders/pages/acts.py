"""What a person adds to an order's course: a hold, its release, a retraction. Each is an event of our own."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from e2a.pages import done, dressed, show
from orders.models import Event, Order
from orders.selectors import NoSuchOrder, get_order
from orders.services import hold_order, release_order, retract_event
from tenants.access import Access
from tenants.gate import member_page
from tenants.models import Scope


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        label="Why",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why: the order's timeline keeps it."},
    )


class ReleaseForm(forms.Form):
    hold_id = forms.CharField(max_length=128, widget=forms.HiddenInput, required=False)
    reason = forms.CharField(required=False, max_length=200, label="Note", widget=forms.Textarea(attrs={"rows": 2}))


@member_page(Scope.OPERATE)
def hold(request: HttpRequest, order_pk: int) -> HttpResponse:
    """Stops the order's clocks."""
    order, access = get_order(order_pk), access_of(request)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        hold_order(**whose(order, access), reason=form.cleaned_data["reason"])
        return acted(request, order, "The order is held: its clocks stand still.")
    return ask(
        request, order, form, "Hold", "Its deadlines stand still until the hold is released; a promise does not."
    )


@member_page(Scope.OPERATE)
def release(request: HttpRequest, order_pk: int) -> HttpResponse:
    order, access = get_order(order_pk), access_of(request)
    form = ReleaseForm(request.POST or None, initial={"hold_id": request.GET.get("hold_id", "")})
    if request.method == "POST" and form.is_valid():
        release_order(**whose(order, access), **form.cleaned_data)
        return acted(request, order, "The hold is released: the clocks go on.")
    return ask(request, order, form, "Release", "The time of the hold does not count against the deadlines.")


@member_page(Scope.OPERATE)
def retract(request: HttpRequest, order_pk: int, event_pk: int) -> HttpResponse:
    """Has an event judged as if it had never come."""
    order, access = get_order(order_pk), access_of(request)
    event = Event.objects.filter(pk=event_pk, order_id=order_pk).first()
    if event is None:
        raise NoSuchOrder
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        retract_event(
            schema=access.schema,
            source=event.source,
            event_id=event.event_id,
            actor=access.actor,
            now=access.now,
            reason=form.cleaned_data["reason"],
        )
        return acted(request, order, "The event is retracted: the order is judged as if it had never come.")
    text = f"{event.event_type} of {event.source} ({event.event_id}) will be judged as if it had never come. This cannot be taken back."
    return ask(request, order, form, "Retract", text)


def access_of(request: HttpRequest) -> Access:
    access: Access = request.access  # type: ignore[attr-defined]
    return access


def whose(order: Order, access: Access) -> dict[str, Any]:
    return {
        "schema": access.schema,
        "merchant": order.merchant,
        "order_id": order.order_id,
        "actor": access.actor,
        "now": access.now,
    }


def acted(request: HttpRequest, order: Order, sentence: str) -> HttpResponse:
    return done(request, sentence, to=reverse("order", args=[order.pk]))


def ask(request: HttpRequest, order: Order, form: forms.Form, title: str, text: str) -> HttpResponse:
    context = {"form": dressed(form), "order": order, "title": title, "text": text, "address": request.path}
    return show(request, "orders/act.html", "orders/_act.html", context, status=422 if form.is_bound else 200)
