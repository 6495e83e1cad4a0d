"""The forms of the dead letters' pages."""

from typing import Any

from django import forms

from e2a.pages import dressed
from orders.letter_lists import LetterFilters
from orders.models import DeadLetterStatus

WHEN = "%Y-%m-%dT%H:%M"
MOST_BODY = 8 * 1024 * 1024
INSTANT = {"type": "datetime-local", "class": "input input-sm max-w-full"}


class LetterFilterForm(forms.Form):
    """Of the list's address. Times are in the page's zone."""

    status = forms.ChoiceField(choices=DeadLetterStatus.choices, required=False)
    source = forms.CharField(required=False, max_length=16)
    reason = forms.CharField(required=False, max_length=40)
    received_after = forms.DateTimeField(
        label="From", required=False, input_formats=[WHEN], widget=forms.DateTimeInput(INSTANT, WHEN)
    )
    received_before = forms.DateTimeField(
        label="To", required=False, input_formats=[WHEN], widget=forms.DateTimeInput(INSTANT, WHEN)
    )
    search = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(
            {"type": "search", "placeholder": "Id, sentence or raw text", "class": "input input-sm grow-field"}
        ),
    )

    def __init__(self, data: Any, *, sources: set[str], reasons: set[str]) -> None:
        super().__init__(data)
        for name, words in (("source", sources), ("reason", reasons)):
            chosen = {str(data.get(name, ""))} - {""}
            choices = [("", f"Any {name}"), *((word, word) for word in sorted((words | chosen) - {""}))]
            self.fields[name].widget = forms.Select(choices=choices)
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = field.label or name.capitalize()
        dressed(self)

    def to_filters(self) -> LetterFilters:
        """What is wrong is left out; the page says it."""
        data = self.cleaned_data if self.is_bound and hasattr(self, "cleaned_data") else {}
        return LetterFilters(
            status=(data.get("status") or DeadLetterStatus.WAITING.value,),
            source=(data["source"],) if data.get("source") else (),
            reason=(data["reason"],) if data.get("reason") else (),
            received_after=data.get("received_after"),
            received_before=data.get("received_before"),
            search=data.get("search", ""),
        )


class EditForm(forms.Form):
    """An edited copy: the body, and a header a line for providers whose replay reads some."""

    body = forms.CharField(
        label="Body",
        strip=False,
        max_length=MOST_BODY,
        widget=forms.Textarea({"rows": 18, "class": "textarea w-full mono", "spellcheck": "false"}),
    )
    headers = forms.CharField(
        label="Headers",
        required=False,
        max_length=8_000,
        widget=forms.Textarea({"rows": 4, "class": "textarea w-full mono", "spellcheck": "false"}),
        help_text="One a line, such as x-shopify-topic: orders/create.",
    )

    def clean_headers(self) -> dict[str, str]:
        lines = [line.strip() for line in self.cleaned_data["headers"].splitlines() if line.strip()]
        if wrong := [line for line in lines if ":" not in line]:
            raise forms.ValidationError(f"“{wrong[0][:60]}” is no header; write name: value.")
        parts = (line.partition(":") for line in lines)
        return {name.strip(): value.strip() for name, _, value in parts}

    def clean_body(self) -> bytes:
        """As it was kept: a browser sends CR LF where the letter had LF."""
        text: str = self.cleaned_data["body"]
        return text.replace("\r\n", "\n").encode("utf-8", "replace")
