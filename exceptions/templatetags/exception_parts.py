"""How an exception's words look: severity and status with an icon and text, never by colour alone."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from e2a.templatetags.page_parts import icon
from exceptions.choices import Reason, Resolution, Severity, Status
from exceptions.models import ExceptionRecord
from orders.models import Order

register = template.Library()
SEVERITY_ICONS = {
    Severity.CRITICAL: "octagon-alert",
    Severity.HIGH: "chevrons-up",
    Severity.MEDIUM: "equal",
    Severity.LOW: "chevron-down",
}
STATUS_LOOKS = {
    Status.OPEN: ("circle-dot", "state-bad"),
    Status.ACKNOWLEDGED: ("eye", "state-warn"),
    Status.IN_PROGRESS: ("play", "state-busy"),
    Status.RESOLVED: ("circle-check", "state-good"),
}


@register.simple_tag
def severity(value: str) -> SafeString:
    known = Severity(value)
    return format_html('<span class="sev sev-{}">{}{}</span>', value.lower(), icon(SEVERITY_ICONS[known]), known.label)


@register.simple_tag
def status(record: ExceptionRecord) -> SafeString:
    """The status, how it was resolved, and whether it sleeps."""
    look, tone = STATUS_LOOKS[Status(record.status)]
    text = Status(record.status).label
    if record.resolution:
        text = Resolution(record.resolution).label
    made = format_html('<span class="state {}">{}{}</span>', tone, icon(look), text)
    if record.snoozed_until:
        return made + format_html(' <span class="state">{}Snoozed</span>', icon("bell-off"))
    return made


@register.filter
def reason_label(code: Any) -> str:
    return Reason(code).label if code in Reason.values else str(code)


@register.filter
def worth(order: Order) -> str:
    """`1,240.50 EUR`; nothing when the order does not say."""
    return "" if order.value_cents is None else f"{order.value_cents / 100:,.2f} {order.currency}".rstrip()
