"""Exceptions as rows of a CSV file."""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any

from e2a.spreadsheets import csv_text
from exceptions.models import ExceptionRecord

COLUMNS: Mapping[str, Callable[[Any], Any]] = {
    "id": attrgetter("pk"),
    "order_id": attrgetter("order_ref"),
    "merchant": attrgetter("merchant"),
    "reason_code": attrgetter("reason_code"),
    "status": attrgetter("status"),
    "severity": attrgetter("severity"),
    "verdict": attrgetter("verdict"),
    "resolution": attrgetter("resolution"),
    "opened_at": attrgetter("opened_at"),
    "ended_at": attrgetter("ended_at"),
    "due_at": attrgetter("due_at"),
    "stage": attrgetter("stage"),
    "overdue_seconds": attrgetter("overdue"),
    "occurrence_count": attrgetter("occurrence_count"),
    "assignee": attrgetter("assignee_id"),
    "snoozed_until": attrgetter("snoozed_until"),
    "tags": lambda record: " ".join(record.tags),
    "acknowledged_at": attrgetter("acknowledged_at"),
    "resolved_at": attrgetter("resolved_at"),
    "resolved_by": attrgetter("resolved_by"),
}


def header_line() -> str:
    return csv_text([list(COLUMNS)])


def lines_of(records: Iterable[ExceptionRecord], names: Mapping[int, str]) -> str:
    """`records` carry `overdue` (selectors.with_overdue); `names` are the assignees' user names."""
    return csv_text([cells_of(record, names) for record in records])


def cells_of(record: ExceptionRecord, names: Mapping[int, str]) -> list[Any]:
    cells = {name: read(record) for name, read in COLUMNS.items()}
    cells["assignee"] = names.get(cells["assignee"], cells["assignee"])
    return list(cells.values())
