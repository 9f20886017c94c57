"""server.store.library: lessons are found, ordered and remembered, also after they changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from server.clock import SystemClock
from server.domain.editing import Cut, EditList
from server.domain.lesson import Lesson
from server.domain.visibility import Circle, Visibility
from server.protocol.messages import Words
from server.store.edits import Edits
from server.store.library import Library
from server.store.library_records import ChapterTitle, LibraryQuery, LibrarySort, RecordedState
from server.store.records import Classroom, RecordingRow
from server.store.store import Store

TITLES = {
    "L0000000001": Words(zh="三年级英语第四单元：我的家", en="Grade 3 English, unit 4: my home"),
    "L0000000002": Words(zh="音乐欣赏：茉莉花", en="Listening to music: jasmine"),
    "L0000000003": Words(zh="长方形的面积", en="The area of a rectangle"),
}

OTHER = Circle(frozenset({"other"}))


@pytest.fixture
async def store(place: Path | str) -> AsyncIterator[Store]:
    opened = await Store.open(place, SystemClock())
    named = Words(zh="星光小学", en="Starlight")
    await opened.county.settle([Classroom("main", named, True)], named, named)
    for number, (lesson, title) in enumerate(TITLES.items()):
        room = "main" if number < 2 else "other"
        await opened.save_lesson(Lesson(lesson, title, room, (), created_at=1000 * number), None)
        await opened.save_recording(RecordingRow(lesson, "ready", 60.0 * (number + 1)))
    yield opened
    await opened.close()


@pytest.fixture
async def library(store: Store) -> AsyncIterator[Library]:
    opened = Library(store.database, SystemClock())
    yield opened
    await opened.close()


async def found(library: Library, text: str = "", **rest: object) -> list[str]:
    rows, total = await library.find(LibraryQuery("admin", text=text, **rest))  # type: ignore[arg-type]
    assert total == len(rows)
    return [row.overview.lesson.id[-1] for row in rows]


@pytest.mark.parametrize(
    ("typed", "lessons"),
    [
        ("四单", ["1"]),
        ("我的家", ["1"]),
        ("面积", ["3"]),
        ("家", ["1"]),
        ("积面", []),
        ("sdy", ["1"]),
        ("DSDY", ["1"]),
        ("molihua", ["2"]),
        ("jasm", ["2"]),
        ("星光", ["2", "1"]),
        ("英语 unit", ["1"]),
        ("英语 jasmine", []),
        ("！？", []),
        ('" OR words : "x', []),
        ("", ["3", "2", "1"]),
    ],
)
async def test_what_is_typed_finds_what_it_stands_in(
    library: Library, typed: str, lessons: list[str]
) -> None:
    assert await found(library, typed) == lessons


async def test_a_change_is_found_and_what_was_before_is_not(library: Library) -> None:
    assert await found(library, "王老师") == []
    await library.catalogue("L0000000002", teacher="王老师", subject="音乐", title="江南民歌")
    await library.catalogue("L0000000003", chapters=[ChapterTitle(12.0, "平行四边形")])
    assert await found(library, "王老师") == ["2"]
    assert await found(library, "茉莉花") == ["2"], "the lesson's own title stays known"
    assert await found(library, "四边") == ["3"]
    row = await library.row("L0000000003")
    assert row is not None
    assert row.catalogue.chapters == (ChapterTitle(12.0, "平行四边形"),)


async def test_filters_sorts_and_pages_go_together(library: Library) -> None:
    await library.catalogue("L0000000001", subject="英语", grade="三年级")
    await library.catalogue("L0000000002", subject="音乐", grade="三年级")
    assert await found(library, words={"subject": ("英语", "音乐")}) == ["2", "1"]
    assert await found(library, words={"grade": ("三年级",), "subject": ("英语",)}) == ["1"]
    assert await found(library, sort=LibrarySort.LONGEST) == ["3", "2", "1"]
    assert await found(library, sort=LibrarySort.OLDEST) == ["1", "2", "3"]
    assert await found(library, rooms=("other",)) == ["3"]
    assert await found(library, states=(RecordedState.FAILED,)) == []
    assert await found(library, from_ms=1000, to_ms=2000) == ["2"]
    rows, total = await library.find(LibraryQuery("admin", offset=1, limit=1))
    assert ([row.overview.lesson.id[-1] for row in rows], total) == (["2"], 3)
    facets = await library.facets(None)
    assert facets["grade"] == [("三年级", 2)]
    assert dict(facets["subject"]) == {"英语": 1, "音乐": 1}


async def test_a_main_room_sees_its_own_lessons_and_those_that_were_opened(library: Library) -> None:
    assert await found(library, reach=OTHER) == ["3"]
    await library.catalogue("L0000000001", visibility=Visibility.COUNTY.value)
    assert await found(library, reach=OTHER) == ["3", "1"]
    assert (await library.facets(OTHER))["subject"] == []


async def test_a_deleted_lesson_is_found_no_more(library: Library) -> None:
    await library.deleted("L0000000002")
    assert await found(library) == ["3", "1"]
    row = await library.row("L0000000002")
    assert row is not None
    assert row.catalogue.deleted_at is not None


async def test_a_series_keeps_its_order_and_each_viewer_its_place(library: Library) -> None:
    series = await library.create_series("英语公开课", "main")
    await library.order_series(series, ["L0000000003", "L0000000001"])
    assert await found(library, series=series, sort=LibrarySort.SERIES) == ["3", "1"]
    assert [(one.name, one.lessons) for one in await library.series()] == [("英语公开课", 2)]
    await library.watched("admin", "L0000000003", 12.5)
    await library.watched("admin", "L0000000003", 20.0)
    await library.watched("studio:main", "L0000000003", 3.0)
    row = await library.row("L0000000003", "admin")
    assert row is not None
    assert row.watched_s == 20.0
    assert await found(library, sort=LibrarySort.WATCHED) == ["3"]
    await library.order_series(series, ["L0000000001"])
    assert await found(library, series=series) == ["1"]
    await library.delete_series(series)
    assert await library.one_series(series) is None
    assert await found(library) == ["3", "2", "1"]


async def test_edits_are_undone_and_done_again_in_order(store: Store) -> None:
    edits = Edits(store.database, SystemClock())
    one, two = EditList(in_s=2.0), EditList(in_s=2.0, cuts=(Cut(5.0, 7.0),))
    assert await edits.edits("L0000000001") == EditList()
    await edits.edit("L0000000001", "admin", one)
    await edits.edit("L0000000001", "admin", two)
    assert await edits.edits("L0000000001") == two
    assert await edits.undo("L0000000001")
    assert await edits.edits("L0000000001") == one
    assert await edits.redo("L0000000001")
    assert not await edits.redo("L0000000001")
    assert await edits.edits("L0000000001") == two
    assert [await edits.undo("L0000000001") for _ in range(3)] == [True, True, False]
    assert await edits.steps("L0000000001") == (0, 2)
    await edits.edit("L0000000001", "admin", replace(one, in_s=9.0))
    assert await edits.steps("L0000000001") == (1, 0)
    assert await edits.edits("L0000000002") == EditList()
