"""Dead letters through the door again, a part of a transaction of the caller's: either all that a letter says is stored
and the letter is replayed, or nothing is and it waits with what is wrong now. So a letter works once, whoever replays it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from orders.demands import meet
from orders.events import Incoming
from orders.ingest import CONFLICT, MAX_EVENTS, NEW, TAKEN, UNWRITABLE, Receipt, take
from orders.judge import Connection, Writes, as_json, judge_orders
from orders.letter_reading import Copy, Errors, Reader, StillRefused
from orders.models import Entrance
from orders.ports import Change
from orders.providers.delivery import Reading
from orders.statements import Statements, quoted

STORED, DUPLICATE, IGNORED, MET, RELEASED = "stored", "duplicate", "ignored", "met", "released"
REFUSED = "refused"
OUTCOMES = (STORED, DUPLICATE, CONFLICT, REFUSED, IGNORED, MET, RELEASED)
STILL_WAITING = frozenset((CONFLICT, REFUSED))
EFFECTS = ("opened", "ended", "withdrawn", "corrected", "found_over")

CLAIM = """
SELECT id, entrance, source, body, headers::json, merchant, event_id, order_ref, correlation_id
FROM {s}.orders_deadletter WHERE id = ANY(%(ids)s) AND status = 'waiting' ORDER BY id FOR UPDATE {how}"""
MARK_REPLAYED = """
UPDATE {s}.orders_deadletter SET status = 'replayed', status_at = %(now)s, status_by = %(actor)s WHERE id = ANY(%(ids)s)"""
MARK_REFUSED = """
UPDATE {s}.orders_deadletter d SET errors = u.errors, tries = d.tries + 1, tried_at = %(now)s
FROM json_to_recordset(%(rows)s) u(id bigint, errors jsonb) WHERE d.id = u.id"""
RELEASE = """
UPDATE {s}.orders_event SET quarantined = false WHERE source = %(source)s AND event_id = %(event_id)s AND quarantined
RETURNING order_id"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one letter, or would. `errors` of what is still refused; `note`: a sentence more."""

    letter: int
    outcome: str
    events: Sequence[tuple[str, str]] = ()  # (event type, order id)
    errors: Errors = field(default_factory=dict)
    note: str = ""

    @property
    def accepted(self) -> bool:
        return self.outcome not in STILL_WAITING

    @property
    def sentence(self) -> str:
        """For people."""
        what = [f"{kind} of {order}" for kind, order in self.events]
        why = [f"{name}: {text}" for name, texts in self.errors.items() for text in texts]
        return f"{self.outcome}: {'; '.join(filter(None, [', '.join(what), *why, self.note]))}".removesuffix(": ")

    def as_dict(self) -> dict[str, Any]:
        events = [{"event_type": kind, "order_id": order} for kind, order in self.events]
        return {
            "id": self.letter,
            "outcome": self.outcome,
            "events": events,
            "errors": dict(self.errors),
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Effect:
    """What a replay does to an exception, or would; `effect` is one of EFFECTS."""

    order_id: str
    merchant: str
    reason: str
    effect: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(slots=True)
class Replayed:
    """What a transaction did. The last two are for `orders.ingest.report`, once it is committed."""

    outcomes: list[Outcome] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    told: list[tuple[Sequence[Incoming], Sequence[Receipt], Writes]] = field(default_factory=list)


def claim(connection: Connection, schema: str, ids: Sequence[int], *, wait: bool = False) -> list[Copy]:
    """Locks those that still wait. What another replay holds is left out, or waited for."""
    text = CLAIM.format(s=quoted(schema), how="" if wait else "SKIP LOCKED")
    rows = connection.execute(text, {"ids": list(ids)}).fetchall()
    return [Copy(key, way, source, bytes(body), *rest) for key, way, source, body, *rest in rows]


def replay(
    connection: Connection,
    texts: Statements,
    letters: Sequence[Copy],
    *,
    now: datetime,
    actor: str,
    dry_run: bool = False,
) -> Replayed:
    """Puts claimed letters through the door and marks them. Of a dry run the caller rolls the transaction back."""
    done = Replayed()
    reader = Reader(texts.schema, now)
    readings: list[tuple[Copy, Reading]] = []
    for letter in letters:
        if letter.entrance == Entrance.QUARANTINE:
            done.outcomes.append(release(connection, texts, letter, done, now=now))
            continue
        try:
            readings.append((letter, reader.read(letter)))
        except StillRefused as refusal:
            done.outcomes.append(Outcome(letter.id, REFUSED, errors=refusal.errors))
    for part in in_parts(readings):
        done.outcomes += through_the_door(connection, texts, part, reader, done, dry_run=dry_run)
    done.outcomes.sort(key=lambda each: each.letter)
    mark(connection, texts.schema, done.outcomes, now=now, actor=actor)
    return done


def in_parts(readings: Sequence[tuple[Copy, Reading]]) -> list[list[tuple[Copy, Reading]]]:
    """So that no part has more events than the door takes at once."""
    parts: list[list[tuple[Copy, Reading]]] = []
    room = 0
    for letter, reading in readings:
        if not parts or len(reading.events) > room:
            parts.append([])
            room = MAX_EVENTS
        parts[-1].append((letter, reading))
        room -= len(reading.events)
    return parts


def through_the_door(
    connection: Connection,
    texts: Statements,
    part: Sequence[tuple[Copy, Reading]],
    reader: Reader,
    done: Replayed,
    *,
    dry_run: bool,
) -> list[Outcome]:
    events = [event for _, reading in part for event in reading.events]
    try:
        receipts, writes = take(connection, texts, events, now=reader.now, keep_conflicts=False)
    except UNWRITABLE as error:
        if len(part) > 1:  # one of them is to blame
            alone = [through_the_door(connection, texts, [each], reader, done, dry_run=dry_run) for each in part]
            return [outcome for outcomes in alone for outcome in outcomes]
        sentence = f"The verdict on its order cannot be written: {type(error).__name__}."
        return [Outcome(part[0][0].id, REFUSED, errors={"event": [sentence]})]
    done.told.append((events, receipts, writes))
    done.effects += effects_of(writes.changes)
    outcomes, rest = [], iter(receipts)
    for letter, reading in part:
        statuses = {next(rest).status for _ in reading.events}
        if reading.demand and not dry_run:
            source = reader.source(letter.source)
            meet(source, reading.demand, reader.delivery(source, letter))
        outcomes.append(outcome_of(letter, reading, statuses))
    return outcomes


def outcome_of(letter: Copy, reading: Reading, statuses: set[str]) -> Outcome:
    told = [(event.event_type, event.order_id or event.tracking_number) for event in reading.events]
    if CONFLICT in statuses:
        return Outcome(letter.id, CONFLICT, told, {"event_id": [TAKEN]})
    if NEW in statuses:
        return Outcome(letter.id, STORED, told)
    if statuses:
        return Outcome(letter.id, DUPLICATE, told, note="The same event is stored already.")
    if reading.demand:
        return Outcome(letter.id, MET, note=f"What the provider demands: {reading.demand.kind.replace('_', ' ')}.")
    return Outcome(letter.id, IGNORED, note=reading.ignored)


class FoldFailed(Exception):
    """The order cannot be judged with this event; its savepoint is rolled back."""


def release(connection: Connection, texts: Statements, letter: Copy, done: Replayed, *, now: datetime) -> Outcome:
    """A quarantined event is stored: it counts again, if its order can be judged with it."""
    try:
        with connection.transaction():
            which = {"source": letter.source, "event_id": letter.event_id}
            row = connection.execute(RELEASE.format(s=quoted(texts.schema)), which).fetchone()
            if row is None:
                return Outcome(letter.id, DUPLICATE, note="The event is judged already.")
            writes = judge_orders(
                connection, texts, [row[0]], now=now, cause=f"event {letter.source}/{letter.event_id}"
            )
            if writes.failures:
                raise FoldFailed(writes.failures[0]["error"])
    except FoldFailed as error:
        return Outcome(
            letter.id, REFUSED, errors={"event": [f"Judging the order with this event still fails: {error}"]}
        )
    done.told.append(((), (), writes))
    done.effects += effects_of(writes.changes)
    return Outcome(letter.id, RELEASED, note=f"Order {letter.order_ref} is judged with it again.")


def mark(connection: Connection, schema: str, outcomes: Sequence[Outcome], *, now: datetime, actor: str) -> None:
    name = quoted(schema)
    accepted = [each.letter for each in outcomes if each.accepted]
    refused = [{"id": each.letter, "errors": each.errors} for each in outcomes if not each.accepted]
    if accepted:
        connection.execute(MARK_REPLAYED.format(s=name), {"ids": accepted, "now": now, "actor": actor})
    if refused:
        connection.execute(MARK_REFUSED.format(s=name), {"rows": as_json(refused), "now": now})


def effects_of(changes: Sequence[Change]) -> list[Effect]:
    found = [(change, effect_of(change)) for change in changes]
    return [Effect(change.order_id, change.merchant, change.reason, effect) for change, effect in found]


def effect_of(change: Change) -> str:
    before, now = change.before, change.now
    if now is None:
        return "withdrawn"
    if now.verdict == "active":
        return "corrected" if before and before.verdict == "active" else "opened"
    if before is None:
        return "found_over"
    return "ended" if before.verdict == "active" else "corrected"


def counts_of(done: Sequence[Outcome], effects: Sequence[Effect], counted: Mapping[str, Any]) -> dict[str, int]:
    """`counted` so far, and these: letters by outcome, exceptions by effect (`exceptions_opened` …)."""
    counts = dict(counted)
    for name in [*(each.outcome for each in done), *(f"exceptions_{each.effect}" for each in effects)]:
        counts[name] = counts.get(name, 0) + 1
    return counts
