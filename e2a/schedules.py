"""Recurring work: what beat sends, and how often. A new line here is in force from the next start on.

The rows belong to django-celery-beat and are upserted by name. What an admin sets on one of ours (its interval, paused)
stays until its line here changes; schedules that an admin made are never touched.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

OURS = "e2a: "  # the first part of our schedules' names: tells them from an admin's own
LEAST_EXPIRY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Schedule:
    """`task` is the task's registered name; a test holds each to a task that exists."""

    name: str
    task: str
    every_seconds: int
    kwargs: dict[str, Any] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """Kept as the row's description: when it differs from the row's, the line here has changed."""
        return f"Set up by E²A: {self.task} every {self.every_seconds} s unless changed here."


SCHEDULES = (
    Schedule("send mails", "tenants.send_mails", 5),
    Schedule("tidy the tenants", "tenants.housekeeping", 3600),
    Schedule("heartbeat", "e2a.heartbeat", 10),
    Schedule("housekeeping", "e2a.housekeeping", 3600),
    Schedule("ask the shops", "orders.reconcile_shops", 15),
    Schedule("replay dead letters", "orders.run_replays", 5),
    Schedule("run simulations", "orders.run_simulations", 5),
    Schedule("watch the sources", "orders.watch_all_sources", 60),
    Schedule("analyse exceptions", "exceptions.analyse", 5),
    Schedule("judge the analysts", "exceptions.judge_analysts", 300),
    Schedule("act on many exceptions", "exceptions.sweep_bulk_runs", 3),
    Schedule("act on exceptions", "exceptions.sweep_actions", 3),
    Schedule("tell people", "exceptions.sweep_people", 3),
    Schedule("tidy notifications", "exceptions.tidy_people", 3600),
    Schedule("fold incidents", "exceptions.fold_incidents", 15),
    Schedule("tidy actions", "exceptions.tidy_actions", 3600),
)


@dataclass(frozen=True, slots=True)
class SetUp:
    """Names, without their mark."""

    created: list[str]
    updated: list[str]
    removed: list[str]


def set_up_schedules(wanted: Sequence[Schedule] = SCHEDULES) -> SetUp:
    """Makes the rows equal to the list; a second run writes nothing, so beat has nothing to reload."""
    done = SetUp([], [], [])
    with transaction.atomic():
        rows = {row.name: row for row in PeriodicTask.objects.select_for_update().filter(name__startswith=OURS)}
        for schedule in wanted:
            row = rows.pop(OURS + schedule.name, None)
            if row is None:
                # With a start, beat sends the first one at once and not after a whole interval.
                PeriodicTask.objects.create(name=OURS + schedule.name, start_time=timezone.now(), **_columns(schedule))
                done.created.append(schedule.name)
            elif row.description != schedule.note or row.kwargs != json.dumps(schedule.kwargs):
                for column, value in _columns(schedule).items():
                    setattr(row, column, value)
                row.save()
                done.updated.append(schedule.name)
        for name, row in rows.items():
            row.delete()
            done.removed.append(name.removeprefix(OURS))
    return done


def _columns(schedule: Schedule) -> dict[str, Any]:
    """A message that nobody took by the time of the run after the next is worth nothing, and would only pile up."""
    return {
        "task": schedule.task,
        "interval": _interval(schedule.every_seconds),
        **dict.fromkeys(
            ("crontab", "solar", "clocked")
        ),  # a row has one kind of time; an admin may have chosen another
        "kwargs": json.dumps(schedule.kwargs),
        "expire_seconds": max(2 * schedule.every_seconds, LEAST_EXPIRY_SECONDS),
        "description": schedule.note,
    }


def _interval(seconds: int) -> IntervalSchedule:
    found = IntervalSchedule.objects.filter(every=seconds, period=IntervalSchedule.SECONDS).first()
    return found or IntervalSchedule.objects.create(every=seconds, period=IntervalSchedule.SECONDS)
