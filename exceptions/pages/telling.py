"""An exception's timeline in sentences: what happened, and who or what did it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from e2a.templatetags.page_parts import exact
from exceptions.choices import Kind, Resolution, Severity
from exceptions.escalation.chain import Effect, Unless, length
from exceptions.models import TimelineEntry

Detail = Mapping[str, Any]
BAD, GOOD, PERSON = "is-bad", "is-good", "is-person"
TONES: Mapping[str, str] = {
    Kind.OPENED: BAD,
    Kind.REOPENED: BAD,
    Kind.RECURRED: BAD,
    Kind.RESOLVED: GOOD,
    Kind.ENDED: GOOD,
    Kind.RETRACTED: GOOD,
}
FIELDS = {
    "verdict": "the verdict",
    "opened_at": "when it began",
    "ended_at": "when it ended",
    "resolution": "how it ended",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One line. `text` says what, `who` by whom or what, `note` the reason given or the cause."""

    at: datetime
    text: str
    who: str
    note: str
    tone: str
    is_comment: bool


def tell(entry: TimelineEntry) -> Told:
    by_person = entry.actor.startswith("user:")
    tone = TONES.get(entry.kind, PERSON if by_person else "")
    note = entry.reason if not is_machine(entry.actor) else cause_of(entry.reason)
    return Told(entry.at, sentence(entry), who(entry.actor), note, tone, entry.kind == Kind.COMMENTED)


def is_machine(actor: str) -> bool:
    return actor in ("fold", "radar")


def who(actor: str) -> str:
    kind, _, name = actor.partition(":")
    match kind:
        case "user":
            return name
        case "key":
            return f"API key {name}"
        case "fold":
            return "the order's events"
        case "radar":
            return "the radar"
        case "clock":
            return "the clock"
        case "escalation":
            return "the escalation chain"
    return actor


def cause_of(cause: str) -> str:
    """`event wms/evt-1` as `by event evt-1 from wms`; `deadline` as what it means."""
    kind, _, rest = cause.partition(" ")
    if kind == "event" and "/" in rest:
        source, _, event = rest.partition("/")
        return f"by event {event} from {source}"
    return "the deadline passed without any event" if cause == "deadline" else cause


def sentence(entry: TimelineEntry) -> str:
    tells = SENTENCES.get(entry.kind)
    if tells is not None:
        return tells(entry.detail)
    return Kind(entry.kind).label if entry.kind in Kind.values else entry.kind.replace("_", " ").capitalize()


def resolved(detail: Detail) -> str:
    how = word(Resolution, detail.get("resolution"))
    return f"Over before it could be seen: {how}" if detail.get("born") else f"Resolved: {how}"


def assigned(detail: Detail) -> str:
    return f"Assigned to {detail['to']}" if detail.get("to") else "Assigned to nobody"


def escalated(detail: Detail) -> str:
    people = " and ".join(detail.get("to", ())) or "nobody"
    did = f"given to {people}" if detail.get("effect") == Effect.ASSIGN else f"{people} told"
    waited = f"{length(detail.get('after_minutes', 0))} {word(Unless, detail.get('unless'))}"
    return f"Escalated after {waited}: {did}" + (f" ({detail['why']})" if detail.get("why") else "")


def again(what: str) -> Callable[[Detail], str]:
    return lambda detail: f"{what}: occurrence {detail['occurrence']}" if detail.get("occurrence") else what


def word(words: Any, value: Any) -> str:
    return str(words(value).label) if value in words.values else str(value or "–")


def instant(text: Any) -> str:
    found = parse_datetime(text) if isinstance(text, str) else None
    return exact(found) if found else "–"


SENTENCES: Mapping[str, Callable[[Detail], str]] = {
    Kind.RESOLVED: resolved,
    Kind.ASSIGNED: assigned,
    Kind.ESCALATED: escalated,
    Kind.TAGGED: lambda detail: f"Tag added: {detail.get('tag', '–')}",
    Kind.UNTAGGED: lambda detail: f"Tag removed: {detail.get('tag', '–')}",
    Kind.REOPENED: again("Reopened"),
    Kind.RECURRED: again("Happened again, and was over"),
    Kind.SNOOZED: lambda detail: f"Snoozed until {instant(detail.get('until'))}",
    Kind.SEVERITY_CHANGED: lambda detail: (
        f"Severity {word(Severity, detail.get('from'))} → {word(Severity, detail.get('to'))}"
    ),
    Kind.CORRECTED: lambda detail: "A late event put right " + ", ".join(FIELDS.get(name, name) for name in detail),
    Kind.RETRACTED: lambda detail: "A late event showed that this never was",
    Kind.ENDED: lambda detail: f"The cause ended: {word(Resolution, detail.get('how'))}",
}
