"""What people do with exceptions. Each change is one row of the timeline, written with it, saying who and why.

The rows are locked, judged by the rule in `transitions`, and written, so that of two people who act at once one has the
effect and the other a clear refusal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Func, QuerySet, Value

from e2a.errors import Unprocessable
from e2a.pulse import pulse
from exceptions import transitions
from exceptions.analyst.feedback import learn_from_closes
from exceptions.choices import Kind
from exceptions.errors import ImpossibleChange, NoSuchException
from exceptions.escalation.clocks import follow_act
from exceptions.models import ExceptionRecord, TimelineEntry
from exceptions.notifications.causes import notices_of
from exceptions.notifications.services import notify, people_named
from exceptions.tags import NoTag, read_tag
from exceptions.transitions import Act, State

CHUNK = 1000  # rows locked at a time: the door waits for no more than these


@dataclass(slots=True)
class Outcome:
    """Of an act on several exceptions: the ids changed, and why the others were not."""

    changed: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


def acknowledge_exception(*, exception_id: int, actor: str, now: datetime, reason: str = "") -> ExceptionRecord:
    return act_on_one(exception_id, transitions.acknowledge(at=now), actor=actor, reason=reason, now=now)


def start_exception(*, exception_id: int, actor: str, now: datetime, reason: str = "") -> ExceptionRecord:
    return act_on_one(exception_id, transitions.start(), actor=actor, reason=reason, now=now)


def resolve_exception(
    *, exception_id: int, resolution: str, actor: str, now: datetime, reason: str = "", label: str = ""
) -> ExceptionRecord:
    """`resolution` is one of `transitions.FOR_PEOPLE`; `label`: what it really was, if known."""
    act = transitions.resolve(resolution=resolution, at=now, label=label)
    return act_on_one(exception_id, act, actor=actor, reason=reason, now=now)


def reopen_exception(*, exception_id: int, actor: str, now: datetime, reason: str = "") -> ExceptionRecord:
    return act_on_one(exception_id, transitions.reopen(), actor=actor, reason=reason, now=now)


def assign_exception(
    *, exception_id: int, assignee_id: int | None, name: str, actor: str, now: datetime, reason: str = ""
) -> ExceptionRecord:
    """To a member of the tenant, or to nobody."""
    act = transitions.assign(assignee_id=assignee_id, name=name)
    return act_on_one(exception_id, act, actor=actor, reason=reason, now=now)


def take_exception(
    *, exception_id: int, assignee_id: int, name: str, actor: str, now: datetime, reason: str = ""
) -> ExceptionRecord:
    """To oneself, if nobody has it."""
    act = transitions.take(assignee_id=assignee_id, name=name)
    return act_on_one(exception_id, act, actor=actor, reason=reason, now=now)


def comment_on_exception(*, exception_id: int, text: str, actor: str, now: datetime) -> ExceptionRecord:
    """Who is named with @ is told. Raises: Unprocessable for a name that no member has."""
    return act_on_one(exception_id, comment_act(text), actor=actor, reason=text, now=now)


def comment_act(text: str) -> Act:
    """Raises: Unprocessable."""
    named = people_named(text)
    if named.trouble:
        raise Unprocessable(errors={"text": [named.trouble]})
    return transitions.comment(mentions=named.names)


def tag_exception(*, exception_id: int, tag: str, actor: str, now: datetime) -> ExceptionRecord:
    """Raises: Unprocessable for what is no tag."""
    return act_on_one(exception_id, tag_act(tag), actor=actor, reason="", now=now)


def untag_exception(*, exception_id: int, tag: str, actor: str, now: datetime) -> ExceptionRecord:
    return act_on_one(exception_id, transitions.untag(name=tag), actor=actor, reason="", now=now)


def tag_act(tag: str) -> Act:
    """Raises: Unprocessable."""
    try:
        return transitions.tag(name=read_tag(tag))
    except NoTag as wrong:
        raise Unprocessable(errors={"tag": [wrong.sentence]}) from None


def snooze_exception(
    *, exception_id: int, until: datetime | None, actor: str, now: datetime, reason: str = ""
) -> ExceptionRecord:
    """Until then it needs nobody's eye; None ends a snooze. Raises: Unprocessable for a time that is past or too far."""
    return act_on_one(exception_id, snooze_act(until, now), actor=actor, reason=reason, now=now)


