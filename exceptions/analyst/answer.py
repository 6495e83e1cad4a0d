"""The AI's answer: the schema that is asked for, and the check that does not trust it. Pure.

A schema is a wish; what counts is this check: exactly the keys, values of the lists, evidence that exists in this order, an
action that the rules permit for this case, plain words.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any

import msgspec

from exceptions.analyst.case import Case
from exceptions.analyst.leaks import PROMISE, quoted_instructions, untold_id
from exceptions.analyst.rules import Evidence, Judgement
from exceptions.analyst.words import Action, Blame, Label

LONGEST_CAUSE, LONGEST_NOTE, LONGEST_SHOWS, MOST_EVIDENCE = 600, 1000, 200, 8
MARKUP = re.compile(
    r"<[^>]{0,500}>|&[a-z]{2,8};|&#\d|!\[|\]\(|```|https?:|www\.|javascript:|data:[a-z]+/", re.IGNORECASE
)
PLACEHOLDER = re.compile(r"\[[A-Z]{3,}\]")
INTERNAL = re.compile(
    r"\b(sla|breach\w*|exceptions?|label\w*|webhooks?|payload|json|prompt|event e\d+|confidence|root cause|blame|playbook"
    r"|e2a|e²a|internal|ops|fold|radar|language model)\b",
    re.IGNORECASE,
)
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NOTE)]


class BadAnswer(Exception):
    """The AI's answer does not hold. `garbage`: it is not even JSON, which speaks against the provider."""

    def __init__(self, sentence: str, *, garbage: bool = False) -> None:
        self.sentence = sentence
        self.garbage = garbage
        super().__init__(sentence)


class Cited(msgspec.Struct, forbid_unknown_fields=True):
    event: Annotated[str, msgspec.Meta(max_length=128)]
    shows: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_SHOWS)]


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    label: Label
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]
    blame: Blame
    root_cause: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_CAUSE)]
    evidence: Annotated[list[Cited], msgspec.Meta(min_length=1, max_length=MOST_EVIDENCE)]
    ops_note: Text
    client_note: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_CAUSE)]
    action: Action


_decoder = msgspec.json.Decoder(Answer, strict=True)


def answer_schema(actions: Iterable[Action]) -> dict[str, Any]:
    """`response_format` of a chat completion. Source: OpenRouter, “Structured outputs”."""
    text = {"type": "string"}
    cited = strict_object({"event": text, "shows": text})
    properties = {
        "label": {"type": "string", "enum": Label.values},
        "confidence": {"type": "number"},
        "blame": {"type": "string", "enum": Blame.values},
        "root_cause": text,
        "evidence": {"type": "array", "items": cited},
        "ops_note": text,
        "client_note": text,
        "action": {"type": "string", "enum": sorted(actions)},
    }
    return {
        "type": "json_schema",
        "json_schema": {"name": "analysis", "strict": True, "schema": strict_object(properties)},
    }


def strict_object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def read_answer(content: str, case: Case, permitted: Collection[Action], *, message: str = "") -> Judgement:
    """The answer to that message, as an analysis. Raises: BadAnswer, with a sentence for the team."""
    answer = decoded(content)
    if answer.action not in permitted:
        raise BadAnswer(f"It recommends “{answer.action}”, which this case does not permit.")
    evidence = cited_events(answer.evidence, case)
    for name in ("root_cause", "ops_note", "client_note"):
        check_text(name, getattr(answer, name), message)
    for one in evidence:
        check_text("evidence", one.shows, message)
    for forbidden in (INTERNAL, PLACEHOLDER, PROMISE):
        if found := forbidden.search(answer.client_note):
            raise BadAnswer(f"Its words for the customer say “{found[0]}”.")
    return Judgement(
        label=answer.label,
        confidence=round(answer.confidence, 3),
        blame=answer.blame,
        root_cause=one_line(answer.root_cause),
        evidence=evidence,
        ops_note=one_line(answer.ops_note),
        client_note=one_line(answer.client_note),
        action=answer.action,
        plausible={answer.label: answer.confidence},
    )


def decoded(content: str) -> Answer:
    try:
        return _decoder.decode(content)
    except msgspec.ValidationError as error:
        raise BadAnswer(f"It has another form than was asked for: {str(error)[:160]}.") from None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise BadAnswer("It is not JSON.", garbage=True) from None


def cited_events(cited: Iterable[Cited], case: Case) -> list[Evidence]:
    """Raises: BadAnswer for an event that this order does not have."""
    by_name = {name: one for one in case.happenings for name in (one.ref, one.fact.event_id)}
    found: dict[str, Evidence] = {}
    for one in cited:
        happening = by_name.get(one.event)
        if happening is None:
            raise BadAnswer("It cites an event that this order does not have.")
        fact = happening.fact
        found.setdefault(happening.ref, Evidence(happening.ref, fact.event_id, fact.source, one_line(one.shows)))
    return list(found.values())


def check_text(name: str, text: str, message: str) -> None:
    """Raises: BadAnswer for markup, links, what does not print, our own instructions and ids from elsewhere."""
    if found := MARKUP.search(text):
        raise BadAnswer(f"Its {name} has markup or a link: “{found[0][:20]}”.")
    if not all(mark.isprintable() or mark in "\n\r\t" for mark in text):
        raise BadAnswer(f"Its {name} has characters that do not print.")
    if quoted := quoted_instructions(text):
        raise BadAnswer(f"Its {name} repeats our instructions: “{quoted}”.")
    if untold := untold_id(text, message):
        raise BadAnswer(f"Its {name} names “{untold[:40]}”, of which it was told nothing.")


def one_line(text: str) -> str:
    return " ".join(text.split())
