"""Schedules in the platform's admin: a wrong value gets a sentence at its field, and no schedule is changed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from tenants.models import User

PUBLIC = "e2a.public_urls"
ANY_TIME = {
    "minute": "*",
    "hour": "*",
    "day_of_month": "*",
    "month_of_year": "*",
    "day_of_week": "*",
    "timezone": "UTC",
}


@pytest.fixture
def boss(db: None) -> Client:
    user = User.objects.create_superuser("root", "root@example.com", "no-matter")
    client = Client(headers={"Host": "localhost"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def minute(db: None) -> IntervalSchedule:
    return IntervalSchedule.objects.create(every=1, period="minutes")


def add(model: str) -> str:
    return reverse(f"admin:django_celery_beat_{model}_add", urlconf=PUBLIC)


def errors(response: HttpResponse) -> dict[str, list[str]]:
    assert response.status_code == 200, response
    return {name: list(texts) for name, texts in response.context["adminform"].form.errors.items()}  # type: ignore[attr-defined]


def task(minute: IntervalSchedule, **words: Any) -> dict[str, Any]:
    plain = {
        "name": "nightly", "regtask": "", "task": "e2a.heartbeat", "enabled": "on", "interval": minute.pk, "crontab": "",
        "solar": "", "clocked": "", "args": "[]", "kwargs": "{}", "queue": "", "exchange": "", "routing_key": "",
        "headers": "{}", "priority": "", "expires_0": "", "expires_1": "", "expire_seconds": "", "description": "",
        "start_time_0": "", "start_time_1": "",
    }  # fmt: skip
    return plain | words


@pytest.mark.parametrize(
    ("words", "field", "sentence"),
    [
        ({"name": ""}, "name", "This field is required."),
        ({"name": "x" * 300}, "name", "Ensure this value has at most 200 characters"),
        ({"name": "a\0b"}, "name", "Null characters are not allowed."),
        ({"name": "e2a: heartbeat"}, "name", "There is a schedule of this name already"),
        ({"task": ""}, "task", "This field is required."),
        ({"task": "no.such_task"}, "task", "Select a valid choice. no.such_task is not one"),
        ({"kwargs": "{"}, "kwargs", "It must be a JSON object, such as"),
        ({"kwargs": "[1]"}, "kwargs", "It must be a JSON object, such as"),
        ({"args": "{}"}, "args", "It must be a JSON list, such as []."),
        ({"args": "[" * 100_000}, "args", "It must be a JSON list, such as []."),
        ({"headers": "x"}, "headers", "It must be a JSON object, such as"),
        ({"priority": "300"}, "priority", "Ensure this value is less than or equal to 255."),
        ({"expire_seconds": "-1"}, "expire_seconds", "Ensure this value is greater than or equal to 0."),
        ({"expire_seconds": "9", "expires_0": "2030-01-01", "expires_1": "00:00"}, "expire_seconds", "Give an end or"),
        ({"interval": ""}, "interval", "Choose when it runs: an interval,"),
        ({"interval": "999999"}, "interval", "Select a valid choice."),
        ({"crontab": "any"}, "crontab", "It runs by its interval already; choose one of them."),
        ({"interval": "", "clocked": "any"}, "one_off", "What runs at a clocked time runs once: tick this."),
        ({"start_time_0": "yesterday"}, "start_time", "Enter a valid date."),
    ],
)
def test_a_wrong_schedule_is_told_at_its_field(
    boss: Client, minute: IntervalSchedule, words: dict[str, Any], field: str, sentence: str
) -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    timings = {"crontab": CrontabSchedule.objects.create(), "clocked": ClockedSchedule.objects.create(clocked_time=at)}
    PeriodicTask.objects.create(name="e2a: heartbeat", task="e2a.heartbeat", interval=minute)
    given = {name: timings[name].pk if value == "any" else value for name, value in words.items()}
    found = errors(boss.post(add("periodictask"), task(minute, **given)))
    assert list(found) == [field]
    assert found[field][0].startswith(sentence)
    kept = PeriodicTask.objects.get()
    page = reverse("admin:django_celery_beat_periodictask_change", urlconf=PUBLIC, args=[kept.pk])
    if given.get("name") != kept.name:
        assert list(errors(boss.post(page, task(minute, **given)))) == [field]
    assert PeriodicTask.objects.get().date_changed == kept.date_changed


@pytest.mark.parametrize(
    ("model", "words", "field", "sentence"),
    [
        (
            "intervalschedule",
            {"every": "0", "period": "seconds"},
            "every",
            "Ensure this value is greater than or equal to 1.",
        ),
        (
            "intervalschedule",
            {"every": "-5", "period": "seconds"},
            "every",
            "Ensure this value is greater than or equal to 1.",
        ),
        ("intervalschedule", {"every": "x", "period": "seconds"}, "every", "Enter a whole number."),
        ("intervalschedule", {"every": "9" * 12, "period": "seconds"}, "every", "Ensure this value is less than"),
        ("intervalschedule", {"every": "5", "period": "moons"}, "period", "Select a valid choice."),
        ("crontabschedule", {"minute": "99"}, "minute", "It must be *, or from 0 to 59, such as 0, */15 or 10,40."),
        ("crontabschedule", {"hour": "x"}, "hour", "It must be *, or from 0 to 23"),
        ("crontabschedule", {"day_of_month": "0"}, "day_of_month", "It must be *, or from 1 to 31"),
        ("crontabschedule", {"month_of_year": "13"}, "month_of_year", "It must be *, or from 1 to 12"),
        ("crontabschedule", {"day_of_week": "moonday"}, "day_of_week", "It must be *, or from 0 (Sunday) to 6"),
        ("crontabschedule", {"timezone": "Mars/Base"}, "timezone", "Select a valid choice."),
        ("crontabschedule", {"minute": ""}, "minute", "This field is required."),
        ("clockedschedule", {"clocked_time_0": "soon", "clocked_time_1": "x"}, "clocked_time", "Enter a valid date."),
    ],
)
def test_a_wrong_time_is_told_at_its_field(
    boss: Client, model: str, words: dict[str, Any], field: str, sentence: str
) -> None:
    found = errors(boss.post(add(model), (ANY_TIME if model == "crontabschedule" else {}) | words))
    assert list(found) == [field]
    assert found[field][0].startswith(sentence)
    assert [kind.objects.count() for kind in (IntervalSchedule, CrontabSchedule, ClockedSchedule)] == [0, 0, 0]


def test_a_schedule_is_made_and_paused(boss: Client, minute: IntervalSchedule) -> None:
    form = boss.get(add("periodictask")).content.decode()
    assert "exceptions.analyse" in form and "readable-crontabs" not in form
    assert boss.post(add("crontabschedule"), ANY_TIME | {"minute": "*/15"}).status_code == 302
    every = CrontabSchedule.objects.get()
    assert boss.post(add("periodictask"), task(minute, interval="", crontab=every.pk)).status_code == 302
    made = PeriodicTask.objects.get()
    assert (made.task, made.crontab, made.enabled) == ("e2a.heartbeat", every, True)
    listed = reverse("admin:django_celery_beat_periodictask_changelist", urlconf=PUBLIC)
    assert "Run selected" not in boss.get(listed).content.decode()
    boss.post(listed, {"action": "disable_tasks", "_selected_action": [made.pk]})
    assert not PeriodicTask.objects.get().enabled
