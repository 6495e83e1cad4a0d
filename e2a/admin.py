"""The admin's pages of what the installation itself brings: schedules and sign-ins."""

from typing import Any

from axes.admin import AccessAttemptAdmin, AccessLogAdmin
from axes.models import AccessAttempt, AccessLog
from django.contrib import admin
from django.http import HttpRequest
from django_celery_beat.admin import ClockedScheduleAdmin as BeatClockedAdmin
from django_celery_beat.admin import CrontabScheduleAdmin as BeatCrontabAdmin
from django_celery_beat.admin import PeriodicTaskAdmin as BeatTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

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


class TaskSelect(UnfoldAdminSelectWidget, TaskSelectWidget):  # type: ignore[misc]
    """The registered tasks, dressed as the other fields."""


class ScheduleForm(PeriodicTaskForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelect()


@admin.register(PeriodicTask)
class ScheduleAdmin(BeatTaskAdmin, ModelAdmin):  # type: ignore[misc]
    """Ours are named “e2a: …”: an interval that is changed here stays until its line in the code changes."""

    form = ScheduleForm
    list_display = ("name", "enabled", "scheduler", "interval", "last_run_at", "total_run_count")


@admin.register(IntervalSchedule)
class IntervalAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("__str__", "every", "period")


@admin.register(CrontabSchedule)
class CrontabAdmin(BeatCrontabAdmin, ModelAdmin):  # type: ignore[misc]
    pass


@admin.register(ClockedSchedule)
class ClockedAdmin(BeatClockedAdmin, ModelAdmin):  # type: ignore[misc]
    pass


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
