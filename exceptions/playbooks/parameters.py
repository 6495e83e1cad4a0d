"""Parameters of an action: what is wrong with given ones, and texts with their placeholders filled in. Pure."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from exceptions.playbooks.catalogue import ActionKind, Parameter

PLACEHOLDERS = ("order", "merchant", "reason", "tracking", "carrier", "customer", "due", "link")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
ADDRESS_PARTS = (
    "firstName",
    "lastName",
    "company",
    "address1",
    "address2",
    "city",
    "zip",
    "provinceCode",
    "countryCode",
    "phone",
)
NEEDED_PARTS = ("address1", "city", "zip", "countryCode")
MOST_CENTS = 10**12
WORDS = 20
UNSTORABLE = "It holds a character that cannot be kept."


def parameter_troubles(kind: ActionKind, given: Any, *, running: bool = False) -> list[tuple[str, str]]:
    """(name, sentence). What is given at the run may be missing in a playbook; `running`: nothing may be."""
    if not isinstance(given, Mapping):
        return [("", "Give an object of parameters.")]
    known = {parameter.name: parameter for parameter in kind.parameters}
    found = [
        (str(name)[:40], f"“{kind.title}” takes no such parameter; it takes {', '.join(known) or 'none'}.")
        for name in given
        if name not in known
    ]
    for name, parameter in known.items():
        value = given.get(name)
        if value in (None, "", [], {}):
            if parameter.required and (running or not parameter.at_run):
                found.append((name, f"“{parameter.title}” is missing."))
        elif trouble := CHECKS[parameter.shape](parameter, value):
            found.append((name, trouble))
    return found


def _text(parameter: Parameter, value: Any) -> str:
    if not isinstance(value, str):
        return "Give a text."
    if len(value) > parameter.longest:
        return f"It is longer than {parameter.longest} characters."
    if not is_storable(value):
        return UNSTORABLE
    unknown = [word for word in PLACEHOLDER.findall(value) if word not in PLACEHOLDERS]
    if unknown and parameter.name in ("subject", "text", "note"):
        return f"There is no placeholder {{{unknown[0][:30]}}}; there are {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}."
    return ""


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold it: no NUL, no half of a surrogate pair."""
    try:
        return "\x00" not in text and bool(text.encode() or True)
    except UnicodeEncodeError:
        return False


def _choice(parameter: Parameter, value: Any) -> str:
    return "" if value in parameter.choices else f"Choose one of {', '.join(parameter.choices)}."


def _flag(parameter: Parameter, value: Any) -> str:
    return "" if isinstance(value, bool) else "It must be true or false."


def _cents(parameter: Parameter, value: Any) -> str:
    good = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_CENTS
    return "" if good else "Give a sum in whole cents above 0."


def _time(parameter: Parameter, value: Any) -> str:
    try:
        good = isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        good = False
    return "" if good else "Give an ISO 8601 time with a zone, such as 2026-12-01T10:00:00Z."


def _address(parameter: Parameter, value: Any) -> str:
    if not isinstance(value, Mapping) or any(part not in ADDRESS_PARTS for part in value):
        return f"Give an object with {', '.join(ADDRESS_PARTS)}."
    if not all(isinstance(text, str) and len(text) <= 200 and is_storable(text) for text in value.values()):
        return "Each part of an address is a text of at most 200 characters."
    missing = [part for part in NEEDED_PARTS if not value.get(part, "").strip()]
    if missing:
        return f"The address lacks {', '.join(missing)}."
    return "" if re.fullmatch(r"[A-Z]{2}", value["countryCode"]) else "countryCode is two capital letters, such as PT."


def _words(parameter: Parameter, value: Any) -> str:
    good = (
        isinstance(value, list)
        and len(value) <= WORDS
        and all(isinstance(word, str) and word.strip() and len(word) <= 40 and "," not in word for word in value)
        and is_storable("".join(value))
    )
    return "" if good else f"Give a list of at most {WORDS} words without commas, each of at most 40 characters."


CHECKS: Mapping[str, Callable[[Parameter, Any], str]] = {
    "text": _text,
    "long_text": _text,
    "choice": _choice,
    "flag": _flag,
    "cents": _cents,
    "time": _time,
    "address": _address,
    "target": _text,
    "member": _text,
    "words": _words,
}


def filled(text: str, values: Mapping[str, str]) -> str:
    """Placeholders replaced once, from left to right: what a value holds is never read as a placeholder."""
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)
