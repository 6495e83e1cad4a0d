"""How an order's words look."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from e2a.templatetags.page_parts import icon
from orders.models import Order, OrderStatus
from orders.outcome import Outcome

register = template.Library()
STAGES = {
    "payment_processing": "Payment",
    "inventory_check": "Stock check",
    "shipping_preparation": "Packing",
    "order_fulfillment": "Handover to the carrier",
    "delivery": "Delivery",
}
ICONS = {
    OrderStatus.CREATED: "circle",
    OrderStatus.PAID: "credit-card",
    OrderStatus.ALLOCATED: "boxes",
    OrderStatus.PACKED: "package",
    OrderStatus.FULFILLED: "truck",
    OrderStatus.DELIVERED: "package-check",
    OrderStatus.RETURNED: "undo-2",
    OrderStatus.CANCELLED: "ban",
}
TONES = {OrderStatus.DELIVERED: "state-good", OrderStatus.CANCELLED: "state-warn", OrderStatus.RETURNED: "state-warn"}

OUTCOMES = {
    Outcome.NONE: ("Nothing agreed", "muted"),
    Outcome.OPEN: ("In time so far", ""),
    Outcome.PAUSED: ("Paused", "soon"),
    Outcome.AT_RISK: ("At risk", "soon"),
    Outcome.BROKEN: ("Broken", "late"),
    Outcome.KEPT: ("Kept", "in-time"),
    Outcome.CANCELLED: ("Cancelled", "muted"),
}


@register.filter
def stage_label(name: str | None) -> str:
    return STAGES.get(name or "", (name or "").replace("_", " ").capitalize())


@register.filter
def event_label(event_type: str) -> str:
    return event_type.replace("_", " ").capitalize()


@register.simple_tag
def order_status(order: Order) -> SafeString:
    known = OrderStatus(order.status)
    made = format_html('<span class="state {}">{}{}</span>', TONES.get(known, ""), icon(ICONS[known]), known.label)
    if order.held:
        return made + format_html(' <span class="state state-warn">{}Held</span>', icon("pause"))
    return made


@register.simple_tag
def outcome(verdict: Outcome) -> SafeString:
    """How the contract or the promise stands."""
    words, tone = OUTCOMES[verdict]
    return format_html('<strong class="{}">{}</strong>', tone, words)
