"""What people decide about incidents: confirm, dismiss, silence, close, reopen, take an exception out, put it back, comment.

Each waits for a round that is under way and for other people's acts, so that of two who act at once one has the effect and the
other a clear refusal. Each is one row of the incident's timeline, written with it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, connection, transaction

from e2a.errors import Unprocessable
from e2a.pulse import pulse
from exceptions.incidents.errors import NoSuchIncident, NotPossible
from exceptions.incidents.folding import hold_incidents, recount
from exceptions.incidents.models import Incident, IncidentEntry, IncidentMember
from exceptions.incidents.words import Ending, IncidentKind, IncidentState

MOST_TEXT = 10_000


def confirm_incident(*, incident_id: int, actor: str, now: datetime, reason: str = "") -> Incident:
    """A person says that it is one: it is never merged away or dissolved, and keeps its exceptions."""
    with held(incident_id) as incident:
        if incident.state != IncidentState.OPEN:
            refuse(incident, "only one that is open and not confirmed can be confirmed")
        columns = {"state": IncidentState.CONFIRMED, "confirmed_at": now, "confirmed_by": actor}
        change(incident, IncidentKind.CONFIRMED, columns, actor=actor, now=now, reason=reason)
    return incident


def dismiss_incident(*, incident_id: int, actor: str, now: datetime, reason: str = "") -> Incident:
    """A person says that it is none. What else comes within its window belongs to it, and opens nothing."""
    return end_incident(incident_id, IncidentKind.DISMISSED, Ending.DISMISSED, actor=actor, now=now, reason=reason)


def close_incident(*, incident_id: int, actor: str, now: datetime, reason: str = "") -> Incident:
    """A person has dealt with it; its exceptions stay as they are. What else comes within its window belongs to it."""
    return end_incident(incident_id, IncidentKind.CLOSED, Ending.PERSON, actor=actor, now=now, reason=reason)


def end_incident(incident_id: int, kind: IncidentKind, how: Ending, *, actor: str, now: datetime, reason: str) -> Incident:
    with held(incident_id) as incident:
        refuse_closed(incident)
        change(incident, kind, ended(incident, how, actor, now), actor=actor, now=now, reason=reason)
    return incident


def reopen_incident(*, incident_id: int, actor: str, now: datetime, reason: str = "") -> Incident:
    """As confirmed, since a person wants it: it closes by itself only when all its exceptions are over."""
    with held(incident_id) as incident:
        if incident.state != IncidentState.CLOSED or incident.merged_into_id is not None:
            refuse(incident, "only a closed one can be reopened, and not one that was merged")
        if not IncidentMember.objects.filter(incident=incident, taken_out_at=None).exists():
            refuse(incident, "none of its exceptions is left in it")
        columns: dict[str, Any] = {
            "state": IncidentState.CONFIRMED,
            "closed_at": None,
            "closed_by": "",
            "closed_how": "",
            "quiet_until": None,
            "confirmed_at": incident.confirmed_at or now,
            "confirmed_by": incident.confirmed_by or actor,
        }
        change(incident, IncidentKind.REOPENED, columns, actor=actor, now=now, reason=reason)
    return incident


def silence_incident(*, incident_id: int, actor: str, now: datetime, reason: str = "") -> Incident:
    """It keeps counting, under “silenced”."""
    with held(incident_id) as incident:
        refuse_closed(incident)
        if incident.silenced_at is not None:
            refuse(incident, f"{incident.silenced_by.removeprefix('user:')} has silenced it already")
        columns = {"silenced_at": now, "silenced_by": actor}
        change(incident, IncidentKind.SILENCED, columns, actor=actor, now=now, reason=reason)
    return incident


def unsilence_incident(*, incident_id: int, actor: str, now: datetime, reason: str = "") -> Incident:
    with held(incident_id) as incident:
        refuse_closed(incident)
        if incident.silenced_at is None:
            refuse(incident, "it is not silent")
        columns = {"silenced_at": None, "silenced_by": ""}
        change(incident, IncidentKind.UNSILENCED, columns, actor=actor, now=now, reason=reason)
    return incident


def comment_on_incident(*, incident_id: int, text: str, actor: str, now: datetime) -> Incident:
    """Raises: NoSuchIncident, Unprocessable."""
    if not 1 <= len(text.strip()) <= MOST_TEXT:
        raise Unprocessable(errors={"text": [f"Say something, in at most {MOST_TEXT:,} characters."]})
    with held(incident_id) as incident:
        change(incident, IncidentKind.COMMENTED, {}, actor=actor, now=now, reason=text)
    return incident


def take_out(*, incident_id: int, exception_id: int, actor: str, now: datetime, reason: str = "") -> Incident:
    """The exception has another cause: this occurrence of it is not folded again. Raises: NoSuchIncident, NotPossible."""
    with held(incident_id) as incident:
        inside = IncidentMember.objects.filter(incident=incident, exception_id=exception_id, taken_out_at=None)
        if not inside.update(taken_out_at=now, taken_out_by=actor):
            raise NotPossible("This exception is not in the incident. Nothing was changed.")
        detail = {"exception": exception_id, "order": order_of(exception_id)}
        change(incident, IncidentKind.TAKEN_OUT, {}, actor=actor, now=now, reason=reason, detail=detail)
        recount(incident_id, now=now)
    return incident


def put_back(*, incident_id: int, exception_id: int, actor: str, now: datetime, reason: str = "") -> Incident:
    """Undoes a taking out. Raises: NoSuchIncident, NotPossible."""
    with held(incident_id) as incident:
        outside = IncidentMember.objects.filter(
            incident=incident, exception_id=exception_id, taken_out_at__isnull=False
        )
        try:
            with transaction.atomic():
                done = outside.update(taken_out_at=None, taken_out_by="")
        except IntegrityError:
            raise NotPossible("It belongs to another incident by now. Nothing was changed.") from None
        if not done:
            raise NotPossible("This exception was not taken out of the incident. Nothing was changed.")
        detail = {"exception": exception_id, "order": order_of(exception_id)}
        change(incident, IncidentKind.PUT_BACK, {}, actor=actor, now=now, reason=reason, detail=detail)
        recount(incident_id, now=now)
    return incident


@contextmanager
def held(incident_id: int) -> Iterator[Incident]:
    """The incident, which nobody else changes meanwhile. Raises: NoSuchIncident."""
    with transaction.atomic():
        hold_incidents()
        incident = Incident.objects.select_related("rule").filter(pk=incident_id).first()
        if incident is None:
            raise NoSuchIncident
        yield incident
        transaction.on_commit(partial(pulse.touch, connection.schema_name))  # type: ignore[attr-defined]


def ended(incident: Incident, how: Ending, actor: str, now: datetime) -> dict[str, Any]:
    return {
        "state": IncidentState.CLOSED,
        "closed_at": now,
        "closed_by": actor,
        "closed_how": how,
        "quiet_until": now + timedelta(minutes=incident.rule.window_minutes),
    }


def change(
    incident: Incident,
    kind: IncidentKind,
    columns: Mapping[str, Any],
    *,
    actor: str,
    now: datetime,
    reason: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Writes both; the caller holds the incident."""
    for name, value in columns.items():
        setattr(incident, name, value)
    incident.changed_at = now
    incident.save(update_fields=[*columns, "changed_at"])
    IncidentEntry.objects.create(
        incident=incident, at=now, kind=kind, actor=actor, reason=reason, detail=dict(detail or {})
    )


def refuse_closed(incident: Incident) -> None:
    if incident.state == IncidentState.CLOSED:
        refuse(incident, "it would have to be open")


def refuse(incident: Incident, why: str) -> None:
    """Raises: NotPossible, with who changed it last."""
    last = IncidentEntry.objects.filter(incident=incident).order_by("-pk").first()
    by = f" Its last change: {last.kind} by {last.actor}, {last.at:%Y-%m-%d %H:%M:%S} UTC." if last else ""
    raise NotPossible(f"It is {incident.state} now; {why}. Nothing was changed.{by}")


def order_of(exception_id: int) -> str:
    found = (
        IncidentMember.objects.filter(exception_id=exception_id).values_list("exception__order_ref", flat=True).first()
    )
    return found or ""
