"""Targets of a rule, stage by stage: a length, a cut-off, or a promise read from the order; and when to warn. Pure data."""

from typing import Literal, NamedTuple

PromiseKey = Literal["promised_delivery_at", "fulfil_by", "delivery_window"]
CALENDAR_TIME = None  # every hour counts
OF_WAREHOUSE = ""  # the calendar of the order's warehouse, else the policy's default


class Warn(NamedTuple):
    """The stage is at risk once this share of its time has passed, or so long before it is due; one of both.

    `opens`: whether that opens an exception of severity LOW, which the breach would raise.
    """

    share: float | None = None
    before_seconds: int | None = None
    opens: bool = False


class Length(NamedTuple):
    """So many seconds. `calendar`: a name, OF_WAREHOUSE or CALENDAR_TIME."""

    seconds: int
    calendar: str | None = CALENDAR_TIME
    warn: Warn | None = None


class Cutoff(NamedTuple):
    """Received by the cut-off: until the end of that working day; later: of the next one; `days` more are added.

    `times`: seconds after local midnight, by weekday, Monday's first.
    """

    times: tuple[int, ...]
    days: int = 0
    calendar: str = OF_WAREHOUSE
    warn: Warn | None = None


class Promise(NamedTuple):
    """An instant that the order itself carries. It is absolute: no pause moves it."""

    key: PromiseKey = "promised_delivery_at"
    warn: Warn | None = None


Target = Length | Cutoff | Promise
