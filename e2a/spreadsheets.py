"""Rows as CSV text that a spreadsheet may open: nothing in it is read as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Every cell made safe."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows([safe(cell) for cell in row] for row in rows)
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
