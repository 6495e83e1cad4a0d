"""Each due time of an order as a drawn timeline with its steps in words, from the same explanation as the API's. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from orders.explaining import Explained
from orders.explanation import Explanation, Segment
from orders.pages.drawing import Box, Scale
from orders.selectors import StageView
from orders.stages import RUNNING
from orders.wording import difference, length_words, pause_words, roll_words, segment_words, span_words, target_words
from tenants.policy_words import STAGE_WORDS
from tenants.targets import Promise

MOST_STEPS = 40


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the timeline. `kind`: counted, closed, day_off, paused, rest or late; `words`: for the pointer."""

    kind: str
    box: Box
    words: str


@dataclass(frozen=True, slots=True)
class Step:
    """A piece in words. `when`: its span on the clock that counts; `length`: what it adds, empty where it adds nothing."""

    kind: str
    when: str
    words: str
    length: str


@dataclass(frozen=True, slots=True)
class DueTime:
    """How one due time came about. `due`, `risk`, `now`: their places on the axis of WIDTH units; `hidden`: steps left out;
    `counted`: what of the target has passed, empty for a promise."""

    stage: StageView
    title: str
    rule: str
    target: str
    zone: str
    cutoff: str
    difference: str
    started: str
    due_words: str
    counted: str
    pieces: Sequence[Piece]
    steps: Sequence[Step]
    hidden: int
    ignored: Sequence[str]
    axis: Sequence[str]
    due: int | None
    risk: int | None
    now: int | None


def due_times(explained: Explained, stages: Sequence[StageView]) -> list[DueTime]:
    """Of the stages that have a target and have started, or that their rule excludes."""
    views = {stage.name: stage for stage in stages}
    told = [each for each in explained.stages if each.started_at is not None and (each.target or each.excluded)]
    return [due_time(each, views[each.stage], explained.timezone, explained.now) for each in told]


def due_time(each: Explanation, view: StageView, timezone: str, now: datetime) -> DueTime:
    zone = each.timezone or timezone
    start = each.started_at or now
    until = each.ended_at or (now if each.state == RUNNING else start)
    end = max(at for at in (start, until, each.due_at, each.unpaused_due_at) if at is not None)
    scale = Scale(start, end + (end - start) / 40)
    counted = sum((piece.length for piece in each.segments if piece.kind in ("counted", "rest")), start=start - start)
    return DueTime(
        stage=view,
        title=STAGE_WORDS[each.stage],
        rule=each.rule,
        target=target_words(each.target, each.calendar),
        zone=zone,
        cutoff=roll_words(each.roll, zone) if each.roll else "",
        difference=difference(each, zone),
        started=span_words(start, None, zone),
        due_words=span_words(each.due_at, None, zone) if each.due_at else "",
        counted="" if isinstance(each.target, Promise) else length_words(counted),
        pieces=list(pieces_of(each, scale, zone, until, now)),
        steps=[step_of(segment, zone) for segment in each.segments[:MOST_STEPS]],
        hidden=max(len(each.segments) - MOST_STEPS, 0),
        ignored=[f"It moved nothing: {pause_words(pause)}." for pause in each.ignored],
        axis=[f"{at.astimezone(ZoneInfo(zone)):%a %d %b %H:%M}" for at in (start, start + (end - start) / 2, end)],
        due=scale.x(each.due_at) if each.due_at else None,
        risk=scale.x(each.at_risk_at) if each.at_risk_at else None,
        now=scale.x(now) if start <= now <= end else None,
    )


def pieces_of(each: Explanation, scale: Scale, zone: str, until: datetime, now: datetime) -> Iterator[Piece]:
    for segment in each.segments:
        words = f"{segment_words(segment)}, {span_words(segment.since, segment.until, zone)}"
        yield Piece(segment.kind, scale.box(segment.since, segment.until or max(now, segment.since)), words)
    if each.due_at is not None and until > each.due_at:
        yield Piece("late", scale.box(each.due_at, until), f"Late, {length_words(until - each.due_at)}")


def step_of(segment: Segment, zone: str) -> Step:
    sign = "moves it by " if segment.kind == "paused" else ""
    length = f"{sign}{length_words(segment.length)}" if segment.length else ""
    return Step(segment.kind, span_words(segment.since, segment.until, zone), segment_words(segment), length)
