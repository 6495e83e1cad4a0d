"""A list as an Excel workbook (.xlsx), written while it is read: nothing is kept but the part at hand.

Texts are inline strings, which no spreadsheet takes for a formula whatever they begin with. Times are UTC, lengths seconds.
Source: ECMA-376 part 1, chapters 12 and 18.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import IO, Any, cast
from xml.sax.saxutils import escape

ROWS_OF_SHEET = 1_048_576  # the format's bound; more go on in a further sheet
LONGEST_TEXT = 32_767
SENT_EVERY = 500  # rows
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
FIRST_DAY = datetime(1899, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)

START = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
CONTENT_TYPE = f"{TYPE}.sheet"
SHEET_START = f'{START}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
SHEET_END = "</sheetData></worksheet>"
# Cell formats: 0 as it comes, 1 a time.
STYLES = f"""{START}<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>
<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>
<cellXfs count="2"><xf xfId="0"/><xf numFmtId="164" xfId="0" applyNumberFormat="1"/></cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"""


class Sink:
    """Takes what the archive writes, and gives it on."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing to flush: `taken` gives all."""

    def taken(self) -> bytes:
        taken, self.parts = b"".join(self.parts), []
        return taken


def workbook(title: str, header: Sequence[str], parts: Iterable[Iterable[Sequence[Any]]]) -> Iterator[bytes]:
    """`parts` of rows, as they come; each is sent before the next is asked for."""
    sink, rows, sheets = Sink(), chain.from_iterable(parts), 0
    with zipfile.ZipFile(cast(IO[bytes], sink), "w", zipfile.ZIP_DEFLATED, compresslevel=4) as book:
        more = True
        while more:
            sheets += 1
            with book.open(f"xl/worksheets/sheet{sheets}.xml", "w") as sheet:
                sheet.write((SHEET_START + row_xml(header)).encode())
                number = 1
                for number, row in enumerate(islice(rows, ROWS_OF_SHEET - 1), start=2):
                    sheet.write(row_xml(row).encode())
                    if number % SENT_EVERY == 0:
                        yield sink.taken()
                more = number == ROWS_OF_SHEET
                sheet.write(SHEET_END.encode())
        for name, text in frame(title, sheets):
            book.writestr(name, text)
    yield sink.taken()


def frame(title: str, sheets: int) -> Iterator[tuple[str, str]]:
    """The files around the sheets."""
    numbers = range(1, sheets + 1)
    names = [escape(title[:28] + (f" {number}" if number > 1 else ""), {'"': "&quot;"}) for number in numbers]
    listed = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, names, strict=True)
    )
    yield "xl/workbook.xml", f'{START}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>'
    yield "xl/styles.xml", STYLES
    linked = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    linked += f'<Relationship Id="rId{sheets + 1}" Type="{OFFICE}/styles" Target="styles.xml"/>'
    yield (
        "xl/_rels/workbook.xml.rels",
        f'{START}<Relationships xmlns="{PACKAGE}/relationships">{linked}</Relationships>',
    )
    root = f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    yield "_rels/.rels", f'{START}<Relationships xmlns="{PACKAGE}/relationships">{root}</Relationships>'
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{TYPE}.worksheet+xml"/>'
        for number in numbers
    )
    kinds += f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>'
    kinds += f'<Override PartName="/xl/styles.xml" ContentType="{TYPE}.styles+xml"/>'
    rels = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    yield (
        "[Content_Types].xml",
        f'{START}<Types xmlns="{PACKAGE}/content-types">{rels}<Default Extension="xml" ContentType="application/xml"/>{kinds}</Types>',
    )


def row_xml(cells: Iterable[Any]) -> str:
    return f"<row>{''.join(map(cell_xml, cells))}</row>"


def cell_xml(cell: Any) -> str:
    match cell:
        case None | "":
            return "<c/>"
        case bool():
            return f'<c t="b"><v>{cell:d}</v></c>'
        case int() | float():
            return f"<c><v>{cell}</v></c>"
        case datetime():
            return f'<c s="1"><v>{(cell - FIRST_DAY) / DAY:.8f}</v></c>'
        case timedelta():
            return f"<c><v>{int(cell.total_seconds())}</v></c>"
    text = escape(NOT_IN_XML.sub("", str(cell))[:LONGEST_TEXT])
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
