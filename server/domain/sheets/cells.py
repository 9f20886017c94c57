"""Cells of a timetable's spreadsheet, the names they may use, and what is found in them (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.domain.timetable import Entry
from server.protocol.messages import Words

MOST_ROWS = 20_000
MOST_PROBLEMS = 200
MOST_TEXT = 200
Key = tuple[str, int, int, tuple[int, ...]]
"""Of `domain.timetable.Entry.key`."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet's cells as text, row by row; `name` is the workbook's name for it, "" for CSV."""

    rows: tuple[tuple[str, ...], ...]
    name: str = ""

    def at(self, row: int, column: int) -> str:
        cells = self.rows[row]
        return cells[column].strip() if column < len(cells) else ""


@dataclass(frozen=True, slots=True)
class SheetProblem:
    """What is wrong in one cell; `row` and `column` count from 1, as the spreadsheet shows them."""

    row: int
    column: int
    code: str
    words: Words
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """The names a timetable may use, and whom they mean: name -> id. `shared`: names that several have; they
    mean nobody until more is said (the school before the room, the log-in name after the teacher).
    `last_period`: of each main room's day; rooms that are not in it have any."""

    rooms: Mapping[str, str]
    teachers: Mapping[str, str]
    subjects: Mapping[str, str]
    term_weeks: int
    shared: frozenset[str] = frozenset()
    last_period: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Findings:
    """What is wrong in a file, as far as it was read; `more`: there are more problems than are kept."""

    problems: list[SheetProblem] = field(default_factory=list)
    more: bool = False

    def tell(self, sheet: Sheet, row: int, column: int, code: str, zh: str, en: str) -> None:
        self.more |= len(self.problems) >= MOST_PROBLEMS
        if not self.more:
            self.problems.append(SheetProblem(row + 1, column + 1, code, Words(zh, en), sheet.name))


@dataclass(slots=True)
class Reading(Findings):
    """What was found in a timetable's file so far; the parsers write into it."""

    directory: Directory
    entries: list[Entry] = field(default_factory=list)
    places: dict[Key, tuple[str, int]] = field(default_factory=dict)
    cells: dict[Key, tuple[Sheet, int, int]] = field(default_factory=dict)

    def add(self, sheet: Sheet, row: int, column: int, entry: Entry) -> None:
        """Keep an entry; the same place in the timetable twice is a problem of the second."""
        last = self.directory.last_period.get(entry.main_room)
        if last is not None and entry.last > last:
            zh = f"这所学校每天只有 {last} 节，没有第 {entry.last} 节。"
            en = f"This school's day has {last} periods: there is no period {entry.last}."
            self.tell(sheet, row, column, "no_such_period", zh, en)
            return
        known = self.places.get(entry.key)
        if known is not None:
            at = f"{known[0]} {known[1]}".strip()
            zh, en = f"与第 {at} 行是同一节课。", f"The same lesson as row {at}."
            self.tell(sheet, row, column, "twice", zh, en)
            return
        self.places[entry.key] = (sheet.name, row + 1)
        self.cells[entry.key] = (sheet, row, column)
        self.entries.append(entry)
