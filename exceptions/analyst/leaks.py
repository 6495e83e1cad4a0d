"""What an answer may not carry, however well formed: our instructions, ids that nobody told it, money that nobody gave. Pure."""

import re
from functools import cache

from exceptions.analyst.prompts import prompt_text
from exceptions.analyst.words import Label

RUN = 8  # so many words in a row are a quotation, not a coincidence
WORD = re.compile(r"\w+")
TOKEN = re.compile(r"[\w#-]*\d[\w-]*")
PLAIN_DIGITS, MARKED_DIGITS = 5, 4  # 90000 may be an id, 1440 a number of minutes; #1042 and GX1042 are ids
PROMISE = re.compile(
    r"\b(refund\w*|reimburs\w*|compensat\w*|voucher\w*|discount\w*|for free|free of charge)\b"
    r"|[$€£¥]\s?\d|\d\s?([$€£¥]|\b(eur|usd|gbp|dollars?|euros?)\b)",
    re.IGNORECASE,
)


def quoted_instructions(text: str) -> str:
    """The first words of the prompt that the text repeats, or nothing."""
    words = WORD.findall(text.lower())
    for start in range(len(words) - RUN + 1):
        run = tuple(words[start : start + RUN])
        if run in instructions():
            return " ".join(run)
    return ""


@cache
def instructions() -> frozenset[tuple[str, ...]]:
    """Every run of words of the prompt but for the labels' meanings, which an answer may well use."""
    meanings = tuple(f"- {label}:" for label in Label.values)
    lines = [line for line in prompt_text().splitlines() if not line.startswith(meanings)]
    words = WORD.findall(" ".join(lines).lower())
    return frozenset(tuple(words[start : start + RUN]) for start in range(len(words) - RUN + 1))


def untold_id(text: str, message: str) -> str:
    """A word that looks like an id and was not in the question, or nothing: no order, customer or parcel has its id there."""
    told = message.lower()
    for found in TOKEN.finditer(text):
        token = found[0].strip("-")
        digits = sum(mark.isdigit() for mark in token)
        marked = "#" in token or any(mark.isalpha() for mark in token)
        if digits >= (MARKED_DIGITS if marked else PLAIN_DIGITS) and token.lower() not in told:
            return token
    return ""
