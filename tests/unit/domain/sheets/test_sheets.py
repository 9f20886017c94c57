"""A timetable's spreadsheet: list and grid, and what is wrong in it, cell by cell."""

from __future__ import annotations

import pytest

from server.domain.sheets import Reading, Sheet, read_sheet
from server.domain.sheets.cells import MOST_PROBLEMS, MOST_ROWS, Directory
from server.domain.sheets.line import weekday_of
from server.domain.timetable import Entry

DIRECTORY = Directory(
    rooms={"星光录播室": "main", "罗平": "luoping", "沙河": "shahe", "第二录播室": "second"},
    teachers={"李芳": "li", "王强": "wang"},
    subjects={"英语": "english", "音乐": "music"},
    term_weeks=16,
)
HEADINGS = ("学科", "主讲教师", "主讲教室", "听讲教室", "星期", "节次", "周次", "年级", "课题")
LINE = ("英语", "李芳", "星光录播室", "罗平、沙河", "星期二", "3-4节", "1-16周(单)", "三年级", "Unit 4")
ENGLISH = Entry(
    "english", "li", "main", ("luoping", "shahe"), 2, 3, 4, frozenset(range(1, 17, 2)), "三年级", "Unit 4"
)


def read(*rows: tuple[str, ...], name: str = "") -> Reading:
    reading = Reading(DIRECTORY)
    read_sheet(Sheet(rows, name), reading)
    return reading


def changed(**cells: str) -> tuple[str, ...]:
    return tuple(cells.get(heading, text) for heading, text in zip(HEADINGS, LINE, strict=True))


def test_a_list_is_read_line_by_line() -> None:
    reading = read(("2026 年秋季课表",), HEADINGS, LINE, ("",) * 9)
    assert reading.problems == []
    assert reading.entries == [ENGLISH]


def test_a_grid_is_read_cell_by_cell() -> None:
    reading = read(
        ("主讲教室：星光录播室", "", "", "", ""),
        ("节次", "星期一", "星期二", "星期三", "星期四"),
        ("1-2", "", "", "", "音乐 王强 罗平"),
        ("3", "", "英语\n李芳\n1-8,10-16周\n罗平、沙河\n3-4节\n三年级", "", ""),
    )
    assert reading.problems == []
    music, english = reading.entries
    assert (music.subject, music.weekday, music.first, music.last) == ("music", 4, 1, 2)
    assert music.weeks == frozenset(range(1, 17))
    assert english.rooms == ("luoping", "shahe")
    assert (english.first, english.last, english.grade) == (3, 4, "三年级")
    assert english.weeks == frozenset({*range(1, 9), *range(10, 17)})


def test_one_cell_may_hold_the_odd_and_the_even_weeks() -> None:
    reading = read(
        ("节次", "周一", "周二", "周三"),
        ("第1节", "英语 李芳 罗平 单周\n\n音乐 王强 罗平 双周", "", ""),
        name="第二录播室",
    )
    assert reading.problems == []
    assert [(entry.main_room, min(entry.weeks)) for entry in reading.entries] == [
        ("second", 1),
        ("second", 2),
    ]


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"学科": "体育"}, 1, "unknown_subject"),
        ({"主讲教师": ""}, 2, "unknown_teacher"),
        ({"主讲教室": "<script>"}, 3, "unknown_room"),
        ({"听讲教室": "罗平、罗平"}, 4, "room_twice"),
        ({"听讲教室": "星光录播室"}, 4, "room_twice"),
        ({"星期": "星期八"}, 5, "bad_weekday"),
        ({"节次": "2026-03-04"}, 6, "bad_periods"),
        ({"周次": "1-99周"}, 7, "weeks_outside"),
    ],
)
def test_a_wrong_cell_is_named_with_its_row_and_column(cells: dict[str, str], column: int, code: str) -> None:
    reading = read(HEADINGS, LINE, changed(**cells))
    assert [(p.row, p.column, p.code) for p in reading.problems] == [(3, column, code)]
    assert reading.problems[0].words.zh
    assert reading.problems[0].words.en


def test_the_same_lesson_twice_is_a_problem_of_the_second() -> None:
    problem = read(HEADINGS, LINE, LINE).problems[0]
    assert (problem.row, problem.code) == (3, "twice")
    assert "2" in problem.words.zh


@pytest.mark.parametrize(
    ("cell", "code"),
    [("英语 李芳 罗平 每天", "unknown_word"), ("英语 李芳", "no_rooms"), ("英语 罗平", "no_teacher")],
)
def test_what_a_grids_cell_lacks_or_has_too_much_is_told(cell: str, code: str) -> None:
    reading = read(("节次", "周一", "周二", "周三"), ("1", cell, "", ""), name="星光录播室")
    assert [problem.code for problem in reading.problems] == [code]
    assert reading.entries == []


def test_a_grid_without_its_main_room_says_where_to_write_it() -> None:
    reading = read(("节次", "周一", "周二", "周三"), ("1", "英语 李芳 罗平", "", ""), name="Sheet1")
    assert [problem.code for problem in reading.problems] == ["no_main_room"]


def test_missing_columns_are_named() -> None:
    problem = read(("学科", "主讲教师", "主讲教室", "星期"), ("英语", "李芳", "星光录播室", "一")).problems[0]
    assert problem.code == "missing_columns"
    assert "节次" in problem.words.zh
    assert "receiving rooms" in problem.words.en


@pytest.mark.parametrize("rows", [(), (("",),), (("foo", "bar"), ("1", "2"))])
def test_a_sheet_that_is_no_timetable_is_told_what_is_expected(rows: tuple[tuple[str, ...], ...]) -> None:
    assert [problem.code for problem in read(*rows).problems] == ["no_headings"]


def test_too_many_rows_and_too_many_problems_are_bounded() -> None:
    assert [p.code for p in read(*[LINE] * (MOST_ROWS + 1)).problems] == ["too_many_rows"]
    assert len(read(HEADINGS, *[changed(学科="?")] * (MOST_PROBLEMS * 2)).problems) == MOST_PROBLEMS


@pytest.mark.parametrize(
    ("text", "weekday"),
    [("星期日", 7), ("周天", 7), ("3", 3), ("Mon", 1), ("thursday", 4), ("Th", 0), ("", 0), ("星期八", 0)],
)
def test_weekdays_are_read_in_both_languages(text: str, weekday: int) -> None:
    assert weekday_of(text) == weekday
