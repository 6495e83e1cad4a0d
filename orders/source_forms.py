"""The forms of the sources' pages."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from e2a.pages import dressed
from tenants.models import Provider, WebhookSource
from tenants.services.sources import EDITABLE

GRACES = ((24, "24 hours"), (1, "an hour"), (168, "a week"), (0, "not at all"))
SECRET_HELP = "The provider's own, if it gives you one (Shopify does). Left empty, one is made and shown once."


class SettingsForm(forms.Form):
    """What can be changed of a source at any time."""

    merchant = forms.CharField(
        required=False, max_length=64, help_text="Whose orders these are, as a slug. Left empty: default."
    )
    timezone = forms.CharField(
        label="Time zone",
        required=False,
        max_length=64,
        initial="UTC",
        help_text="For providers that send times without a zone, such as Europe/Lisbon.",
    )
    settle_seconds = forms.IntegerField(
        label="Settle time in seconds",
        min_value=0,
        max_value=30 * 86_400,
        initial=0,
        help_text="How long after its last receipt an order waits before a deadline counts as missed.",
    )
    mapping = forms.JSONField(
        required=False,
        initial=dict,
        widget=forms.Textarea({"rows": 8, "class": "textarea w-full mono", "spellcheck": "false"}),
        help_text="For plain JSON and Standard Webhooks: where each part of an event is found, such as "
        '{"order_id": "data.order.id", "event_type": "kind", "occurred_at": "at"}.',
    )
    api_url = forms.URLField(
        label="Address of the shop's Admin API", required=False, assume_scheme="https", help_text="For reconciliation."
    )
    api_token = forms.CharField(
        label="Token of the Admin API",
        required=False,
        max_length=500,
        widget=forms.PasswordInput({"autocomplete": "off"}),
        help_text="Kept encrypted and never shown. Left empty, it stays as it is.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dressed(self)

    def settings(self) -> dict[str, Any]:
        """Columns of EDITABLE that were given."""
        words = {name: value for name, value in self.cleaned_data.items() if name in EDITABLE}
        words["mapping"] = words["mapping"] or {}
        words["timezone"] = words["timezone"] or "UTC"
        if not words["api_token"]:
            del words["api_token"]
        return words

    def blame(self, wrong: ValidationError) -> None:
        """What the service refuses, at the fields that it names."""
        if not hasattr(wrong, "error_dict"):
            self.add_error(None, wrong.messages)
            return
        for name, texts in wrong.message_dict.items():
            self.add_error(name if name in self.fields else None, texts)


class NewSourceForm(SettingsForm):
    field_order = ("provider", "name", "secret", "merchant")
    provider = forms.ChoiceField(choices=Provider.choices)
    name = forms.CharField(
        max_length=16, help_text="Part of its address and the source of its events; it never changes. Such as shop-1."
    )
    secret = forms.CharField(
        required=False, max_length=512, widget=forms.TextInput({"autocomplete": "off"}), help_text=SECRET_HELP
    )


class RotationForm(forms.Form):
    secret = forms.CharField(
        label="New secret",
        required=False,
        max_length=512,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=SECRET_HELP,
    )
    grace = forms.TypedChoiceField(
        label="The old one stays valid for",
        choices=GRACES,
        coerce=lambda hours: timedelta(hours=int(hours)),
        initial=24,
        help_text="Long enough to set the new one at the provider.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dressed(self)


def settings_of(row: WebhookSource) -> dict[str, Any]:
    """Initial values; a token is never shown."""
    return {name: getattr(row, name) for name in EDITABLE if name not in ("api_token", "active")}
