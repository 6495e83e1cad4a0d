"""The admin's form of a schedule: which task, when, and with what. A wrong value gets a sentence at its field."""

import json
from typing import Any

from django import forms
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from unfold.widgets import UnfoldAdminSelectWidget

from e2a.celery import app

CRON = {
    "minute": "from 0 to 59, such as 0, */15 or 10,40",
    "hour": "from 0 to 23, such as 6, */2 or 8-18",
    "day_of_month": "from 1 to 31, such as 1 or 1,15",
    "month_of_year": "from 1 to 12, such as 1-6",
    "day_of_week": "from 0 (Sunday) to 6, or by names, such as mon-fri",
}
TIMINGS = ("interval", "crontab", "solar", "clocked")


def tasks() -> list[tuple[str, str]]:
    """Those that a worker knows; a schedule of any other would be sent and never run."""
    app.loader.import_default_modules()
    names = sorted(name for name in app.tasks if not name.startswith("celery."))
    return [("", "---------"), *((name, name) for name in names)]


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]
    task = forms.ChoiceField(choices=tasks, widget=UnfoldAdminSelectWidget, help_text="What a worker does each time.")

    class Meta:
        model = PeriodicTask
        error_messages = {"name": {"unique": "There is a schedule of this name already; choose another."}}
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets say which

    def clean_args(self) -> str:
        return self.json_of("args", list, "a JSON list, such as []")

    def clean_kwargs(self) -> str:
        return self.json_of("kwargs", dict, 'a JSON object, such as {"name": "value"}')

    def clean_headers(self) -> str:
        return self.json_of("headers", dict, 'a JSON object, such as {"name": "value"}')

    def json_of(self, field: str, kind: type, such: str) -> str:
        text: str = self.cleaned_data[field] or ("[]" if kind is list else "{}")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, kind):
            raise forms.ValidationError(f"It must be {such}.")
        return text

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = [name for name in TIMINGS if data.get(name)]
        if not chosen and not self.errors.keys() & set(TIMINGS):
            self.add_error("interval", "Choose when it runs: an interval, a crontab, a solar event or a clocked time.")
        for name in chosen[1:]:
            self.add_error(name, f"It runs by its {chosen[0]} already; choose one of them.")
        if data.get("clocked") and not data.get("one_off"):
            self.add_error("one_off", "What runs at a clocked time runs once: tick this.")
        if data.get("expires") and data.get("expire_seconds") is not None:
            self.add_error("expire_seconds", "Give an end or a number of seconds, not both.")
        return data

    def validate_unique(self) -> None:
        """The name only: the model's own look at the timings repeats ours with no field."""
        try:
            super(PeriodicTask, self.instance).validate_unique(exclude=self._get_validation_exclusions())  # type: ignore[call-arg, attr-defined]
        except forms.ValidationError as taken:
            self._update_errors(taken)  # type: ignore[attr-defined]


class CrontabForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = CrontabSchedule
        fields = (*CRON, "timezone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, such in CRON.items():
            self.fields[name].help_text = f"Each: *. Or {such}."

    def _clean_fields(self) -> None:
        super()._clean_fields()  # type: ignore[misc]
        for name, such in CRON.items():
            try:
                CrontabSchedule._meta.get_field(name).run_validators(self.cleaned_data.get(name, "*"))
            except forms.ValidationError:
                self.add_error(name, f"It must be *, or {such}.")
