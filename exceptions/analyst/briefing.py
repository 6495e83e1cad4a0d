"""What the AI is told of a case: a small JSON document without people, and its hash. Pure.

No id of an order, customer or parcel goes out, no time of day, no name of the tenant or its merchant: events are e1, e2, …,
times are lengths. People's own words are few, short, and stripped of names twice (here by form, in the transport by knowledge).
"""

import json
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from exceptions.analyst.case import Case, Happening, length_text
from exceptions.analyst.personal import without_people, without_strangers
from exceptions.analyst.signals import CROWD, traits_of
from exceptions.analyst.words import Action

FIRST_EVENTS, LAST_EVENTS = 15, 25
MOST_TEXTS, LONGEST_TEXT, MOST_CODES, LONGEST_CODE = 3, 240, 3, 60
MOST_CHARACTERS = 12_000
OPEN, CLOSE = "<order-data>", "</order-data>"


def brief(case: Case, permitted: Iterable[Action]) -> str:
    """The message of the user's role. Data cannot leave its marks: every angle bracket in it is escaped."""
    document = document_of(case, sorted(permitted))
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    while len(text) > MOST_CHARACTERS and len(document["events"]) > 2:
        del document["events"][len(document["events"]) // 2]
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return f"{OPEN}\n{text}\n{CLOSE}"


def document_of(case: Case, actions: list[Action]) -> dict[str, Any]:
    subject = case.subject
    return {
        "exception": {
            "reason": subject.reason,
            "severity": subject.severity,
            "state": subject.verdict,
            "opened_after": length_text(subject.opened_at - case.began_at),
            "overdue": length_text(case.until - subject.due_at) if subject.due_at else None,
            "occurrence": subject.occurrence,
        },
        "order": {"status": case.status, "age": length_text(case.until - case.began_at)},
        "stages": [stage_of(case, name) for name in sorted(case.stages)],
        "events": [event_of(case, one) for one in shown(case)],
        "lane": {
            "carrier": without_people(case.lane.carrier),
            "warehouse": without_people(case.lane.warehouse),
            "gateway": without_people(case.lane.gateway),
            "skus": case.lane.skus[:5],
        },
        "lane_today": [
            f"{count} other orders of {without_people(value)}: {label}"
            for (trait, value, label), count in sorted(case.today.alike.items())
            if count >= CROWD and (trait, value) in set(traits_of(case))
        ][:8],
        "texts": [plain(text) for text in case.texts[:MOST_TEXTS]],
        "allowed_actions": list(actions),
    }


def stage_of(case: Case, name: str) -> dict[str, Any]:
    stage = case.stages[name]
    took = None
    if stage.started_at:
        took = length_text(min(stage.ended_at or case.until, case.until) - stage.started_at)
    return {
        "name": name,
        "state": stage.state,
        "took": took,
        "target_minutes": stage.target_seconds // 60 if stage.target_seconds else None,
    }


def shown(case: Case) -> list[Happening]:
    """The beginning and the end of a long history."""
    found = list(case.happenings)
    return found if len(found) <= FIRST_EVENTS + LAST_EVENTS else [*found[:FIRST_EVENTS], *found[-LAST_EVENTS:]]


def event_of(case: Case, one: Happening) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ref": one.ref,
        "after": length_text(one.at - case.began_at),
        "type": one.kind,
        "source": one.fact.source,
    }
    if says := [plain(code, LONGEST_CODE) for code in one.told.codes[:MOST_CODES]]:
        told["says"] = says
    return told


def plain(text: str, length: int = LONGEST_TEXT) -> str:
    """Cut first, so that what is long costs nothing; then without people."""
    return without_strangers(without_people(text[: 2 * length]))[:length]


def hash_of(message: str, *, model: str, prompt_version: str) -> str:
    """The same question to the same analyst: its answer may be used again, inside the same tenant."""
    return blake2b(f"{model}\n{prompt_version}\n{message}".encode(), digest_size=32).hexdigest()
