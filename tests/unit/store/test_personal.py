"""server.store.personal: what names an erased person is gone from every row; lessons and figures stay."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from server.clock import SystemClock
from server.domain.erasure import lesson_without, neutral, without
from server.domain.lesson import Lesson, Pass
from server.protocol.messages import LessonState, Words
from server.store.library import Library
from server.store.library_records import ChapterTitle, LibraryQuery
from server.store.metadata import METADATA
from server.store.personal import Personal
from server.store.records import RecordingRow
from server.store.store import Store
from server.store.timetable_records import Booked
from server.store.timetable_tables import LINES, TERMS
from server.store.uploads import Uploads

WANG = Words(zh="王小明", en="Wang Xiaoming")
HELD, BOOKED, FREE, OTHERS = "L0000000001", "L0000000002", "L0000000003", "L0000000004"


@pytest.fixture
async def store(place: Path | str) -> AsyncIterator[Store]:
    opened = await Store.open(place, SystemClock())
    yield opened
    await opened.close()


def lesson(name: str, teacher: Words | None, taught_by: str, title: str = "课") -> Lesson:
    return Lesson(
        name, Words(zh=title, en=title), "main", ("shahe",), LessonState.ENDED, created_at=1000,
        started_at=2000, ended_at=62_000, teacher=teacher, taught_by=taught_by,
        watch_pass=Pass(7, 90_000, "王小明的课"),
    )  # fmt: skip


async def held(store: Store, library: Library) -> None:
    """A lesson in the archive, one booked, one that was brought in under the name, one of another Wang."""
    await store.people.add("xiaoming", WANG, person="p1")
    await store.people.add("li", Words(zh="李红", en="Li Hong"), person="p2")
    await store.save_lesson(lesson(HELD, WANG, "p1", "王小明老师的公开课"), None)
    await store.save_recording(RecordingRow(HELD, "ready", 60.0))
    chapters = [ChapterTitle(3.0, "WANG XIAOMING reads")]
    await library.catalogue(HELD, title="Wang Xiaoming: unit 4", chapters=chapters, school="一小")
    await store.save_lesson(lesson(FREE, None, ""), None)
    await store.save_recording(RecordingRow(FREE, "ready", 60.0))
    await library.catalogue(FREE, teacher="王小明")
    await store.save_lesson(lesson(OTHERS, Words(zh="李红", en="Li Hong"), "p2", "和王小明一起"), None)
    await store.save_recording(RecordingRow(OTHERS, "ready", 60.0))
    day = date(2026, 11, 23)
    booked = Booked(BOOKED, day, 1, 1, 5000, 9000, "main", ("shahe",), "p1", title="王小明公开课")
    await store.timetable.add([booked], await store.naming.names(["p1"]))
    value = {"teacher": "p1", "title": "王小明", "subject": "english"}
    await store.database.write(
        TERMS.insert().values(term="t", name_zh="x", name_en="x", first_monday=day, weeks=20, version=1),
        LINES.insert().values(line="n1", term="t", main_room="main", value=json.dumps(value)),
    )
    await Uploads(store.database, SystemClock()).create("teacher:p1:main", "main", "王小明.mp4", 5)


async def rows_with(store: Store, word: str) -> list[str]:
    """Tables, the audit log apart, with a row that says the word."""
    found: list[str] = []
    for table in METADATA.sorted_tables:
        said = [str(tuple(row)).lower() for row in await store.database.rows(select(table))]
        found += [table.name for row in said if table.name != "audit" and word.lower() in row]
    return found


async def test_an_erased_teachers_name_is_in_no_row_and_the_lessons_and_their_figures_stay(
    store: Store,
) -> None:
    library = Library(store.database, SystemClock())
    await held(store, library)
    assert (await library.find(LibraryQuery("admin", text="xiaoming")))[1] == 3
    before = await store.lesson(HELD)
    assert before is not None
    personal = Personal(store.database, SystemClock())
    lessons, names = await personal.taught("p1")
    assert lessons == [HELD, BOOKED, FREE]
    assert names == {"Wang Xiaoming": "Erased", "王小明": "已删除"}
    await personal.erase("p1")
    assert await rows_with(store, "xiaoming") == []
    assert await rows_with(store, "王小明") == ["lessons", "catalogue"], "what another teacher's title says"
    after = await store.lesson(HELD)
    assert after is not None
    assert after.lesson.title == Words(zh="已删除老师的公开课", en="已删除老师的公开课")
    assert after.lesson.teacher == Words(zh="已删除", en="Erased")
    assert (after.lesson.taught_by, after.lesson.started_at, after.lesson.ended_at) == ("p1", 2000, 62_000)
    assert after.recording == before.recording
    row = await library.row(HELD)
    assert row is not None
    assert (row.catalogue.title, row.catalogue.teacher) == ("Erased: unit 4", "已删除")
    assert (row.catalogue.school, row.catalogue.chapters[0].title) == ("一小", "Erased reads")
    planned = await store.timetable.one(BOOKED)
    assert planned is not None
    assert (planned.title, planned.teacher) == ("已删除公开课", "p1")
    for text, count in (("xiaoming", 1), ("王小明", 1), ("unit", 1), ("已删除", 2)):
        assert (await library.find(LibraryQuery("admin", text=text)))[1] == count, text
    await personal.erase("p1")
    await library.close()


async def test_a_name_that_two_people_have_is_left_where_nobody_knows_whose_it_is(store: Store) -> None:
    library = Library(store.database, SystemClock())
    await held(store, library)
    await store.people.add("another", WANG, person="p3")
    await Personal(store.database, SystemClock()).erase("p1")
    row = await library.row(FREE)
    assert row is not None
    assert row.catalogue.teacher == "王小明"
    await library.close()


async def test_a_lesson_that_campus_still_holds_is_saved_without_the_name(store: Store) -> None:
    library = Library(store.database, SystemClock())
    await held(store, library)
    personal = Personal(store.database, SystemClock())
    store.erased("p1", (await personal.taught("p1"))[1])
    await personal.erase("p1")
    await store.save_lesson(lesson(HELD, WANG, "p1", "王小明老师的公开课"), None)
    found = await store.lesson(HELD)
    assert found is not None
    assert found.lesson.teacher == Words(zh="已删除", en="Erased")
    assert "王小明" not in found.lesson.title.zh
    await library.close()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("王小明老师", "已删除老师"),
        ("by wang xiaoming, unit 4", "by Erased, unit 4"),
        ("王小明/Wang Xiaoming", "已删除/Erased"),
        ("Wang Xiaomings", "Wang Xiaomings"),
        ("王老师", "王老师"),
        ("Wang Xiaoming老师", "Erased老师"),
    ],
)
def test_only_the_whole_name_goes(text: str, left: str) -> None:
    assert without(text, neutral(WANG)) == left


def test_a_name_of_one_letter_and_who_is_erased_already_change_no_words() -> None:
    assert neutral(Words(zh="李", en="L")) == {}
    assert neutral(Words(zh="已删除", en="Erased")) == {}
    assert lesson_without({"id": "L1"}, {"L1": "x"}) == {"id": "L1"}
