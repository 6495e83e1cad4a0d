"""API keys: made, shown once, revoked."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from e2a.postgresql.raw import database_now, raw_connection
from tenants.admin.service_admin import ReasonField, ServiceAdmin, ServiceForm
from tenants.models import ApiKey, Scope
from tenants.selectors import key_state
from tenants.services import create_api_key, revoke_api_key


class ApiKeyForm(ServiceForm):
    key = ""  # the whole key, once it is made
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="Only what the program needs.",
    )
    sources = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Names of sources, separated by commas, to which the key is bound. Left empty: any.",
    )
    reason = ReasonField()

    class Meta:
        model = ApiKey
        fields = ("tenant", "name", "merchant", "expires_at")
        help_texts = {
            "name": "What the key is for, such as “warehouse system”.",
            "expires_at": "In UTC. Left empty: it works until it is revoked.",
        }

    def clean_sources(self) -> list[str]:
        return [name for name in (part.strip() for part in self.cleaned_data["sources"].split(",")) if name]

    def perform(self) -> ApiKey:
        words = {name: value for name, value in self.cleaned_data.items() if name != "reason"}
        made = create_api_key(**words)
        self.key = made.key
        return made.row


@admin.register(ApiKey)
class ApiKeyAdmin(ServiceAdmin):
    form = ApiKeyForm
    list_display = ("prefix", "name", "tenant", "may", "state", "expires_at", "created_at")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter), ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("prefix", "name", "tenant__name", "tenant__slug")
    list_select_related = ("tenant",)
    autocomplete_fields = ("tenant",)
    changeable = False
    actions_detail = ("revoke",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return (
                ("The key", {"fields": ("tenant", "name", "scopes", "expires_at")}),
                ("Bounds", {"fields": ("sources", "merchant", "reason")}),
            )
        shown = ("prefix", "tenant", "name", "may", "sources", "merchant", "state", "expires_at", "created_at")
        return ((None, {"fields": shown}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("prefix", "may", "state", "created_at") if obj else ()

    @display(description="May")
    def may(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(description="State", label={"works": "success", "revoked": "danger", "ended": "warning"})
    def state(self, key: ApiKey) -> str:
        return key_state(key, database_now(raw_connection()))

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        request.made_key = form.key  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: Any = None) -> HttpResponse:
        return self.show_once(
            request,
            obj,
            title="The new API key",
            sentence=f"This is the key of {obj.tenant}. It is shown this once: only a digest of it is kept.",
            secret=request.made_key,  # type: ignore[attr-defined]
            details=(
                ("Sent as", "Authorization: Bearer KEY"),
                ("Beside", f"X-Tenant-Id: {obj.tenant.slug}"),
                ("May", ", ".join(obj.scopes)),
            ),
            back=self.back(obj.pk).url,
        )

    @action(description="Revoke", url_path="revoke")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.one(request, object_id)
        if request.method == "POST":
            done = f"The key {row.prefix} is revoked."
            return self.act(request, row, done, lambda: revoke_api_key(prefix=row.prefix, tenant=row.tenant))
        sentence = "Programs that use it are refused from their next request on. This cannot be undone."
        words = {"title": f"Revoke the key {row.prefix}?", "sentence": sentence, "verb": "Revoke"}
        return self.ask(request, row, back=self.back(row.pk).url, **words)
