"""Any weeks survive their text; clashes are exactly the overlaps."""

from __future__ import annotations

import contextlib
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from server.domain.calendar import BadCalendar, periods_of, weeks_of, weeks_text
from server.domain.sheets import Reading, Sheet, read_sheet
from server.domain.sheets.cells import Directory
from server.domain.timetable import Entry, Occurrence, clashes

WEEKS = st.frozensets(st.integers(1, 30), min_size=1)
DIRECTORY = Directory({"甲": "a", "乙": "b"}, {"李": "li"}, {"英语": "english"}, 20)
WORDS = st.sampled_from(
    [
        "甲",
        "乙",
        "李",
        "英语",
        "学科",
        "星期",
        "星期一",
        "周二",
        "3",
        "3-4节",
        "单周",
        "节次",
        "\n",
        "教室：甲",
    ]
)
CELL = st.lists(WORDS, max_size=4).map(" ".join) | st.text(max_size=6)


@given(WEEKS)
def test_weeks_survive_their_text(weeks: frozenset[int]) -> None:
    assert weeks_of(weeks_text(weeks, 30), 30) == weeks


@given(st.text(max_size=12))
def test_any_text_names_weeks_and_periods_of_the_term_or_is_refused(text: str) -> None:
    for read in (lambda: weeks_of(text, 20), lambda: frozenset(periods_of(text))):
        with contextlib.suppress(BadCalendar):
            assert read() <= frozenset(range(1, 21))


@given(st.lists(st.lists(CELL, max_size=6).map(tuple), max_size=8).map(tuple))
def test_any_sheet_gives_entries_or_problems_and_no_lesson_twice(rows: tuple[tuple[str, ...], ...]) -> None:
    reading = Reading(DIRECTORY)
    read_sheet(Sheet(rows), reading)
    assert len({entry.key for entry in reading.entries}) == len(reading.entries)
    for entry in reading.entries:
        assert entry.main_room in ("a", "b")
        assert entry.main_room not in entry.rooms
    for problem in reading.problems:
        assert problem.row >= 1
        assert problem.column >= 1


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9), st.sampled_from("abc")), max_size=12))
def test_there_is_a_clash_exactly_where_two_lessons_of_a_room_overlap(
    spans: list[tuple[int, int, str]],
) -> None:
    lessons = [
        Occurrence(Entry("s", "", room, (), 1, 1, 1, frozenset({1})), date(2026, 9, 1), start, start + length)
        for start, length, room in spans
    ]
    overlap = any(
        a.entry.main_room == b.entry.main_room and a.starts_at < b.ends_at and b.starts_at < a.ends_at
        for number, a in enumerate(lessons)
        for b in lessons[number + 1 :]
    )
    assert bool(clashes(lessons)) == overlap
