"""A timetable read from a spreadsheet's cells: as a list, or as the grid of days and periods (pure).

Gives entries and problems; a problem names its cell and says in words what is wrong. Where there is one
problem nothing is imported: a timetable that is half in is worse than the old one. Opening files, code pages
and workbooks is not known here.
"""

from __future__ import annotations

from server.domain.sheets.cells import Reading, Sheet
from server.domain.sheets.grids import grid_days, read_grid
from server.domain.sheets.headings import HEADING_ROWS, is_too_long
from server.domain.sheets.lists import list_columns, read_list


def read_sheet(sheet: Sheet, reading: Reading) -> None:
    """Read one sheet, in whichever form it is, into `reading`."""
    if is_too_long(sheet, reading):
        return
    for row in range(min(HEADING_ROWS, len(sheet.rows))):
        columns = list_columns(sheet, row)
        if len(columns) >= 4:
            read_list(sheet, row, columns, reading)
            return
        days = grid_days(sheet, row)
        if len(days) >= 3:
            read_grid(sheet, row, days, reading)
            return
    reading.tell(
        sheet,
        0,
        0,
        "no_headings",
        "找不到表头。请使用模板：列表，或“星期×节次”的课程表。",
        "No headings found. Use a template: a list, or a grid of days and periods.",
    )
