"""Rows as CSV text that a spreadsheet may open: nothing in it is read as a formula."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

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
    "acknowledged_at": attrgetter("acknowledged_at"),
    "resolved_at": attrgetter("resolved_at"),
    "resolved_by": attrgetter("resolved_by"),
}
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def header_line() -> str:
    return csv_text([list(COLUMNS)])


def lines_of(records: Iterable[ExceptionRecord], names: Mapping[int, str]) -> str:
    """`records` carry `overdue` (selectors.with_overdue); `names` are the assignees' user names."""
    return csv_text([cells_of(record, names) for record in records])


def cells_of(record: ExceptionRecord, names: Mapping[int, str]) -> list[Any]:
    cells = {name: read(record) for name, read in COLUMNS.items()}
    cells["assignee"] = names.get(cells["assignee"], cells["assignee"])
    return [safe(cell) for cell in cells.values()]


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def safe(cell: Any) -> Any:
    """Source: OWASP, CSV injection. An apostrophe makes a spreadsheet take the cell as text."""
    match cell:
        case str():
            return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
        case datetime():
            return cell.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case timedelta():
            return int(cell.total_seconds())
    return cell