def snooze_act(until: datetime | None, now: datetime) -> Act:
    if until is None:
        return transitions.wake()
    if not now < until <= now + transitions.LONGEST_SNOOZE:
        days = transitions.LONGEST_SNOOZE.days
        raise Unprocessable(errors={"until": [f"Name a time ahead of now, at most {days} days away."]})
    return transitions.snooze(until=until)


def act_on_one(exception_id: int, act: Act, *, actor: str, reason: str, now: datetime) -> ExceptionRecord:
    """Raises: NoSuchException; ImpossibleChange, with who changed it last."""
    chosen = ExceptionRecord.objects.filter(pk=exception_id)
    outcome = act_on_locked(chosen, act, actor=actor, reason=reason, now=now)
    if exception_id in outcome.refused:
        last = TimelineEntry.objects.filter(exception_id=exception_id).order_by("-pk").first()
        by = f" Its last change: {last.kind} by {last.actor}, {last.at:%Y-%m-%d %H:%M:%S} UTC." if last else ""
        raise ImpossibleChange(outcome.refused[exception_id] + by)
    if not outcome.changed:
        raise NoSuchException
    return ExceptionRecord.objects.get(pk=exception_id)


def act_on_many(chosen: QuerySet[ExceptionRecord], act: Act, *, actor: str, reason: str, now: datetime) -> Outcome:
    """Acts on all that `chosen` holds, some at a time. What has left the selection meanwhile is left alone."""
    whole = Outcome()
    for ids in chunks(list(chosen.order_by("pk").values_list("pk", flat=True))):
        part = act_on_locked(chosen.filter(pk__in=ids), act, actor=actor, reason=reason, now=now)
        whole.changed += part.changed
        whole.refused |= part.refused
    return whole


def act_on_locked(chosen: QuerySet[ExceptionRecord], act: Act, *, actor: str, reason: str, now: datetime) -> Outcome:
    outcome = Outcome()
    with transaction.atomic():
        rows = chosen.select_for_update(no_key=True, of=("self",)).order_by("pk")
        columns = rows.values_list("pk", "status", "verdict", "assignee_id", "snoozed_until", "tags")
        for pk, status, verdict, assignee_id, snoozed_until, tags in columns:
            refused = transitions.refusal(act, State(status, verdict, assignee_id, snoozed_until, tags))
            if refused:
                outcome.refused[pk] = refused
            else:
                outcome.changed.append(pk)
        write(outcome.changed, act, actor=actor, reason=reason, now=now)
    return outcome


def write(ids: Sequence[int], act: Act, *, actor: str, reason: str, now: datetime) -> None:
    if not ids:
        return
    ExceptionRecord.objects.filter(pk__in=ids).update(**columns_of(act), updated_at=now)
    entries = TimelineEntry.objects.bulk_create(
        TimelineEntry(exception_id=pk, at=now, kind=act.kind, actor=actor, reason=reason, detail=act.detail)
        for pk in ids
    )
    notify(notices_of(act, [(entry.exception_id, entry.pk) for entry in entries], actor=actor), now=now)
    follow_act(act.kind, ids, now=now)
    if label := act.detail.get("label"):
        learn_from_closes(ids, label, actor=actor, now=now)
    transaction.on_commit(partial(pulse.touch, connection.schema_name))  # type: ignore[attr-defined]


def columns_of(act: Act) -> dict[str, Any]:
    """What an act writes; a tag joins or leaves those that the row has."""
    change = {Kind.TAGGED: "array_append", Kind.UNTAGGED: "array_remove"}.get(act.kind)
    if change is None:
        return dict(act.columns)
    return {"tags": Func(F("tags"), Value(act.detail["tag"]), function=change)}


def chunks(ids: list[int]) -> Iterator[list[int]]:
    for first in range(0, len(ids), CHUNK):
        yield ids[first : first + CHUNK]
