"""server.domain.sheets.people: people are read by row, and what is wrong is told by cell and in words."""

from __future__ import annotations

from datetime import date

import pytest

from server.domain.org import Dated, Organisation, Unit, UnitKind
from server.domain.posts import PostRole
from server.domain.sheets.cells import Sheet
from server.domain.sheets.people import (
    EXAMPLE,
    TITLES,
    PeopleReading,
    read_people,
    unit_directory,
    unit_name,
)
from server.protocol.messages import Words

DAY, SINCE = date(2026, 11, 22), date(2020, 1, 1)


def unit(name: str, kind: UnitKind, parent: str = "", zh: str = "") -> Unit:
    parents = (Dated(SINCE, parent),) if parent else ()
    return Unit(name, kind, SINCE, (Dated(SINCE, Words(zh or name, name)),), parents)


UNITS = (
    unit("county", UnitKind.COUNTY),
    unit("one", UnitKind.SCHOOL, "county", "第一小学"),
    unit("two", UnitKind.SCHOOL, "county", "第二小学"),
    unit("room-1", UnitKind.ROOM, "one", "录播室"),
    unit("room-2", UnitKind.ROOM, "two", "录播室"),
)
ORGANISATION = Organisation({each.id: each for each in UNITS})


def read(*rows: tuple[str, ...]) -> PeopleReading:
    reading = PeopleReading(unit_directory(ORGANISATION, DAY))
    read_people([Sheet(rows)], reading)
    return reading


def test_the_template_is_read_as_it_stands_and_a_person_may_hold_several_posts() -> None:
    second = ("ZhangMin", "张敏", "Zhang Min", "assistant", "第二小学/录播室", "2026/9/1", "2027-07-01")
    found = read(("人员名单",), TITLES, EXAMPLE, ("",) * 7, second)
    assert found.problems == []
    first, other = found.lines
    assert (first.login, first.name, first.role, first.unit, first.since) == (
        "zhangmin",
        Words("张敏", "Zhang Min"),
        PostRole.TEACHER,
        "one",
        None,
    )
    assert (other.login, other.unit, other.since) == ("zhangmin", "room-2", date(2026, 9, 1))


@pytest.mark.parametrize(
    ("changed", "code", "column"),
    [
        ({0: "zhang min"}, "bad_login", 1),
        ({1: "", 2: ""}, "bad_name", 2),
        ({3: "校长"}, "bad_role", 4),
        ({4: "第三小学"}, "unknown_unit", 5),
        ({3: "助教", 4: "录播室"}, "shared_name", 5),
        ({4: "第一小学/录播室"}, "bad_post", 4),
        ({5: "开学"}, "bad_day", 6),
        ({5: "2026-09-01", 6: "2026-09-01"}, "bad_days", 7),
    ],
)
def test_what_is_wrong_is_told_by_cell_in_both_languages(
    changed: dict[int, str], code: str, column: int
) -> None:
    row = tuple(changed.get(place, text) for place, text in enumerate(EXAMPLE))
    found = read(TITLES, row)
    assert found.lines == []
    (problem,) = found.problems
    assert (problem.code, problem.row, problem.column) == (code, 2, column)
    assert problem.words.zh
    assert problem.words.en


def test_a_post_twice_another_name_for_a_login_and_missing_columns_are_told() -> None:
    other = ("zhangmin", "李四", "Li Si", *EXAMPLE[3:])
    assert [each.code for each in read(TITLES, EXAMPLE, EXAMPLE, other).problems] == ["twice", "other_name"]
    assert [each.code for each in read(("登录名", "姓名", "职务")).problems] == ["missing_columns"]
    assert [each.code for each in read(("a", "b")).problems] == ["no_headings"]


def test_a_name_that_several_units_have_is_written_with_the_unit_above() -> None:
    directory = unit_directory(ORGANISATION, DAY)
    names = [unit_name(each.id, ORGANISATION, directory, DAY) for each in UNITS]
    assert names == ["county", "第一小学", "第二小学", "第一小学/录播室", "第二小学/录播室"]
    assert [directory.units[name] for name in names] == [each.id for each in UNITS]
