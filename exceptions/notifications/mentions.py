"""Who a comment names with @. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# The characters of user names. What stands in an e-mail address or a path names nobody.
MENTION = re.compile(r"(?<![\w.@+/-])@([\w.@+-]+)")
MOST_MENTIONED = 20
NAME_LENGTH = 150


@dataclass(frozen=True, slots=True)
class Mentioned:
    """`ids` of the members named, each once; `unknown`: names that no member has."""

    ids: tuple[int, ...]
    unknown: tuple[str, ...]


def names_in(text: str) -> list[str]:
    """Each once, as they stand; a dot that ends a sentence may be with them."""
    return list(dict.fromkeys(name[:NAME_LENGTH] for name in MENTION.findall(text)))


def possible_names(names: Iterable[str]) -> set[str]:
    """What a name could be, in small letters: with and without the marks at its end."""
    return {part for name in names for part in spellings(name)}


def spellings(name: str) -> list[str]:
    low = name.casefold()
    bare = low.rstrip(".@+-")
    return [low, bare] if bare and bare != low else [low]


def find_mentioned(names: Iterable[str], members: Mapping[str, int]) -> Mentioned:
    """`members`: ids by user name in small letters."""
    ids: dict[int, None] = {}
    unknown = []
    for name in names:
        found = next((members[part] for part in spellings(name) if part in members), None)
        if found is None:
            unknown.append(name.rstrip(".@+-") or name)
        else:
            ids[found] = None
    return Mentioned(tuple(ids), tuple(unknown))


def trouble_of(mentioned: Mentioned) -> str:
    """A sentence, or nothing."""
    if mentioned.unknown:
        return f"“@{mentioned.unknown[0]}” is no member of this team; choose a name from the list, or leave out the @."
    if len(mentioned.ids) > MOST_MENTIONED:
        return f"A comment can name at most {MOST_MENTIONED} people."
    return ""
