"""Beat's schedules: upserted by name, an admin's own never touched."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from e2a.celery import app
from e2a.schedules import SCHEDULES, Schedule, SetUp, set_up_schedules

TICK = Schedule("tick", "e2a.heartbeat", 10, {"a": 1})
pytestmark = pytest.mark.django_db


def test_each_schedule_names_a_task_that_exists_and_no_name_comes_twice() -> None:
    app.loader.import_default_modules()
    assert {schedule.task for schedule in SCHEDULES} - set(app.tasks) == set()
    assert len({schedule.name for schedule in SCHEDULES}) == len(SCHEDULES)


def test_the_second_run_writes_nothing() -> None:
    assert set_up_schedules([TICK]) == SetUp(["tick"], [], [])
    before = PeriodicTask.objects.get(name="e2a: tick")
    assert (before.task, before.interval.every, before.kwargs, before.expire_seconds) == ("e2a.heartbeat", 10, '{"a": 1}', 60)
    assert set_up_schedules([TICK]) == SetUp([], [], [])
    assert PeriodicTask.objects.get(name="e2a: tick").date_changed == before.date_changed


def test_what_an_admin_set_stays_until_the_line_changes() -> None:
    set_up_schedules([TICK])
    slower = IntervalSchedule.objects.create(every=7, period=IntervalSchedule.MINUTES)
    row = PeriodicTask.objects.get(name="e2a: tick")
    row.interval, row.enabled = slower, False
    row.save()
    assert set_up_schedules([TICK]) == SetUp([], [], [])
    kept = PeriodicTask.objects.get(name="e2a: tick")
    assert (kept.interval, kept.enabled) == (slower, False)
    assert set_up_schedules([Schedule("tick", "e2a.heartbeat", 20)]) == SetUp([], ["tick"], [])
    changed = PeriodicTask.objects.get(name="e2a: tick")
    assert (changed.id, changed.interval.every, changed.kwargs, changed.enabled) == (row.id, 20, "{}", False)


def test_what_left_the_list_goes_and_an_admins_own_stays() -> None:
    every = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.HOURS)
    PeriodicTask.objects.create(name="mine", task="e2a.housekeeping", interval=every)
    set_up_schedules([TICK])
    assert set_up_schedules([]) == SetUp([], [], ["tick"])
    assert set(PeriodicTask.objects.exclude(name="celery.backend_cleanup").values_list("name", flat=True)) == {"mine"}


def test_the_command_says_what_it_did() -> None:
    out = StringIO()
    call_command("setup_schedules", json=True, stdout=out)
    created = json.loads(out.getvalue().splitlines()[-1])["created"]
    assert created == [schedule.name for schedule in SCHEDULES]
    again = StringIO()
    call_command("setup_schedules", stdout=again)
    assert again.getvalue() == "The schedules are as they should be.\n"
