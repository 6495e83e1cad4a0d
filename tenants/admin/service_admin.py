"""What our admin pages share: saving is a service's, dangerous acts are asked about first, secrets are shown once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import pghistory
from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from e2a.errors import ProblemError
from tenants.policy import PolicyError


class ReasonField(forms.CharField):
    """Why somebody changes something; kept in the history beside who and where."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            max_length=200,
            label="Reason",
            help_text="Optional. Kept in the history beside your name.",
            widget=UnfoldAdminTextInputWidget(),
        )


class ServiceForm(forms.ModelForm):  # type: ignore[type-arg]
    """Once every field is valid, `perform` runs: what the service refuses then stands at its field, even after a race.

    The admin validates within the transaction that it saves in, so nothing is half done. `fields_of_service` leads from the
    service's names to the form's, where they differ.
    """

    fields_of_service: ClassVar[Mapping[str, str]] = {}
    json_field: ClassVar[str] = ""  # where the sentences of a PolicyError stand
    actor = "admin"  # set by ServiceAdmin
    perform: Callable[
        [], Model
    ]  # each form's own call of a service. Raises: ValidationError, PolicyError, ProblemError

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound or self.errors:
            return
        try:
            with transaction.atomic(), pghistory.context(reason=self.cleaned_data.get("reason", "")):
                self.instance = self.perform()
        except ValidationError as wrong:
            self.refuse(wrong)
        except PolicyError as wrong:
            self.add_error(self.json_field, [f"{key}: {text}" for key, texts in wrong.errors.items() for text in texts])
        except ProblemError as wrong:
            self.add_error(None, wrong.detail)

    def refuse(self, wrong: ValidationError) -> None:
        by_field = wrong.message_dict if hasattr(wrong, "error_dict") else {NON_FIELD_ERRORS: wrong.messages}
        for name, texts in by_field.items():
            field = self.fields_of_service.get(name, name)
            self.add_error(field if field in self.fields else None, texts)


class ServiceAdmin(ModelAdmin):  # type: ignore[misc]
    """Rows are written by services only; nothing is deleted in bulk, and only what allows it by `deletable`."""

    actions: Sequence[str] = ()
    deletable = False
    addable = True
    changeable = True
    compressed_fields = True
    warn_unsaved_form = True
    list_per_page = 50
    show_full_result_count = False

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.actor = f"user:{request.user.get_username()}"
        return form

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """The form's service has saved it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nor is there anything else to save."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.addable and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.changeable and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.deletable and super().has_delete_permission(request, obj)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """A refusal of the service becomes a sentence on the row's own page."""
        try:
            response: HttpResponse = super().delete_view(request, object_id, extra_context)
        except ProblemError as refusal:
            messages.error(request, refusal.detail)
            return self.back(object_id)
        return response

    def one(self, request: HttpRequest, object_id: str) -> Any:
        """The row of a detail action. Raises: Http404, PermissionDenied."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not ModelAdmin.has_change_permission(self, request, row):
            raise PermissionDenied
        return row

    def back(self, object_id: Any) -> HttpResponseRedirect:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=(quote(object_id),)))

    def ask(self, request: HttpRequest, row: Model, **words: Any) -> TemplateResponse:
        """The page before a dangerous act: `title`, `sentence`, `verb`, and a `form` if the act needs words."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "original": row, **words}
        return TemplateResponse(request, "admin/ask_first.html", context)

    def show_once(self, request: HttpRequest, row: Model, **words: Any) -> HttpResponse:
        """A secret on a page of its own: not in a message, which would rest in a cookie or the session."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "original": row, **words}
        page = TemplateResponse(request, "admin/shown_once.html", context)
        return never_cache(lambda _: page)(request)

    def act(self, request: HttpRequest, row: Model, done: str, work: Any, reason: str = "") -> HttpResponse:
        """Does it, says so, and goes back to the row. A refusal is said instead."""
        try:
            with transaction.atomic(), pghistory.context(reason=reason):
                work()
        except ProblemError as refusal:
            messages.error(request, refusal.detail)
        else:
            self.log_change(request, row, done)
            messages.success(request, done)
        return self.back(row.pk)
