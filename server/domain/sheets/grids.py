"""A timetable as the grid that schools use: days across, periods down, a lesson in words in a cell (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from server.domain.calendar import periods_of, weeks_of
from server.domain.sheets.cells import Directory, Reading, Sheet
from server.domain.sheets.line import Line, weekday_of
from server.domain.timetable import TEMPLATE_NAMES, Entry
from server.protocol.timetable import Template

_ROOM = re.compile(r"(?:主讲教室|录播教室|教室|main room)\s*[:：]\s*(.+)", re.IGNORECASE)
_PERIODS = re.compile(r"[第\d\-~至到,]*\d节")
_WEEKS = re.compile(r"[\d单双].*周|周.*[单双]")


def grid_days(sheet: Sheet, row: int) -> dict[int, int]:
    """Column -> weekday, of a row that names days."""
    days = {column: weekday_of(sheet.at(row, column)) for column in range(1, len(sheet.rows[row]))}
    return {column: day for column, day in days.items() if day}


def read_grid(sheet: Sheet, heading: int, days: dict[int, int], reading: Reading) -> None:
    """Read the cells below a row of days; `days`: column -> weekday."""
    main = _main_room(sheet, heading, reading.directory.rooms)
    if not main:
        reading.tell(
            sheet,
            heading,
            0,
            "no_main_room",
            "课程表上方请写“主讲教室：名称”，或用教室名称作工作表名。",
            'Write "主讲教室：name" above the grid, or name the sheet after the room.',
        )
        return
    for row in range(heading + 1, len(sheet.rows)):
        label = re.sub(r"^[上下]午|\s", "", sheet.at(row, min(days) - 1))
        for column, weekday in days.items():
            for part in re.split(r"\n\s*\n", sheet.at(row, column)):
                if part.strip():
                    entry = _entry(Line(sheet, row, reading), column, part, label, weekday, main)
                    if entry is not None:
                        reading.add(sheet, row, column, entry)


def _main_room(sheet: Sheet, heading: int, rooms: Mapping[str, str]) -> str:
    for row in range(heading):
        for column in range(len(sheet.rows[row])):
            match = _ROOM.search(sheet.at(row, column))
            if match and match[1].strip() in rooms:
                return rooms[match[1].strip()]
    return rooms.get(sheet.name.strip(), "")


@dataclass(slots=True)
class _Cell:
    """What the words of a cell were found to be."""

    periods: str
    weeks: str = ""
    subject: str = ""
    teacher: str = ""
    grade: str = ""
    template: Template = Template.SHARED
    rooms: list[str] = field(default_factory=list)

    def take(self, word: str, names: Directory) -> bool:
        """Sort one word in; False where it is nothing that is known."""
        if word in names.subjects:
            self.subject = names.subjects[word]
        elif word in names.teachers:
            self.teacher = names.teachers[word]
        elif word in names.rooms:
            self.rooms.append(names.rooms[word])
        elif _PERIODS.fullmatch(word):
            self.periods = word
        elif _WEEKS.search(word):
            self.weeks = word
        elif word in TEMPLATE_NAMES:
            self.template = TEMPLATE_NAMES[word]
        elif word.endswith("年级"):
            self.grade = word
        else:
            return False
        return True


def _entry(line: Line, column: int, text: str, label: str, weekday: int, main: str) -> Entry | None:
    names = line.reading.directory
    cell = _Cell(label)
    for word in _words(text):
        if word in names.shared:
            line.tell_shared(column, word, "room")
        elif not cell.take(word, names):
            line.tell(
                column,
                "unknown_word",
                f"看不懂“{word[:40]}”：不是学科、教师、教室、周次或节次。",
                f'"{word[:40]}" is no subject, teacher, room, weeks or periods known here.',
            )
    if not line.wrong:
        _tell_missing(line, column, cell)
    periods = line.calendar(column, periods_of, cell.periods)
    weeks = line.calendar(column, lambda weeks: weeks_of(weeks, names.term_weeks), cell.weeks)
    line.check_rooms(column, tuple(cell.rooms), main)
    if line.wrong or periods is None or weeks is None:
        return None
    rooms = tuple(cell.rooms)
    return Entry(
        cell.subject, cell.teacher, main, rooms, weekday, *periods, weeks, cell.grade, template=cell.template
    )


def _tell_missing(line: Line, column: int, cell: _Cell) -> None:
    for code, there, zh, en in (
        ("no_subject", cell.subject, "学科", "subject"),
        ("no_teacher", cell.teacher, "教师", "teacher"),
        ("no_rooms", cell.rooms, "听讲教室", "receiving room"),
    ):
        if not there:
            line.tell(column, code, f"这一格缺少{zh}。", f"This cell names no {en}.")


def _words(text: str) -> Iterator[str]:
    """The words of a cell. Commas between numbers belong to their weeks ("1-8,10-16周")."""
    return (word for word in re.split(r"[\s、；;/]+|[,，](?!\d)", text) if word)
