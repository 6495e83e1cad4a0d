"""The whole list of a filter as a file: CSV, or an Excel workbook. Both have the same columns."""

from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from django_tenants.utils import schema_context

from e2a.spreadsheets import csv_text
from e2a.workbook import workbook
from exceptions.api.asking import Asking
from exceptions.models import ExceptionRecord
from exceptions.selectors import Filters, assignee_names, export_exceptions

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


def csv_lines(filters: Filters, asking: Asking) -> Iterator[str]:
    yield csv_text([list(COLUMNS)])
    for part in rows_in_parts(filters, asking):
        yield csv_text(part)


def workbook_bytes(filters: Filters, asking: Asking) -> Iterator[bytes]:
    return workbook("Exceptions", list(COLUMNS), rows_in_parts(filters, asking))


def rows_in_parts(filters: Filters, asking: Asking) -> Iterator[list[list[Any]]]:
    """Runs after the view has returned, when the connection has left the tenant: each part enters it anew."""
    parts = export_exceptions(filters, now=asking.now)
    while True:
        with schema_context(asking.schema):
            part = next(parts, None)
            names = assignee_names(part or ())
        if part is None:
            return
        yield [cells_of(record, names) for record in part]


def cells_of(record: ExceptionRecord, names: Mapping[int, str]) -> list[Any]:
    """The record carries `overdue` (selectors.with_overdue); `names` are the assignees' user names."""
    cells = {name: read(record) for name, read in COLUMNS.items()}
    cells["assignee"] = names.get(cells["assignee"], cells["assignee"])
    return list(cells.values())
