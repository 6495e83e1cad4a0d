"""Workbooks, as another program reads them, and files that are sent while they are made."""

import asyncio
import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.test import RequestFactory
from openpyxl import load_workbook

from e2a import workbook as writer
from e2a.streaming import stream_file
from e2a.workbook import workbook

AT = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)


def read(*parts: list[list[Any]], title: str = "List") -> Any:
    return load_workbook(io.BytesIO(b"".join(workbook(title, ["a", "b"], iter(parts)))))


def cells(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_cells_are_read_as_what_they_were() -> None:
    book = read([[1, "text"], [None, AT]], [[timedelta(hours=1), True], ["", 2.5]])
    (sheet,) = book.worksheets
    assert sheet.title == "List"
    assert cells(sheet) == [["a", "b"], [1, "text"], [None, AT.replace(tzinfo=None)], [3600, True], [None, 2.5]]


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "  =1", "<b>&amp;</b>", "é“”", "]]>"]
)
def test_text_stays_text_and_never_becomes_a_formula(text: str) -> None:
    cell = read([[text]]).worksheets[0].cell(2, 1)
    assert (cell.value, cell.data_type == "f") == (text, False)


def test_what_no_workbook_can_hold_is_left_out() -> None:
    assert cells(read([["a\x00\x1fb\ud800\uffff", "x" * 40_000]]).worksheets[0])[1] == ["ab", "x" * 32_767]


def test_list_without_rows_has_its_header() -> None:
    assert cells(read().worksheets[0]) == [["a", "b"]]


@pytest.mark.parametrize(("rows", "sheets"), [(3, [4]), (4, [4, 2]), (7, [4, 4, 2])])
def test_what_a_sheet_cannot_hold_goes_on_in_the_next(
    monkeypatch: pytest.MonkeyPatch, rows: int, sheets: list[int]
) -> None:
    monkeypatch.setattr(writer, "ROWS_OF_SHEET", 4)
    book = read([[number, ""] for number in range(rows)], title='A&B "C"')
    assert [sheet.max_row for sheet in book.worksheets][: len(sheets)] == sheets
    assert [row[0] for sheet in book.worksheets for row in cells(sheet)[1:]] == list(range(rows))


def test_parts_are_sent_before_the_next_is_read() -> None:
    read_so_far: list[int] = []

    def rows() -> Iterator[list[list[Any]]]:
        for part in range(4):
            read_so_far.append(part)
            yield [["x" * 100, number] for number in range(writer.SENT_EVERY)]

    stream = workbook("List", ["a", "b"], rows())
    next(stream)
    assert read_so_far == [0]
    assert len(list(stream)) == 4


def test_reader_who_goes_away_leaves_nothing_open() -> None:
    rows = iter([[["x", number] for number in range(3 * writer.SENT_EVERY)]])
    stream = workbook("List", ["a", "b"], rows)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert list(stream) == []


def test_asynchronous_server_gets_part_by_part_and_a_plain_one_as_it_is() -> None:
    async def gathered() -> list[bytes]:
        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        answer = stream_file(ASGIRequest(scope, io.BytesIO()), numbers(), name="n.csv", content_type="text/csv")
        return [part async for part in answer]

    here = threading.get_ident()
    threads: set[int] = set()

    def numbers() -> Iterator[str]:
        for number in range(3):
            threads.add(threading.get_ident())
            yield str(number)

    assert asyncio.run(gathered()) == [b"0", b"1", b"2"]
    assert here not in threads
    plain = stream_file(RequestFactory().get("/"), numbers(), name="n.csv", content_type="text/csv")
    assert b"".join(plain) == b"012"  # type: ignore[arg-type]
    assert plain["Content-Disposition"] == 'attachment; filename="n.csv"'
