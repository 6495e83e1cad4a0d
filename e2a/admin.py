"""The admin's pages of what the installation itself brings: schedules and sign-ins."""

from typing import Any

from axes.admin import AccessAttemptAdmin, AccessLogAdmin
from axes.models import AccessAttempt, AccessLog
from django.contrib import admin
from django.http import HttpRequest
from django_celery_beat.admin import PeriodicTaskAdmin as BeatTaskAdmin
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.admin import ModelAdmin

from e2a.schedule_form import CrontabForm, ScheduleForm

for model in (
    PeriodicTask,
    IntervalSchedule,
    CrontabSchedule,
    ClockedSchedule,
    SolarSchedule,
    AccessAttempt,
    AccessLog,
):
    admin.site.unregister(model)


@admin.register(PeriodicTask)
class ScheduleAdmin(BeatTaskAdmin, ModelAdmin):  # type: ignore[misc]
    """Ours are named “e2a: …”: an interval that is changed here stays until its line in the code changes.

    There is no “run now”: a request never calls the broker.
    """

    form = ScheduleForm
    change_form_template = None  # theirs has a script that our policy refuses
    actions = ("enable_tasks", "disable_tasks")
    list_display = ("name", "enabled", "scheduler", "interval", "last_run_at", "total_run_count")
    fieldsets = (
        (None, {"fields": ("name", "task", "enabled", "description")}),
        ("When", {"fields": ("interval", "crontab", "solar", "clocked", "start_time", "last_run_at", "one_off")}),
        ("With what", {"fields": ("args", "kwargs")}),
        ("How", {"fields": ("expires", "expire_seconds", "queue", "exchange", "routing_key", "priority", "headers")}),
    )
    readonly_fields = ("last_run_at",)


@admin.register(IntervalSchedule)
class IntervalAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("__str__", "every", "period")


@admin.register(CrontabSchedule)
class CrontabAdmin(ModelAdmin):  # type: ignore[misc]
    form = CrontabForm
    list_display = ("__str__", "human_readable")


@admin.register(ClockedSchedule)
class ClockedAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("clocked_time",)


@admin.register(AccessAttempt)
class AttemptAdmin(AccessAttemptAdmin, ModelAdmin):  # type: ignore[misc]
    """Deleting a row lets its name and address try again at once."""

    list_display = ("attempt_time", "username", "ip_address", "failures_since_start", "status", "path_info")


@admin.register(AccessLog)
class SignInAdmin(AccessLogAdmin, ModelAdmin):  # type: ignore[misc]
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
