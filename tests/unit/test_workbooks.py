"""Files as schools have them: two code pages, CSV and XLSX, merged cells, rubbish."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import openpyxl
import pytest

from server.domain.sheets.cells import MOST_ROWS, Sheet, SheetProblem
from server.protocol.messages import Words
from server.workbooks import MOST_BYTES, BadWorkbook, marked_workbook, read_workbook, written_workbook

TEXT = "学科,主讲教师\r\n英语,李芳\r\n"
ROWS = (("学科", "主讲教师"), ("英语", "李芳"))


def saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_the_code_pages_that_excel_and_wps_write(encoding: str) -> None:
    assert read_workbook(TEXT.encode(encoding)) == [Sheet(ROWS)]


def test_tabs_and_semicolons_separate_too() -> None:
    assert read_workbook(TEXT.replace(",", "\t").encode())[0].rows == ROWS


def test_what_was_written_is_read_back() -> None:
    sheets = [Sheet(ROWS, "课表"), Sheet((("a",),), "二")]
    assert read_workbook(written_workbook(sheets)) == sheets


def test_merged_cells_numbers_dates_and_hidden_sheets() -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page["A1"], page["A3"], page["B3"] = "英语", 3.0, date(2026, 9, 1)
    page.merge_cells("A1:B2")
    book.create_sheet("x").sheet_state = "hidden"
    (sheet,) = read_workbook(saved(book))
    assert sheet.rows == (("英语", "英语"), ("英语", "英语"), ("3", "2026-09-01"))


def test_the_users_own_file_comes_back_with_its_wrong_cells_marked() -> None:
    problem = SheetProblem(2, 1, "unknown_subject", Words("没有这个学科。", "No such subject."), "课表")
    book = openpyxl.load_workbook(
        io.BytesIO(marked_workbook(written_workbook([Sheet(ROWS, "课表")]), [problem]))
    )
    cell = book["课表"]["A2"]
    assert cell.value == "英语"
    assert cell.comment is not None
    assert "No such subject." in cell.comment.text
    assert cell.fill.fill_type == "solid"
    assert book["课表"]["B2"].comment is None


def test_a_problem_in_a_merged_cell_is_marked_where_it_can_be_seen() -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "课表"
    page["A1"] = "英语"
    page.merge_cells("A1:B2")
    data = marked_workbook(saved(book), [SheetProblem(2, 2, "x", Words("错", "wrong"), "课表")])
    assert openpyxl.load_workbook(io.BytesIO(data))["课表"]["A1"].comment is not None


def test_more_rows_than_are_taken_are_cut_by_one_so_that_it_can_be_told() -> None:
    assert len(read_workbook(b"a,b\n" * 50_000)[0].rows) == MOST_ROWS + 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old_excel"),
        (b"PK\x03\x04 no archive", "unreadable_file"),
        (b"\x89PNG\r\n\x1a\n\xff\xff", "unreadable_file"),
        (b"a\0b", "unreadable_file"),
        (b"a" * (MOST_BYTES + 1), "file_too_big"),
    ],
)
def test_what_is_no_spreadsheet_is_told_in_words(data: bytes, code: str) -> None:
    with pytest.raises(BadWorkbook) as caught:
        read_workbook(data)
    assert caught.value.code == code


def test_an_archive_that_is_no_workbook_or_unpacks_without_end_is_refused() -> None:
    for name, size in (("readme.txt", 10), ("xl/worksheets/sheet1.xml", 200 << 20)):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, bytes(size))
        with pytest.raises(BadWorkbook):
            read_workbook(out.getvalue())
