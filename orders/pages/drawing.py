"""The five stages of an order as bars over one time axis. Pure: numbers for an SVG of WIDTH units, no style."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orders.holds import Pause
from orders.models import StageState
from orders.selectors import StageView

WIDTH = 1000
SHORTEST = 6  # so that a stage of a moment can still be seen


@dataclass(frozen=True, slots=True)
class Box:
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One stage. `bar`: from its start to its end or now; `late`: the part after the due time, which `due` marks."""

    stage: StageView
    bar: Box | None
    late: Box | None
    due: int | None

    @property
    def tone(self) -> str:
        return "done" if self.stage.state == StageState.COMPLETED else "running"


@dataclass(frozen=True, slots=True)
class Tick:
    x: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Drawing:
    """`now` is null once the present lies outside. `ticks`: the axis' start, middle and end."""

    bars: Sequence[Bar]
    holds: Sequence[Box]
    ticks: Sequence[Tick]
    now: int | None


class Scale:
    def __init__(self, start: datetime, end: datetime) -> None:
        self.start = start
        self.length = max((end - start).total_seconds(), 60)

    def x(self, at: datetime) -> int:
        share = (at - self.start).total_seconds() / self.length
        return round(min(max(share, 0), 1) * WIDTH)

    def box(self, since: datetime, until: datetime) -> Box:
        x = min(self.x(since), WIDTH - SHORTEST)
        return Box(x, max(self.x(until) - x, SHORTEST))


def draw(stages: Sequence[StageView], holds: Iterable[Pause], now: datetime) -> Drawing | None:
    """None when no stage has started yet."""
    starts = [stage.started_at for stage in stages if stage.started_at]
    if not starts:
        return None
    running = any(stage.state == StageState.RUNNING for stage in stages)
    known = [at for stage in stages for at in (stage.ended_at, stage.due_at) if at]
    end = max([*known, *starts, *([now] if running else [])])
    start = min(starts)
    end += max((end - start) / 40, timedelta(seconds=30))
    scale = Scale(start, end)
    return Drawing(
        bars=[bar_of(stage, scale, now) for stage in stages],
        holds=[scale.box(hold.since, hold.until or now) for hold in holds if hold.since <= end],
        ticks=[Tick(scale.x(at), at) for at in (start, start + (end - start) / 2, end)],
        now=scale.x(now) if start <= now <= end else None,
    )


def bar_of(stage: StageView, scale: Scale, now: datetime) -> Bar:
    until = stage.ended_at or (now if stage.state == StageState.RUNNING else None)
    due = scale.x(stage.due_at) if stage.due_at else None
    if stage.started_at is None or until is None:
        return Bar(stage, None, None, due)
    late = stage.breached and stage.due_at is not None and until > stage.due_at
    return Bar(
        stage,
        scale.box(stage.started_at, until),
        scale.box(max(stage.due_at, stage.started_at), until) if late and stage.due_at else None,
        due,
    )
