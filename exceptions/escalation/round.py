"""Takes the steps that are due. One transaction under the exceptions' locks, a fixed number of statements for all of them.

Two workers share the work: what one has locked the other leaves, and what one has done is no longer due.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection, transaction

from e2a.pulse import pulse
from exceptions.choices import Kind
from exceptions.escalation.chain import Effect, Standing, Step, length, next_look, steps_due
from exceptions.escalation.clocks import wait_for_save
from exceptions.escalation.models import EscalationClock
from exceptions.escalation.people import Person, Reached, reached_by
from exceptions.escalation.reading import Plan
from exceptions.escalation.selectors import load_of_each, plan_in_force, team
from exceptions.models import ExceptionRecord, TimelineEntry
from exceptions.notifications.services import Notice, notify
from exceptions.notifications.words import Matter

ACTOR = "escalation"
BATCH = 200
MOST_BATCHES = 50  # of one round


@dataclass(slots=True)
class Taken:
    """The steps of one round, as what they write."""

    entries: list[TimelineEntry] = field(default_factory=list)
    reached: list[tuple[TimelineEntry, Sequence[Person], str]] = field(default_factory=list)
    assigned: dict[int, int] = field(default_factory=dict)  # the last assignee of each exception
    load: dict[int, int] = field(default_factory=dict)


def escalate_due(*, now: datetime) -> int:
    """Returns how many steps were taken."""
    steps = 0
    for _ in range(MOST_BATCHES):
        looked, taken = escalate_some(now)
        steps += taken
        if looked < BATCH:
            break
    return steps


def escalate_some(now: datetime) -> tuple[int, int]:
    """How many exceptions were looked at, at most BATCH, and how many steps were taken."""
    with transaction.atomic():
        wait_for_save()
        records = lock_due(now)
        if not records:
            return 0, 0
        ids = [record.pk for record in records]
        clocks = EscalationClock.objects.select_for_update().filter(pk__in=ids, due_at__lte=now).in_bulk()
        plan, people, taken = plan_in_force().plan, team(), Taken(load=load_of_each())
        looks = []
        for record in records:
            if record.pk in clocks:
                looks.append(take_steps(record, clocks[record.pk], plan, people, taken, now))
        write(taken, looks, now)
    return len(records), len(taken.entries)


def lock_due(now: datetime) -> list[ExceptionRecord]:
    due = EscalationClock.objects.filter(due_at__lte=now).order_by("due_at").values_list("pk", flat=True)[:BATCH]
    chosen = ExceptionRecord.objects.filter(pk__in=list(due)).order_by("pk")
    return list(chosen.select_for_update(no_key=True, skip_locked=True, of=("self",)))


def take_steps(
    record: ExceptionRecord,
    clock: EscalationClock,
    plan: Plan,
    people: Sequence[Person],
    taken: Taken,
    now: datetime,
) -> EscalationClock:
    """The clock as it stands afterwards."""
    standing = Standing(record.status, record.verdict, record.severity, clock.started_at, frozenset(clock.done))
    for step in steps_due(plan.chains, standing, now=now):
        reached = reached_by(step, plan.rota, people, at=now, load=taken.load)
        take(record, step, reached, taken, now)
        clock.done = [*clock.done, step.key(record.severity)]
    clock.due_at = next_look(plan.chains, standing, now=now)
    return clock


def take(record: ExceptionRecord, step: Step, reached: Reached, taken: Taken, now: datetime) -> None:
    detail: dict[str, Any] = {
        "severity": record.severity,
        "after_minutes": step.after_minutes,
        "unless": step.unless,
        "effect": step.effect,
        "to": [person.name for person in reached.people],
        "why": reached.why,
    }
    entry = TimelineEntry(exception_id=record.pk, at=now, kind=Kind.ESCALATED, actor=ACTOR, detail=detail)
    taken.entries.append(entry)
    given = step.effect == Effect.ASSIGN and bool(reached.people)
    taken.reached.append((entry, reached.people, notice_text(step, given)))
    if given:
        person = reached.people[0].user_id
        taken.assigned[record.pk] = person
        taken.load[person] = taken.load.get(person, 0) + 1


def notice_text(step: Step, given: bool) -> str:
    waited = f"after {length(step.after_minutes)} {step.unless_word}"
    return f"Given to you {waited}" if given else f"Escalated to you {waited}"


def write(taken: Taken, clocks: Sequence[EscalationClock], now: datetime) -> None:
    EscalationClock.objects.bulk_update(clocks, ["due_at", "done"])
    if not taken.entries:
        return
    TimelineEntry.objects.bulk_create(taken.entries)
    to_each: dict[int, list[int]] = defaultdict(list)
    for exception, user in taken.assigned.items():
        to_each[user].append(exception)
    for user, exceptions in to_each.items():
        ExceptionRecord.objects.filter(pk__in=exceptions).update(assignee_id=user, updated_at=now)
    notices = [
        Notice(
            user_id=person.user_id,
            matter=Matter.ESCALATED,
            subject=f"entry:{entry.pk}",
            exception_id=entry.exception_id,
            entry_id=entry.pk,
            actor=ACTOR,
            text=text,
        )
        for entry, people, text in taken.reached
        for person in people
    ]
    notify(notices, now=now)
    transaction.on_commit(partial(pulse.touch, connection.schema_name))  # type: ignore[attr-defined]
