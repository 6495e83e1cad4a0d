"""Exceptions that share something. They are made in the schema that the connection stands in."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from exceptions.incidents.folding import Round, fold_incidents
from exceptions.incidents.models import Incident, IncidentMember, IncidentRound
from exceptions.models import ExceptionRecord
from orders.models import Order
from tests.exceptions.cast import NOW, make_exception

UPS = {"carrier": "UPS", "destination_country": "DE"}


def late_parcel(
    order_id: str, *, minutes: int = 0, reason: str = "SHIPPING_DELAY", merchant: str = "default", **order: Any
) -> ExceptionRecord:
    """Opened so many minutes before NOW; `order`: columns of the order, those of UPS to Germany if none are given."""
    record = make_exception(order_id, merchant, reason_code=reason, opened_at=NOW - timedelta(minutes=minutes))
    Order.objects.filter(pk=record.order_id).update(**(order or UPS))
    return record


def storm(number: int = 5, *, first: int = 0, minutes: int = 0, **order: Any) -> list[ExceptionRecord]:
    """One a minute, the last of them so many minutes before NOW."""
    return [late_parcel(f"order-{first + at}", minutes=minutes + number - 1 - at, **order) for at in range(number)]


def fold(*, at: datetime = NOW) -> Round | None:
    return fold_incidents(now=at)


def the_incident() -> Incident:
    return Incident.objects.get()


def members_of(incident: Incident) -> set[str]:
    rows = IncidentMember.objects.filter(incident=incident, taken_out_at=None)
    return set(rows.values_list("exception__order_ref", flat=True))


def folded() -> set[tuple[str, str, frozenset[str]]]:
    """What stands open: rule, key and the orders of each incident."""
    found = Incident.objects.exclude(state="closed").select_related("rule")
    return {(one.rule.name, one.key, frozenset(members_of(one))) for one in found}


def told(incident: Incident) -> list[tuple[str, str, Mapping[str, Any]]]:
    return list(incident.timeline.order_by("pk").values_list("kind", "actor", "detail"))


def end(records: Iterable[ExceptionRecord]) -> None:
    """As the fold ends them."""
    ExceptionRecord.objects.filter(pk__in=[record.pk for record in records]).update(
        verdict="over", ended_at=NOW, status="RESOLVED", resolution="cured", resolved_at=NOW, resolved_by="fold"
    )
    touch()


def touch() -> None:
    """Something has happened: the next round looks."""
    IncidentRound.objects.update(version="")
