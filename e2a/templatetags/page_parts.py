"""Small parts of every page: icons, times and lengths. Times show how long ago, and exactly in the tenant's zone."""

from datetime import datetime, timedelta
from functools import cache

from django import template
from django.template import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()
UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@cache
def sprite() -> str:
    return static("vendor/lucide/icons.svg")


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite `static/vendor/lucide/icons.svg`. Without a label it is decoration."""
    says = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html('<svg class="icon" {}><use href="{}#{}"></use></svg>', says, sprite(), name)


@register.filter
def exact(at: datetime | None) -> str:
    """`24 Nov 2026, 20:11:03 WET`, in the zone of the page."""
    if at is None:
        return "–"
    local = timezone.localtime(at)
    return f"{local.day} {local:%b %Y, %H:%M:%S %Z}"


@register.filter
def duration(value: timedelta | float | None) -> str:
    """The two largest units of a length: `3 d 4 h`, `12 min`, `40 s`. Takes seconds too."""
    if value is None:
        return "–"
    rest = int(value.total_seconds() if isinstance(value, timedelta) else value)
    if rest < 1:
        return "0 s"
    parts: list[str] = []
    for seconds, unit in UNITS:
        number, rest = divmod(rest, seconds)
        if number:
            parts.append(f"{number:,} {unit}")
        if len(parts) == 2 or (parts and not number):
            break
    return " ".join(parts)


def present(context: Context) -> datetime:
    """The database's time at which the request was let in: a machine whose clock is wrong shows nothing wrong. Else the machine's."""
    access = getattr(getattr(context, "request", None), "access", None)
    return access.now if access else timezone.now()


@register.simple_tag(takes_context=True)
def present_seconds(context: Context) -> int:
    return int(present(context).timestamp())


@register.simple_tag(takes_context=True)
def moment(context: Context, at: datetime | None, none: str = "–") -> SafeString:
    """`3 min ago` or `in 2 h`, exact on hover; app.js keeps it going."""
    if at is None:
        return format_html('<span class="muted">{}</span>', none)
    return timed(at, "moment", ago(at, present(context)))


@register.simple_tag(takes_context=True)
def since(context: Context, at: datetime | None, until: datetime | None = None) -> SafeString:
    """The length from `at` until `until`, or until now and then going on: `3 h 12 min`."""
    if at is None:
        return format_html('<span class="muted">{}</span>', "–")
    if until is not None:
        return format_html('<span title="{} – {}">{}</span>', exact(at), exact(until), duration(until - at))
    return timed(at, "since", duration(present(context) - at))


@register.simple_tag(takes_context=True)
def left(context: Context, at: datetime) -> SafeString:
    """The length until `at`, counting down, and then by how much it has passed: `12 min 5 s`, `late by 3 s`."""
    gap = at - present(context)
    return timed(at, "left", duration(gap) if gap > timedelta(0) else f"late by {duration(-gap)}")


@register.simple_tag(takes_context=True)
def clock(context: Context, at: datetime | None) -> SafeString:
    """The time of day in the page's zone, with the date when it is not today's."""
    if at is None:
        return format_html('<span class="muted">{}</span>', "–")
    local, today = timezone.localtime(at), timezone.localtime(present(context))
    text = f"{local:%H:%M:%S}" if local.date() == today.date() else f"{local.day} {local:%b %H:%M}"
    return format_html('<time class="num" datetime="{}" title="{}">{}</time>', at.isoformat(), exact(at), text)


def timed(at: datetime, kind: str, text: str) -> SafeString:
    return format_html(
        '<time class="num" datetime="{}" data-{}="{}" title="{}">{}</time>',
        at.isoformat(),
        kind,
        int(at.timestamp() * 1000),
        exact(at),
        text,
    )


def ago(at: datetime, now: datetime) -> str:
    gap = now - at
    if abs(gap) < timedelta(seconds=2):
        return "just now"
    return f"{duration(gap)} ago" if gap > timedelta(0) else f"in {duration(-gap)}"
