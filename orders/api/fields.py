"""Fields of what clients send in an address or a filter, with sentences that say the way out."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

TEXT_ERRORS: dict[str, Any] = {"max_length": "At most {max_length} characters."}


class ChoicesField(serializers.ListField):
    """Several of a closed list: repeated, separated by commas, or a JSON list. Capitals do not matter."""

    def __init__(self, choices: Iterable[str], **kwargs: Any) -> None:
        self.known = {choice.casefold(): choice for choice in choices}
        super().__init__(child=serializers.CharField(max_length=64), required=False, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        words = super().to_internal_value(split(data))
        for word in words:
            if word.casefold() not in self.known:
                raise serializers.ValidationError(f"“{word}” is not known here: use {', '.join(self.known.values())}.")
        return [self.known[word.casefold()] for word in words]


class WordsField(serializers.ListField):
    """Several words: repeated, separated by commas, or a JSON list."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.CharField(max_length=64), required=False, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        words: list[str] = super().to_internal_value(split(data))
        return words


class InstantField(serializers.DateTimeField):
    """A time; in an address an unescaped + of its zone arrives as a space."""

    default_error_messages = {
        "invalid": "Not a time: write it like 2026-11-23T10:00:00Z, or a date like 2026-11-23 (UTC).",
        "date": "Not a time: write it like 2026-11-23T10:00:00Z.",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["iso-8601", "%Y-%m-%d"], **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data.replace(" ", "+") if isinstance(data, str) and "T" in data else data)


def split(data: Any) -> Any:
    if isinstance(data, str):
        data = [data]
    if not isinstance(data, list):
        return data
    words = [part for item in data for part in (item.split(",") if isinstance(item, str) else [item])]
    return [word.strip() if isinstance(word, str) else word for word in words if word != ""]


class PageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    cursor = serializers.CharField(required=False, default="", allow_blank=True, max_length=2000)
    page_size = serializers.IntegerField(
        required=False,
        default=50,
        min_value=1,
        max_value=1000,
        error_messages={
            "invalid": "A whole number from 1 to 1000.",
            "min_value": "A whole number from 1 to 1000.",
            "max_value": "A whole number from 1 to 1000.",
        },
    )


def single(query: Any, names: Iterable[str]) -> dict[str, Any]:
    """An address's parameters as a serializer takes them: the named ones once (the last), the others as lists."""
    once = set(names)
    return {key: query.get(key) if key in once else query.getlist(key) for key in query}
