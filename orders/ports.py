"""The one call that goes up the house: the door hands its verdicts to the exceptions, in the same transaction (DESIGN).

Which class keeps the book is named in settings (`EXCEPTION_BOOK`); orders know only what stands here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal, NamedTuple, Protocol

import psycopg
from django.conf import settings
from django.utils.module_loading import import_string

from tenants.weights import NO_BEARING, USUAL_PRIORITY, Bearing, PriorityRules

STAGE_OCCURRENCE, AT_RISK_OCCURRENCE = "stage", "at_risk"


class Finding(NamedTuple):
    """What the fold says of one order and reason. No finding at all (None) is the verdict `none`."""

    verdict: Literal["active", "over"]
    opened_at: datetime  # due_at of a stage, the time of a problem
    ended_at: datetime | None  # set when over
    how: Literal["completed_late", "cured", "cancelled", "saved"] | None  # set when over
    severity: str
    occurrence_key: str  # of a breach "stage", of a warning before it "at_risk"
    stage: str | None  # the stage of a breach, None for problems
    due_at: datetime | None
    bearing: Bearing = NO_BEARING  # what the order adds to its priority


class Change(NamedTuple):
    """A finding that differs from what was stored."""

    order_pk: int
    order_id: str
    merchant: str
    reason: str
    before: Finding | None
    now: Finding | None
    history: bool  # born of history: no notification, no action, no AI, no charge
    cause: str  # "event wms/evt-1", "deadline", "reprocess", …; for the timeline
    priority: PriorityRules = USUAL_PRIORITY  # of the policy that the order began under

    @property
    def is_breach_or_problem(self) -> bool:
        """Whether it tells of one for the first time; being at risk is none."""
        return is_trouble(self.now) and not is_trouble(self.before)


def is_trouble(finding: Finding | None) -> bool:
    return finding is not None and finding.occurrence_key != AT_RISK_OCCURRENCE


@dataclass(frozen=True, slots=True)
class Correction:
    """What a change does to the order's exception; `kinds` as in its timeline, empty for a column nobody is told of."""

    order_pk: int
    reason: str
    kinds: tuple[str, ...]


class ExceptionBook(Protocol):
    """Keeps one exception per order and reason."""

    def apply(
        self, connection: psycopg.Connection[Any], *, schema: str, changes: Sequence[Change], now: datetime
    ) -> list[int]:
        """Runs inside the caller's transaction, on its connection. Returns the ids opened or reopened."""

    def foretell(
        self, connection: psycopg.Connection[Any], *, schema: str, changes: Sequence[Change], now: datetime
    ) -> list[Correction]:
        """What `apply` would write of these changes; writes nothing."""


@cache
def exception_book() -> ExceptionBook:
    """The book that settings name. Raises: ImportError when there is none of that name."""
    book: ExceptionBook = import_string(settings.EXCEPTION_BOOK)()
    return book
