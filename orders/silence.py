"""When a source is unusually silent: a rule over when it was heard. Pure."""

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta

FEWEST_RECEIPTS = 20  # below that nothing is usual yet
SHORTEST = timedelta(minutes=30)
FACTOR = 2


def usual_pause(receipts: Sequence[datetime], hours: Sequence[datetime]) -> timedelta:
    """The longest pause between the latest receipts, or between the hours of the last two weeks in which anything came.

    `receipts` and `hours` (their beginnings) are in order, oldest first.
    """
    hour = timedelta(hours=1)
    fine = [after - before for before, after in itertools.pairwise(receipts)]
    coarse = [after - before - hour for before, after in itertools.pairwise(hours)]
    return max([*fine, *coarse], default=timedelta())


def silent_since(receipts: Sequence[datetime], hours: Sequence[datetime], now: datetime) -> datetime | None:
    """The last receipt, if the source has been silent for twice its longest usual pause and for half an hour."""
    if len(receipts) < FEWEST_RECEIPTS:
        return None
    allowed = max(SHORTEST, FACTOR * usual_pause(receipts, hours))
    return receipts[-1] if now - receipts[-1] > allowed else None
