"""One lesson's words in a spreadsheet, each checked against the county's names (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from server.domain.calendar import BadCalendar
from server.domain.sheets.cells import Reading, Sheet
from server.domain.timetable import MOST_RECEIVING_ROOMS

T = TypeVar("T")

_WEEKDAY = re.compile(r"(?:星期|周|礼拜)?([一二三四五六日天1-7])")
_WEEKDAY_NUMBERS = {**{each: number for number, each in enumerate("一二三四五六日", 1)}, "天": 7}
_ENGLISH_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_BETWEEN = re.compile(r"[、，,;；/\n]+")


def weekday_of(text: str) -> int:
    """1 to 7; 0 where the text names no day."""
    match = _WEEKDAY.fullmatch(text.strip())
    if match:
        return _WEEKDAY_NUMBERS.get(match[1]) or int(match[1])
    low = text.strip().lower()
    return next((n for n, day in enumerate(_ENGLISH_DAYS, 1) if len(low) >= 3 and day.startswith(low)), 0)


@dataclass(slots=True)
class Line:
    """One row or one cell of a grid that is being read; it remembers whether anything was wrong."""

    sheet: Sheet
    row: int
    reading: Reading
    wrong: bool = False

    def tell(self, column: int, code: str, zh: str, en: str) -> None:
        self.wrong = True
        self.reading.tell(self.sheet, self.row, column, code, zh, en)

    def calendar(self, column: int, read: Callable[[str], T], text: str) -> T | None:
        """What the text of a cell says, None where it says nothing that can be read."""
        try:
            return read(text)
        except BadCalendar as error:
            self.tell(column, error.code, error.words.zh, error.words.en)
            return None

    def known(self, column: int, name: str, names: Mapping[str, str], what: str) -> str:
        found = names.get(name)
        if found is None and name in self.reading.directory.shared:
            self.tell_shared(column, name, what)
            return ""
        if found is None:
            zh = {"room": "教室", "teacher": "教师", "subject": "学科"}[what]
            self.tell(
                column,
                f"unknown_{what}",
                f"没有名为“{name[:40]}”的{zh}。请先建立，或改正名称。" if name else f"请填写{zh}。",
                f'There is no {what} "{name[:40]}". Add it first, or correct the name.'
                if name
                else f"Fill in the {what}.",
            )
            return ""
        return found

    def tell_shared(self, column: int, name: str, what: str) -> None:
        teacher = what == "teacher"
        self.tell(
            column,
            "shared_name",
            f"有几位教师叫“{name[:40]}”，请写成“姓名(登录名)”。"
            if teacher
            else f"有几间教室叫“{name[:40]}”，请写成“学校名+教室名”。",
            f'Several teachers are called "{name[:40]}": write name(log-in name).'
            if teacher
            else f'Several rooms are called "{name[:40]}": write the school before the room.',
        )

    def rooms(self, column: int, text: str, main: str) -> tuple[str, ...]:
        parts = [part.strip() for part in _BETWEEN.split(text) if part.strip()]
        rooms = tuple(self.known(column, part, self.reading.directory.rooms, "room") for part in parts)
        self.check_rooms(column, rooms, main)
        return rooms

    def check_rooms(self, column: int, rooms: tuple[str, ...], main: str) -> None:
        if len(set(rooms)) != len(rooms) or (main and main in rooms):
            self.tell(column, "room_twice", "同一教室写了两次。", "One room stands there twice.")
        if len(rooms) > MOST_RECEIVING_ROOMS:
            self.tell(
                column,
                "too_many_rooms",
                f"听讲教室最多 {MOST_RECEIVING_ROOMS} 间。",
                f"At most {MOST_RECEIVING_ROOMS} receiving rooms.",
            )
