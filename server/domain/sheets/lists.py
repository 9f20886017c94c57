"""A timetable as a list: one row a lesson of the week, the columns named by their headings (pure)."""

from __future__ import annotations

from server.domain.calendar import periods_of, weeks_of
from server.domain.sheets.cells import MOST_TEXT, Reading, Sheet
from server.domain.sheets.headings import columns_of, lacks, rows_below
from server.domain.sheets.line import Line, weekday_of
from server.domain.timetable import TEMPLATE_NAMES, Entry
from server.protocol.messages import Words


class Column:
    """The columns of the list form, by the headings that name them."""

    SUBJECT, TEACHER, MAIN, ROOMS, WEEKDAY, PERIODS, WEEKS, GRADE, TITLE, KIND = range(10)


HEADINGS: dict[str, int] = {
    **dict.fromkeys(("学科", "科目", "课程", "subject"), Column.SUBJECT),
    **dict.fromkeys(("主讲教师", "教师", "任课教师", "老师", "teacher"), Column.TEACHER),
    **dict.fromkeys(("主讲教室", "录播教室", "main room", "main"), Column.MAIN),
    **dict.fromkeys(("听讲教室", "教学点", "receiving rooms", "rooms"), Column.ROOMS),
    **dict.fromkeys(("星期", "周几", "weekday", "day"), Column.WEEKDAY),
    **dict.fromkeys(("节次", "节", "periods", "period"), Column.PERIODS),
    **dict.fromkeys(("周次", "周", "weeks"), Column.WEEKS),
    **dict.fromkeys(("年级", "grade"), Column.GRADE),
    **dict.fromkeys(("课题", "标题", "title"), Column.TITLE),
    **dict.fromkeys(("课型", "类型", "kind", "template"), Column.KIND),
}
NEEDED = {
    Column.SUBJECT: Words("学科", "subject"),
    Column.TEACHER: Words("主讲教师", "teacher"),
    Column.MAIN: Words("主讲教室", "main room"),
    Column.ROOMS: Words("听讲教室", "receiving rooms"),
    Column.WEEKDAY: Words("星期", "weekday"),
    Column.PERIODS: Words("节次", "periods"),
}


def list_columns(sheet: Sheet, row: int) -> dict[int, int]:
    """Which kinds of column a row of headings names, and where."""
    return columns_of(sheet, row, HEADINGS)


def read_list(sheet: Sheet, heading: int, columns: dict[int, int], reading: Reading) -> None:
    """Read the rows below the headings; `columns`: kind of column -> where it stands."""
    if lacks(sheet, heading, columns, NEEDED, reading):
        return
    for row in rows_below(sheet, heading):
        entry = _entry(Line(sheet, row, reading), columns)
        if entry is not None:
            reading.add(sheet, row, columns[Column.PERIODS], entry)


def _entry(line: Line, columns: dict[int, int]) -> Entry | None:
    def text(kind: int) -> str:
        return line.sheet.at(line.row, columns[kind]) if kind in columns else ""

    def column(kind: int) -> int:
        return columns.get(kind, 0)

    names = line.reading.directory
    weekday = weekday_of(text(Column.WEEKDAY))
    if not weekday:
        shown = text(Column.WEEKDAY)[:40]
        line.tell(
            column(Column.WEEKDAY), "bad_weekday", f"看不懂星期“{shown}”。", f'"{shown}" is no weekday.'
        )
    periods = line.calendar(column(Column.PERIODS), periods_of, text(Column.PERIODS))
    weeks = line.calendar(
        column(Column.WEEKS), lambda weeks: weeks_of(weeks, names.term_weeks), text(Column.WEEKS)
    )
    main = line.known(column(Column.MAIN), text(Column.MAIN), names.rooms, "room")
    subject = line.known(column(Column.SUBJECT), text(Column.SUBJECT), names.subjects, "subject")
    teacher = line.known(column(Column.TEACHER), text(Column.TEACHER), names.teachers, "teacher")
    rooms = line.rooms(column(Column.ROOMS), text(Column.ROOMS), main)
    kind = TEMPLATE_NAMES.get(text(Column.KIND).lower() or "shared")
    if kind is None:
        shown = text(Column.KIND)[:40]
        line.tell(
            column(Column.KIND),
            "bad_template",
            f"没有“{shown}”这种课型。",
            f'"{shown}" is no kind of lesson.',
        )
    if line.wrong or periods is None or weeks is None or kind is None:
        return None
    grade, title = text(Column.GRADE)[:MOST_TEXT], text(Column.TITLE)[:MOST_TEXT]
    return Entry(subject, teacher, main, rooms, weekday, *periods, weeks, grade, title, kind)
