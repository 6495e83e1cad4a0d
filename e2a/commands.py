"""What our management commands share: a failure is one sentence and a non-zero exit; `--json` ends in one JSON object."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pghistory
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from e2a.errors import DATABASE_DOWN


class JSONCommand(BaseCommand):
    """`handle` ends with `self.finish(result, text)`; inside `sentences()` our errors become CommandErrors."""

    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")

    def execute(self, *args: Any, **options: Any) -> str | None:
        with pghistory.context(actor="command", command=type(self).__module__.rpartition(".")[2]):
            return super().execute(*args, **options)

    def finish(self, result: dict[str, Any], text: str, *, as_json: bool) -> None:
        self.stdout.write(json.dumps(result, default=str) if as_json else text)


@contextmanager
def sentences(**options: str) -> Iterator[None]:
    """Raises: CommandError for a refused value. `options`: the command line's name of a field, where it differs."""
    try:
        yield
    except ValidationError as wrong:
        raise CommandError(sentence_of(wrong, options)) from None
    except DATABASE_DOWN:
        raise CommandError("The database cannot be reached; is the stack running? Nothing was changed.") from None


def sentence_of(wrong: ValidationError, names: dict[str, str]) -> str:
    if not hasattr(wrong, "error_dict"):
        return " ".join(wrong.messages)
    fields = wrong.message_dict.items()
    return " ".join(
        text if field == NON_FIELD_ERRORS else f"{names.get(field, field)}: {text}"
        for field, texts in fields
        for text in texts
    )


def json_object(option: str) -> Callable[[str], dict[str, Any]]:
    """Reads an option's text. Raises: CommandError when it is no JSON object."""

    def read(text: str) -> dict[str, Any]:
        try:
            value = json.loads(text, parse_constant=refuse)
        except (ValueError, RecursionError) as error:
            raise CommandError(f"{option} is not JSON: {error}.") from None
        if not isinstance(value, dict):
            raise CommandError(f'{option} must be a JSON object, such as {{"key": 1}}.')
        return value

    return read


def refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON number")
