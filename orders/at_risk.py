"""Reads of the stages at risk and of those that were saved. All of it reads the schema that the connection stands in."""

from datetime import datetime

from django.db.models import F, QuerySet

from orders.models import Stage, StageState
from tenants.weights import LOW


def at_risk_stages(*, merchants: tuple[str, ...] = ()) -> QuerySet[Stage]:
    """Running past their warning point and not late, the least time left first; those that a pause holds come last."""
    chosen = Stage.objects.filter(state=StageState.RUNNING, severity=LOW, breached=False).select_related("order")
    if merchants:
        chosen = chosen.filter(order__merchant__in=merchants)
    return chosen.order_by(F("due_at").asc(nulls_last=True), "pk")


def saved_stages(*, since: datetime, until: datetime) -> QuerySet[Stage]:
    """Warned of and then in time, of those that ended in [since, until)."""
    ended = Stage.objects.filter(due_at__isnull=False, ended_at__gte=since, ended_at__lt=until)
    return ended.filter(state=StageState.COMPLETED, severity=LOW, breached=False)
