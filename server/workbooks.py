"""Spreadsheet files: their bytes to cells, and the user's own file back with the wrong cells marked.

CSV in UTF-8 (with or without BOM) or GB18030, and XLSX. The only home of openpyxl. Blocking: call in a
thread. Everything is bounded before it is opened: a file's bytes, a workbook's unpacked bytes, sheets, rows.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable
from datetime import date, datetime, time

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from server.domain.sheets.cells import MOST_ROWS, Sheet, SheetProblem
from server.errors import UserFault
from server.protocol.messages import Words

MOST_BYTES = 8 << 20
MOST_UNPACKED = 128 << 20
MOST_SHEETS = 200
MOST_COLUMNS = 64
_MARK = PatternFill("solid", start_color="FFFDE68A", end_color="FFFDE68A")
_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


class BadWorkbook(UserFault):
    """A file that is no spreadsheet we read, or one beyond the bounds."""


def read_workbook(data: bytes) -> list[Sheet]:
    """The sheets of a CSV or XLSX file; which of both it is, its first bytes say. BadWorkbook."""
    if len(data) > MOST_BYTES:
        raise BadWorkbook(
            "file_too_big",
            zh=f"文件超过 {MOST_BYTES >> 20} MB，请分开导入。",
            en=f"The file is over {MOST_BYTES >> 20} MB: import it in parts.",
        )
    if data.startswith(_OLD_EXCEL):
        raise BadWorkbook(
            "old_excel",
            zh="这是旧的 .xls 文件，请在 Excel 或 WPS 中另存为 .xlsx。",
            en="This is an old .xls file: save it as .xlsx in Excel or WPS.",
        )
    return _read_xlsx(data) if data.startswith(_ZIP) else [_read_csv(data)]


def marked_workbook(data: bytes, problems: Iterable[SheetProblem]) -> bytes:
    """The user's own XLSX with each wrong cell coloured and its sentence, in both languages, as a comment."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for problem in problems:
        sheet = book[problem.sheet]
        if not isinstance(sheet, Worksheet):
            continue
        cell = sheet.cell(problem.row, problem.column)
        for merged in sheet.merged_cells.ranges:
            if cell.coordinate in merged:
                cell = sheet.cell(merged.min_row, merged.min_col)
        cell.fill = _MARK
        cell.comment = Comment(f"{problem.words.zh}\n{problem.words.en}", "Lianke")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def guarded(text: str) -> str:
    """Text that a spreadsheet program would take for a formula, with the mark that makes it text."""
    return f"'{text}" if text[:1] in tuple("=+-@") else text


def written_workbook(sheets: Iterable[Sheet]) -> bytes:
    """An XLSX of these sheets (the templates)."""
    book = openpyxl.Workbook(write_only=True)
    for sheet in sheets:
        page = book.create_sheet(sheet.name or None)
        for row in sheet.rows:
            page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def cell_name(row: int, column: int) -> str:
    """ "B7" of row 7, column 2."""
    return f"{get_column_letter(column)}{row}"


def written_csv(sheet: Sheet) -> bytes:
    """A CSV file in UTF-8 with a BOM: Excel takes it for the old code page without."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(sheet.rows)
    return out.getvalue().encode("utf-8-sig")


FORMULA = Words(
    zh="这一格是公式，文件里没有算好的值。请在 Excel 或 WPS 中打开并保存一次，或直接填写文字。",
    en="This cell is a formula without its value. Open and save the file in Excel or WPS, or write the text.",
)


def formulas(data: bytes) -> frozenset[tuple[str, int, int]]:
    """Sheet, row and column of the cells of an XLSX that hold a formula."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    found: set[tuple[str, int, int]] = set()
    for page in book.worksheets[:MOST_SHEETS]:
        for row in page.iter_rows(max_row=MOST_ROWS + 1, max_col=MOST_COLUMNS):
            found |= {(page.title, cell.row or 0, cell.column or 0) for cell in row if cell.data_type == "f"}
    return frozenset(found)


def _read_csv(data: bytes) -> Sheet:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise _unreadable() from error
    if "\0" in text:
        raise _unreadable()
    head = text[:4096]
    separator = max(",\t;", key=head.count)
    try:
        rows = [
            tuple(cells[:MOST_COLUMNS])
            for cells in _bounded(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        ]
    except csv.Error as error:
        raise _unreadable() from error
    return Sheet(tuple(rows))


def _bounded(rows: Iterable[list[str]]) -> Iterable[list[str]]:
    for number, row in enumerate(rows):
        if number > MOST_ROWS:  # one more than is taken, so that the reader can say so
            return
        yield row


def _read_xlsx(data: bytes) -> list[Sheet]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(each.file_size for each in archive.infolist()) > MOST_UNPACKED:
                raise _unreadable()
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, SyntaxError) as error:
        raise _unreadable() from error
    return [_sheet(page) for page in book.worksheets[:MOST_SHEETS] if page.sheet_state == "visible"]


def _sheet(page: Worksheet) -> Sheet:
    cells = page.iter_rows(
        max_row=min(page.max_row, MOST_ROWS + 1), max_col=min(page.max_column, MOST_COLUMNS)
    )
    rows = [[_text(cell.value) for cell in row] for row in cells]
    for merged in page.merged_cells.ranges:  # every cell of a merged block says what the block says
        if merged.min_row > len(rows) or merged.min_col > MOST_COLUMNS:
            continue
        text = rows[merged.min_row - 1][merged.min_col - 1]
        for row in rows[merged.min_row - 1 : merged.max_row]:
            for column in range(merged.min_col - 1, min(merged.max_col, len(row))):
                row[column] = text
    return Sheet(tuple(tuple(row) for row in rows), page.title)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case float() if value.is_integer():
            return str(int(value))
        case datetime() | date():
            return value.strftime("%Y-%m-%d")
        case time():
            return value.strftime("%H:%M")
        case _:
            return str(value)


def _unreadable() -> BadWorkbook:
    return BadWorkbook(
        "unreadable_file",
        zh="读不懂这个文件。请用模板填写，存为 .xlsx 或 .csv。",
        en="This file cannot be read. Fill in the template and save it as .xlsx or .csv.",
    )
