"""Webhook sources: their address, their secret (set, rotated, shown once), and how they do."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.utils.timesince import timesince
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
)

from tenants.admin.fields import JSONObjectField, zone_field
from tenants.admin.service_admin import ReasonField, ServiceAdmin, ServiceForm
from tenants.models import WebhookSource
from tenants.selectors import page_address
from tenants.services.sources import EDITABLE, create_source, edit_source, end_old_secrets, rotate_secret

GRACES = ((24, "24 hours"), (1, "an hour"), (168, "a week"), (0, "not at all"))
SECRET_HELP = "The provider's own, if it gives you one (Shopify does). Left empty: one is made, and shown once."
TOKEN_HELP = "The shop's Admin API token, for reconciliation. Kept encrypted and never shown; left empty, it stays."


class SourceForm(ServiceForm):
    secret_made = ""  # once the source is made
    secret = forms.CharField(
        required=False,
        strip=True,
        help_text=SECRET_HELP,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    timezone = zone_field("For providers that send times without a zone.")
    mapping = JSONObjectField(
        rows=6, required=False, initial={}, help_text="For plain JSON and Standard Webhooks: where each part is found."
    )
    api_url = forms.URLField(
        required=False,
        assume_scheme="https",
        label="API address",
        help_text="The shop's Admin API, for reconciliation.",
        widget=UnfoldAdminURLInputWidget(),
    )
    api_token = forms.CharField(required=False, help_text=TOKEN_HELP, widget=UnfoldAdminPasswordWidget())
    reason = ReasonField()

    class Meta:
        model = WebhookSource
        fields = ("tenant", "name", "provider", "merchant", "settle_seconds", "active")
        help_texts = {
            "name": "Part of its address and the source of its events; it never changes.",
            "merchant": "Whose orders these are. Left empty: “default”.",
            "active": "Switched off, its deliveries are refused; the provider then tries again, or gives up.",
        }

    def perform(self) -> WebhookSource:
        words = {name: value for name, value in self.cleaned_data.items() if name in EDITABLE}
        if self.instance.pk:
            if not words["api_token"]:
                del words["api_token"]
            return edit_source(source=self.instance, **words)
        named = {name: self.cleaned_data[name] for name in ("tenant", "name", "provider", "secret")}
        made = create_source(**named, **words)
        self.secret_made = made.secret
        return made.source


class RotationForm(forms.Form):
    secret = forms.CharField(
        required=False, help_text=SECRET_HELP, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
    )
    grace = forms.TypedChoiceField(
        coerce=lambda hours: timedelta(hours=int(hours)),
        choices=GRACES,
        label="The old one stays valid for",
        help_text="Long enough to set the new one at the provider.",
        widget=UnfoldAdminSelectWidget(),
    )


@admin.register(WebhookSource)
class SourceAdmin(ServiceAdmin):
    form = SourceForm
    list_display = ("name", "tenant", "provider", "address", "active")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter), "provider", "active")
    search_fields = ("name", "tenant__name", "tenant__slug")
    list_select_related = ("tenant",)
    autocomplete_fields = ("tenant",)
    actions_detail = ("rotate", "end_old")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        more = ("For special cases", {"fields": ("timezone", "settle_seconds", "mapping", "api_url", "api_token")})
        if obj is None:
            first = ("tenant", "provider", "name", "secret", "merchant", "active", "reason")
            return (("The source", {"fields": first}), more)
        first = ("tenant", "provider", "name", "address", "secrets_state", "merchant", "active", "reason")
        return (("The source", {"fields": first}), ("How it does", {"fields": ("health",)}), more)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("tenant", "provider", "name", "address", "secrets_state", "health") if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None:
            form.base_fields.pop("secret", None)
        form.base_fields["api_token"].initial = ""
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"active": True, **super().get_changeform_initial_data(request)}

    @display(description="Address")
    def address(self, source: WebhookSource) -> str:
        return page_address(source.tenant, f"/webhooks/{source.tenant.slug}/{source.name}")

    @display(description="Secret")
    def secrets_state(self, source: WebhookSource) -> str:
        old = source.secrets.filter(valid_until__isnull=False).first()
        newest = source.secrets.filter(valid_until=None).first()
        since = f"since {newest.created_at:%Y-%m-%d %H:%M} UTC" if newest else "none"
        return f"{since}; the old one works until {old.valid_until:%Y-%m-%d %H:%M} UTC" if old else since

    @display(description="State")
    def health(self, source: WebhookSource) -> str:
        report = import_string(settings.SOURCE_HEALTH)
        rows = report(source.tenant.schema_name, source.tenant.slug)
        found = next(row for row in rows if row.pk == source.pk)
        last = f"{timesince(found.last_received_at)} ago" if found.last_received_at else "never"
        said = [
            f"Last delivery: {last}",
            f"{found.events_today} events in 24 hours",
            f"{found.waiting_letters} dead letters wait",
            f"{found.refused} refused for their signature",
        ]
        if found.silent_since:
            said.append(f"Unusually silent for {timesince(found.silent_since)}")
        if found.missing_orders:
            said.append(f"{found.missing_orders} order numbers missing")
        return ". ".join(said) + "."

    def save_model(self, request: HttpRequest, obj: WebhookSource, form: Any, change: bool) -> None:
        request.made_secret = form.secret_made  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: WebhookSource, post_url_continue: Any = None) -> HttpResponse:
        return self.show_secret(request, obj, request.made_secret)  # type: ignore[attr-defined]

    def show_secret(self, request: HttpRequest, source: WebhookSource, secret: str) -> HttpResponse:
        return self.show_once(
            request,
            source,
            title=f"The secret of {source.name}",
            sentence="Set it at the provider, with the address below. It is shown this once, and kept encrypted.",
            secret=secret,
            details=(("Address", self.address(source)),),
            back=self.back(source.pk).url,
        )

    @action(description="Rotate the secret", url_path="rotate")
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        source = self.one(request, object_id)
        form = RotationForm(request.POST or None)
        if form.is_valid():
            try:
                made = rotate_secret(
                    source=source, secret=form.cleaned_data["secret"], grace=form.cleaned_data["grace"]
                )
            except forms.ValidationError as wrong:
                form.add_error("secret", wrong.messages)
            else:
                self.log_change(request, source, "Rotated the secret.")
                return self.show_secret(request, source, made.secret)
        return self.ask(
            request,
            source,
            title=f"Rotate the secret of {source.name}",
            sentence="Deliveries signed with the new secret are taken at once, those with the old one for as long as you say.",
            verb="Rotate",
            form=form,
            back=self.back(source.pk).url,
        )

    @action(description="End the old secret", url_path="end-old")
    def end_old(self, request: HttpRequest, object_id: str) -> HttpResponse:
        source = self.one(request, object_id)
        if request.method == "POST":
            return self.act(
                request, source, "The old secret opens nothing any more.", lambda: end_old_secrets(source=source)
            )
        words = {
            "title": "End the old secret now?",
            "sentence": "Deliveries that are still signed with it will be refused.",
            "verb": "End it",
        }
        return self.ask(request, source, back=self.back(source.pk).url, **words)
