"""Form fields that several admin pages share."""

import json
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget


def zone_field(help_text: str) -> forms.ChoiceField:
    zones = [(name, name) for name in sorted(available_timezones())]
    return forms.ChoiceField(choices=zones, initial="UTC", help_text=help_text, widget=UnfoldAdminSelectWidget())


class JSONObjectField(forms.CharField):
    """A JSON object as text. `initial` is an object. What JSON has not, such as NaN, is refused with a sentence."""

    def __init__(self, *, rows: int = 8, **options: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": rows, "spellcheck": "false"}), **options)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return {}
        try:
            read = json.loads(text, parse_constant=refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ValidationError(f"This is not JSON: {error}.") from None
        if not isinstance(read, dict):
            raise ValidationError('It must be a JSON object, such as {"key": 1}.')
        return read

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or {}))
        except ValidationError:
            return True


def refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON number")
