"""Reading JSON that a person wrote: each wrong value gets a sentence at its path, and all of them are told at once. Pure."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from math import isfinite
from typing import Any

JsonObject = Mapping[str, Any]
MISSING: Any = object()


def shown(value: Any) -> str:
    """The value as a sentence quotes it, short whatever was sent."""
    if isinstance(value, int | float) and abs(value) > 10**15:
        return "so large a number"
    text = repr(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"
    return text if len(text) <= 40 else f"{text[:40]}…"


def is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and (isinstance(value, int) or isfinite(value))
    )


class Form:
    """A value and where it stands. What is read from it is None where it cannot be used; the sentence is in `errors`."""

    def __init__(self, value: Any, path: str, errors: dict[str, list[str]]) -> None:
        self.value = value
        self.path = path
        self.errors = errors

    def refuse(self, sentence: str) -> None:
        self.errors.setdefault(self.path or "rules", []).append(sentence)

    def has(self, key: str) -> bool:
        """Whether the key is there and not null."""
        return isinstance(self.value, Mapping) and self.value.get(key) is not None

    def at(self, key: str) -> "Form":
        value = self.value.get(key) if isinstance(self.value, Mapping) else None
        return Form(value, f"{self.path}.{key}" if self.path else key, self.errors)

    def is_object(self, keys: Collection[str] = ()) -> bool:
        """`keys`: the known ones; without them any are taken."""
        if not isinstance(self.value, Mapping):
            names = f" with any of the keys {', '.join(keys)}" if keys else ""
            self.refuse(f"It must be an object{names}, not {shown(self.value)}.")
            return False
        for key in self.value if keys else ():
            if key not in keys:
                self.at(str(key)).refuse(f"There is no such key; the keys are {', '.join(keys)}.")
        return True

    def entries(self) -> Iterator[tuple[str, "Form"]]:
        """The keys of an object with their values."""
        for key in self.value if isinstance(self.value, Mapping) else ():
            yield str(key), self.at(str(key))

    def items(self, *, most: int) -> list["Form"]:
        """The items of a list."""
        if not isinstance(self.value, list | tuple):
            self.refuse(f"It must be a list, not {shown(self.value)}.")
            return []
        if len(self.value) > most:
            self.refuse(f"It has {len(self.value)} items; at most {most} are taken.")
            return []
        return [Form(item, f"{self.path}[{index}]", self.errors) for index, item in enumerate(self.value)]

    def text(self, *, most: int) -> str | None:
        if not isinstance(self.value, str) or not self.value.strip():
            self.refuse(f"It must be a text, not {shown(self.value)}.")
            return None
        if len(self.value) > most or "\0" in self.value:
            self.refuse(f"It must be a text of at most {most} characters.")
            return None
        return self.value.strip()

    def word(self, choices: Collection[str]) -> str | None:
        """One of a closed list."""
        if isinstance(self.value, str) and self.value in choices:
            return self.value
        self.refuse(f"It must be one of {', '.join(choices)}, not {shown(self.value)}.")
        return None

    def words(self, *, most: int, length: int = 128) -> frozenset[str] | None:
        """A text or a list of texts, in lower case."""
        forms = [self] if isinstance(self.value, str) else self.items(most=most)
        if isinstance(self.value, list | tuple) and not self.value:
            self.refuse("The list is empty, so nothing could match; name at least one, or leave the key out.")
        found = [text.casefold() for form in forms if (text := form.text(most=length)) is not None]
        return frozenset(found) if found and len(found) == len(forms) else None

    def whole(self, *, least: int, most: int) -> int | None:
        if is_number(self.value) and least <= self.value <= most and self.value == int(self.value):
            return int(self.value)
        self.refuse(f"It must be a whole number from {least} to {most}, not {shown(self.value)}.")
        return None

    def flag(self) -> bool | None:
        if isinstance(self.value, bool):
            return self.value
        self.refuse(f"It must be true or false, not {shown(self.value)}.")
        return None

    def day(self) -> date | None:
        try:
            if isinstance(self.value, str) and len(self.value) == 10 and self.value.isascii():
                return date.fromisoformat(self.value)
        except ValueError:
            pass
        self.refuse(f"It must be a date such as 2026-12-24, not {shown(self.value)}.")
        return None
