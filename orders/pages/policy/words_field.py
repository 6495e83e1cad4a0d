"""Several words in one line, separated by commas; a word that has a comma of its own stands in quotes."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any


def words_of(text: str) -> list[str]:
    """Each once, in the order given."""
    rows = csv.reader([" ".join(text.split())], skipinitialspace=True)
    return list(dict.fromkeys(word.strip() for row in rows for word in row if word.strip()))


def line_of(words: Any) -> str:
    """The inverse. `words`: a text, a list of texts, or nothing."""
    listed: Sequence[str] = [words] if isinstance(words, str) else words or []
    line = StringIO()
    csv.writer(line, lineterminator="").writerow(listed)
    return line.getvalue().replace(",", ", ") if not any("," in word for word in listed) else line.getvalue()


def number_of(text: str) -> Any:
    """As JSON has it; what is no number stays a text, for the policy's own sentence."""
    said = text.strip().replace(",", ".")
    try:
        number = float(said)
    except ValueError:
        return said
    return int(number) if number.is_integer() else number


def text_of(number: Any) -> str:
    """The inverse."""
    return "" if number is None else str(int(number) if isinstance(number, float) and number.is_integer() else number)


def without_empty(form: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in form.items() if value not in ("", None, [], {})}
