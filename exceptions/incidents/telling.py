"""An incident's words: what it shares, its money, its timeline in sentences. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exceptions.choices import Reason
from exceptions.desk.acts import WORDS
from exceptions.desk.models import BulkRun
from exceptions.incidents.models import Incident, IncidentEntry
from exceptions.incidents.words import FOLD, Dimension, Ending, IncidentKind
from tenants.currencies import amount_words

Detail = Mapping[str, Any]
BAD, GOOD, PERSON = "is-bad", "is-good", "is-person"
TONES: Mapping[str, str] = {
    IncidentKind.OPENED: BAD,
    IncidentKind.GREW: BAD,
    IncidentKind.REOPENED: BAD,
    IncidentKind.CLOSED: GOOD,
    IncidentKind.DISMISSED: GOOD,
}


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the timeline: what, by whom or what, and the reason given."""

    at: datetime
    text: str
    who: str
    note: str
    tone: str
    run: int | None = None  # an act on all of it


def shared_words(shared: Mapping[str, str]) -> str:
    """`Carrier UPS, destination country DE`."""
    parts: list[str] = []
    for word, value in shared.items():
        label = Dimension(word).label if word in Dimension.values else word
        shown = Reason(value).label if word == Dimension.REASON and value in Reason.values else value
        parts.append((label if not parts else label[0].lower() + label[1:] if label != "SKU" else label) + f" {shown}")
    return ", ".join(parts)


def title_of(incident: Incident) -> str:
    return f"{incident.rule.title}: {shared_words(incident.shared)}"


def amount(cents: int, currency: str) -> str:
    """`1,234.50 EUR`, with as many decimals as the currency has."""
    whole, _, rest = amount_words(cents, currency).partition(".")
    return f"{int(whole):,}{'.' + rest if rest else ''} {currency}"


def money(amounts: Mapping[str, int]) -> list[str]:
    """Of each currency, the largest number first; nothing is converted."""
    return [amount(cents, currency) for currency, cents in sorted(amounts.items(), key=lambda item: -item[1])]


def tell_incident(entries: Iterable[IncidentEntry], runs: Iterable[BulkRun]) -> list[Told]:
    """The timeline with the acts on all of it, oldest first."""
    lines = [tell_entry(entry) for entry in entries] + [tell_run(run) for run in runs]
    return sorted(lines, key=lambda line: line.at)


def tell_entry(entry: IncidentEntry) -> Told:
    by_person = entry.actor.startswith("user:")
    tone = TONES.get(entry.kind, PERSON if by_person else "")
    tells = SENTENCES.get(entry.kind)
    text = tells(entry.detail) if tells else str(IncidentKind(entry.kind).label)
    return Told(entry.at, text, who(entry.actor), entry.reason, tone)


def tell_run(run: BulkRun) -> Told:
    words = WORDS[run.action]
    counts = f"{run.changed:,} {words.done}" + (f", {run.skips:,} skipped" if run.skips else "")
    text = f"{words.verb} {run.total_words}: {counts}" + (" so far" if run.state == "running" else "")
    return Told(run.began_at or run.asked_at, text, who(run.asked_by), run.given.get("reason", ""), PERSON, run.pk)


def who(actor: str) -> str:
    kind, _, name = actor.partition(":")
    if actor == FOLD:
        return "the rules of incidents"
    return {"user": name, "key": f"API key {name}"}.get(kind, actor)


def size(what: str) -> Callable[[Detail], str]:
    def sentence(detail: Detail) -> str:
        orders, exceptions = detail.get("orders", 0), detail.get("exceptions", 0)
        return f"{what}: {exceptions:,} exceptions of {orders:,} orders"

    return sentence


def closed(detail: Detail) -> str:
    if detail.get("how") == Ending.MERGED:
        return f"Merged into incident {detail.get('into')}"
    how = detail.get("how")
    return Ending(how).label if how in Ending.values else "Closed"


def of_order(what: str) -> Callable[[Detail], str]:
    return lambda detail: f"{what}: order {detail.get('order') or '–'}"


SENTENCES: Mapping[str, Callable[[Detail], str]] = {
    IncidentKind.OPENED: size("Found"),
    IncidentKind.GREW: size("Grew"),
    IncidentKind.CLOSED: closed,
    IncidentKind.TAKEN_OUT: of_order("Taken out"),
    IncidentKind.PUT_BACK: of_order("Put back"),
}
