"""Taking people out of a text: what an order's payloads say of them, and what looks like them. Pure.

Two nets. The first knows: names, streets, e-mails, phones and cards that stand in the order's own payloads are found in any
text, however spaced, cased or accented. The second guesses by form: e-mails, links, long numbers, streets.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orders.privacy import PERSONS, REDACTED

NAME, EMAIL, PHONE, STREET, CARD, PLACE, LINK = (
    "[NAME]", "[EMAIL]", "[PHONE]", "[STREET]", "[CARD]", "[PLACE]", "[LINK]",
)  # fmt: skip
DEEPEST, LEAST_DIGITS, LEAST_PHRASE = 64, 7, 4
NAMES = frozenset(
    ["first_name", "last_name", "full_name", "name", "company", "contact", "recipient", "firstname", "lastname"]
)
ALWAYS_NAMES = frozenset(
    [
        "first_name",
        "last_name",
        "full_name",
        "customer_name",
        "recipient_name",
        "contact_name",
        "signed_by",
        "firstname",
    ]
)
STREETS = frozenset(["address1", "address2", "street", "street1", "street2", "line1", "line2", "address"])
PLACES = frozenset(["city", "zip", "zip_code", "postal_code", "postcode"])
PHONES = frozenset(["phone", "phone_number", "mobile", "telephone"])
PARTICLES = frozenset(
    ["de", "da", "do", "dos", "das", "di", "del", "della", "la", "le", "el", "al", "van", "der", "den", "von", "zu", "zum",
     "und", "y", "e", "of", "the", "and", "mr", "mrs", "ms", "dr"]
)  # fmt: skip

# Every repetition is bounded: a text made to be slow must not be.
_ADDRESS = r"[^\s@<>\"',;:()\[\]{}]"
E_MAIL = re.compile(rf"{_ADDRESS}{{1,64}}@{_ADDRESS}{{1,100}}\.{_ADDRESS}{{1,40}}")
ENDS = "com|net|org|info|io|co|eu|es|pt|fr|de|nl|it|uk|us|br|shop"
URL = re.compile(
    rf"(?i)\b(?:https?|ftp)://\S{{1,500}}|\bwww\.\S{{1,500}}|\b[a-z0-9-]{{1,63}}(?:\.[a-z0-9-]{{1,63}}){{0,4}}\.(?:{ENDS})\b(?:/\S{{0,500}})?"
)
NUMBER = re.compile(r"(?<![\w.-])\+?\(?\d(?:[\s().\-/]{0,2}\d){6,}(?![\w])")
DIGITS = re.compile(r"\d(?:\W{0,2}\d){6,}")
ACCOUNT = re.compile(r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,4})?\b")
KINDS_OF_STREET = (
    "street|avenue|road|lane|drive|boulevard|square|court|calle|carrer|carretera|avenida|avinguda|passeig|paseo|plaza|plaça|"
    "rua|travessa|praça|largo|rue|cours|quai|place|allée|chemin|impasse|via|viale|piazza|corso|strada"
)
_PART = r"[\w'’.-]{1,40}"
STREET_BEFORE = re.compile(
    rf"(?i)\b(?:{KINDS_OF_STREET})\s+{_PART}(?:\s+{_PART}){{0,4}}?[,\s]{{1,3}}(?:n[º°o.]{{1,2}}\s*)?\d{{1,4}}\s?[a-z]?\b"
)
STREET_AFTER = re.compile(
    rf"(?i)\b\d{{1,5}}[a-z]?\s+(?:{_PART}\s+){{1,3}}(?:street|st|avenue|ave|road|rd|lane|drive|boulevard|blvd)\b"
    r"|\b(?:[\w'’-]{1,40}\s)?[\w'’-]{0,40}(?:stra(?:ß|ss)e|straat|gracht|laan|allee|gasse|weg|platz)\s+\d{1,4}\s?[a-z]?\b"
)
_CAPITALISED = r"[^\W\d_a-z][^\W\d_A-Z]{1,40}"
PAIR = re.compile(rf"\b{_CAPITALISED}(?:\s+{_CAPITALISED}){{1,4}}\b")
STRANGER = re.compile(rf"((?<![.!?:\]])\s[\"'(]?){_CAPITALISED}\b")
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Person:
    """What an order says of people. `words`: folded parts of names; `digits`: of phones and cards; phrases as they stand."""

    words: frozenset[str] = frozenset()
    digits: frozenset[str] = frozenset()
    phrases: tuple[tuple[str, str], ...] = ()  # (text, placeholder), the longest first


NOBODY = Person()


def person_of(payloads: Iterable[Any]) -> Person:
    """Everything that the payloads of an order know of people."""
    words: set[str] = set()
    digits: set[str] = set()
    phrases: dict[str, str] = {}
    for payload in payloads:
        for kind, value in facts_of(payload):
            if kind == NAME:
                words |= {folded(part) for part in WORD.findall(value)} - PARTICLES
            elif kind in (PHONE, CARD):
                digits.add("".join(mark for mark in value if mark.isdigit()))
            for phrase in (value, value.rstrip("0123456789 ,.ºª-"), *value.split(", ")) if kind == STREET else (value,):
                if len(phrase) >= LEAST_PHRASE and kind != NAME:
                    phrases.setdefault(phrase, kind)
    ordered = sorted(phrases.items(), key=lambda pair: (-len(pair[0]), pair))
    return Person(
        frozenset(word for word in words if len(word) > 1),
        frozenset(text for text in digits if len(text) >= LEAST_DIGITS),
        tuple(ordered),
    )


def facts_of(value: Any, *, key: str = "", within: bool = False, depth: int = 0) -> Iterator[tuple[str, str]]:
    """(placeholder, text) of what a JSON value says of people. `within`: inside an object that is a person."""
    if depth > DEEPEST:
        return
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from facts_of(item, key=str(name).lower(), within=within or name in PERSONS, depth=depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from facts_of(item, key=key, within=within, depth=depth + 1)
    elif isinstance(value, str) and value and value != REDACTED and (kind := kind_of(key, value, within)):
        yield kind, value


def kind_of(key: str, value: str, within: bool) -> str:
    if E_MAIL.fullmatch(value):
        return EMAIL
    if key in PHONES:
        return PHONE
    if "card" in key and sum(mark.isdigit() for mark in value) >= LEAST_DIGITS:
        return CARD
    if key in STREETS:
        return STREET
    if key in ALWAYS_NAMES or (within and key in NAMES):
        return NAME
    return PLACE if within and key in PLACES else ""


def without_people(text: str, person: Person = NOBODY) -> str:
    """The text with placeholders. Doing it twice changes nothing."""
    for phrase, kind in person.phrases:
        for form in {phrase, json.dumps(phrase, ensure_ascii=False)[1:-1], json.dumps(phrase)[1:-1]}:
            text = re.sub(re.escape(form), kind, text, flags=re.IGNORECASE)
    text = URL.sub(LINK, E_MAIL.sub(EMAIL, text))
    text = STREET_AFTER.sub(STREET, STREET_BEFORE.sub(STREET, text))
    text = NUMBER.sub(number, ACCOUNT.sub(CARD, text))
    if person.digits:
        text = DIGITS.sub(lambda found: known_number(found, person), text)
    return WORD.sub(lambda found: NAME if is_name(found[0], person) else found[0], text) if person.words else text


def number(found: re.Match[str]) -> str:
    count = sum(mark.isdigit() for mark in found[0])
    return CARD if 13 <= count <= 19 and not found[0].startswith(("+", "00")) else PHONE


def known_number(found: re.Match[str], person: Person) -> str:
    digits = "".join(mark for mark in found[0] if mark.isdigit())
    known = any(digits in one or one in digits or one[-9:] in digits for one in person.digits)
    return number(found) if known else found[0]


def is_name(word: str, person: Person) -> bool:
    if folded(word) in person.words:
        return True
    return any(folded(part) in person.words for part in re.split(r"['’-]", word)) if not word.isalnum() else False


def folded(word: str) -> str:
    """Without case and accents: Núria, NURIA and nuria are one."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(mark for mark in plain if not unicodedata.combining(mark)).replace("ı", "i").replace("ß", "ss")


def without_strangers(text: str) -> str:
    """For people's own words, which may name people that no payload knows: capitalised words within a sentence go too."""
    return STRANGER.sub(lambda found: found[1] + NAME, PAIR.sub(NAME, text))
