"""SLA policies as dated versions: added, never edited or deleted."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSplitDateTimeWidget

from tenants.admin.fields import JSONObjectField
from tenants.admin.service_admin import ReasonField, ServiceAdmin, ServiceForm
from tenants.models import SlaPolicy
from tenants.policy import DEFAULT_RULES
from tenants.services.policies import publish_policy

RULES_HELP = (
    "The flat form: order_fulfillment_hours, shipping_preparation_hours, payment_processing_minutes, "
    "inventory_check_minutes, max_resolution_attempts; a key left out or null means no deadline. Or the form of rules, "
    "with the key “rules”, as tenants/policies.md describes it."
)


class PolicyForm(ServiceForm):
    json_field = "rules"
    rules = JSONObjectField(rows=14, initial=dict(DEFAULT_RULES), help_text=RULES_HELP)
    starts_at = forms.SplitDateTimeField(
        required=False,
        label="Starts",
        widget=UnfoldAdminSplitDateTimeWidget(),
        help_text="In UTC. Left empty: now. Orders that began before keep the version they began under.",
    )
    reason = ReasonField()

    class Meta:
        model = SlaPolicy
        fields = ("tenant", "note")
        help_texts = {"note": "What changes, for whoever reads the list later."}

    def perform(self) -> SlaPolicy:
        words = {name: value for name, value in self.cleaned_data.items() if name != "reason"}
        return publish_policy(**words, by=self.actor)


@admin.register(SlaPolicy)
class PolicyAdmin(ServiceAdmin):
    form = PolicyForm
    list_display = ("tenant", "version", "valid_from", "note", "created_by", "created_at")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("tenant__name", "tenant__slug", "note")
    list_select_related = ("tenant",)
    autocomplete_fields = ("tenant",)
    ordering = ("tenant__slug", "-version")
    changeable = False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("tenant", "rules", "starts_at", "note", "reason")}),)
        return (
            (None, {"fields": ("tenant", "version", "valid_from", "shown_rules", "note", "created_by", "created_at")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("shown_rules", "created_at") if obj else ()

    @display(description="Rules")
    def shown_rules(self, policy: SlaPolicy) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(policy.rules, indent=2, ensure_ascii=False))
