"""Numbers of the scoreboard in templates."""

from django import template

register = template.Library()


@register.filter
def share(value: float | None) -> str:
    """`97.5%`, cut and not rounded, so that only what is whole reads as 100%; a dash where nothing was counted."""
    if value is None:
        return "–"
    return f"{int(value * 1000) / 10:.1f}".removesuffix(".0") + "%"
