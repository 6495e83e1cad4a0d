"""Who changed what in the configuration, when, where and why: read only, from the tables that triggers fill."""

import re
from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from pghistory.models import Events
from unfold.admin import ModelAdmin
from unfold.decorators import display

from tenants.models import Tenant, User, WebhookSource

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
WORDS = {"added": "success", "changed": "info", "removed": "danger"}
NAMES = ("name", "username", "email", "domain", "prefix", "version", "slug", "role")  # of a row, the first that it has


class TenantFilter(admin.SimpleListFilter):
    title = "tenant"
    parameter_name = "tenant"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Tenant.objects.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if not chosen or not chosen.isdigit():
            return queryset
        itself = Q(pgh_obj_model="tenants.Tenant", pgh_obj_id=chosen)
        return queryset.filter(Q(pgh_data__tenant_id=int(chosen)) | itself)


class KindFilter(admin.SimpleListFilter):
    title = "what"
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = ("Tenant", "Domain", "User", "Membership", "Invitation", "Merchant", "ApiKey", "WebhookSource")
        kinds = (*names, "WebhookSecret", "SlaPolicy", "PolicyDraft")
        return [(f"tenants.{kind}", str(apps.get_model("tenants", kind)._meta.verbose_name)) for kind in kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(pgh_obj_model=self.value()) if self.value() else queryset


class HistoryList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """Each row of the page learns what stood there before it, by one query for all."""
        super().get_results(request)
        rows = list(self.result_list)
        kinds, keys = {row.pgh_obj_model for row in rows}, {row.pgh_obj_id for row in rows}
        older: dict[tuple[str, str], list[Any]] = {}
        for event in Events.objects.filter(pgh_obj_model__in=kinds, pgh_obj_id__in=keys).order_by("pgh_id"):
            older.setdefault((event.pgh_obj_model, event.pgh_obj_id), []).append(event)
        for row in rows:
            earlier = [event for event in older[row.pgh_obj_model, row.pgh_obj_id] if event.pgh_id < row.pgh_id]
            row.before = earlier[-1].pgh_data if earlier else None
        name_owners(rows)
        self.result_list = rows  # type: ignore[assignment]


def name_owners(rows: list[Any]) -> None:
    """Each row learns the name of its tenant and, of a membership or a secret, of what it belongs to."""
    tenants = Tenant.objects.in_bulk(keys_in(rows, "tenant_id"))
    people = User.objects.in_bulk(keys_in(rows, "user_id"))
    sources = WebhookSource.objects.select_related("tenant").in_bulk(keys_in(rows, "source_id"))
    for row in rows:
        source, person = sources.get(row.pgh_data.get("source_id")), people.get(row.pgh_data.get("user_id"))
        owner = source.tenant if source else tenants.get(row.pgh_data.get("tenant_id"))
        row.owner = owner.name if owner else row.pgh_data["name"] if row.pgh_obj_model == "tenants.Tenant" else ""
        row.belongs = f" of {source.name}" if source else f" of {person.get_username()}" if person else ""


def keys_in(rows: list[Any], column: str) -> set[Any]:
    return {row.pgh_data[column] for row in rows if row.pgh_data.get(column)}


@admin.register(Events)
class HistoryAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("when", "who", "did", "what", "tenant", "columns", "why")
    list_display_links = None
    list_filter = (TenantFilter, KindFilter, "pgh_label")
    search_fields = ("pgh_data__name", "pgh_data__username", "pgh_data__email", "pgh_data__slug", "pgh_context__actor")
    search_help_text = "A name, an address, or who did it"
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-pgh_created_at", "-pgh_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = Events.objects.all().order_by(*self.ordering)
        return found

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return HistoryList

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="When (UTC)", ordering="pgh_created_at")
    def when(self, event: Any) -> str:
        return f"{event.pgh_created_at:%Y-%m-%d %H:%M:%S}"

    @display(description="Who")
    def who(self, event: Any) -> str:
        context = event.pgh_context or {}
        return str(context.get("command") or context.get("actor") or "the system")

    @display(description="Did", label=WORDS)
    def did(self, event: Any) -> str:
        return str(event.pgh_label)

    @display(description="What")
    def what(self, event: Any) -> str:
        kind = apps.get_model(event.pgh_obj_model)._meta.verbose_name
        name = next((event.pgh_data[key] for key in NAMES if event.pgh_data.get(key)), event.pgh_obj_id)
        return f"{kind} {name}{event.belongs}"

    @display(description="Tenant")
    def tenant(self, event: Any) -> str:
        return str(event.owner)

    @display(description="Changed")
    def columns(self, event: Any) -> SafeString:
        rows = changed_columns(event.pgh_data, event.before) if event.before else []
        return format_html_join("", "<div>{}: {} → {}</div>", rows)

    @display(description="Why, and where")
    def why(self, event: Any) -> str:
        context = event.pgh_context or {}
        return " · ".join(str(context[key]) for key in ("reason", "url") if context.get(key))


def changed_columns(after: Mapping[str, Any], before: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(column, before, after) of what differs."""
    names = [name for name in after if not name.startswith("pgh_") and after[name] != before.get(name)]
    return [(name.removesuffix("_id"), as_text(before.get(name)), as_text(after[name])) for name in names]


def as_text(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    text = str(value)
    return text[:19].replace("T", " ") if INSTANT.match(text) else text[:200]
