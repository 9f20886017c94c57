"""What is kept is made once and stays until its tables change; what the library counts is what it lists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from server.clock import SystemClock
from server.domain.lesson import Lesson
from server.domain.visibility import Circle, Visibility
from server.protocol.messages import Words
from server.store import finding
from server.store.county_tables import PEOPLE, POSTS
from server.store.library import Library
from server.store.library_records import LibraryQuery, LibraryRow
from server.store.records import RecordingRow
from server.store.remembered import Kept, Remembered
from server.store.store import Store
from server.store.tables import CATALOGUE

ROOMS = ("a", "b", "c")
OPENED = (Visibility.ROOM, Visibility.SCHOOL, Visibility.GROUP, Visibility.COUNTY)


@pytest.fixture
async def store(place: Path | str) -> AsyncIterator[Store]:
    opened = await Store.open(place, SystemClock())
    yield opened
    await opened.close()


async def test_an_answer_is_kept_until_one_of_its_tables_changes(store: Store) -> None:
    kept: Kept[int] = Kept(store.database, (PEOPLE, POSTS), 2)
    made = 0

    async def make() -> int:
        nonlocal made
        made += 1
        return made

    assert [await kept.get("x", make), await kept.get("x", make)] == [1, 1]
    await store.key("of another table")
    assert await kept.get("x", make) == 1
    await store.people.add("somebody", Words("某", "Somebody"))
    assert await kept.get("x", make) == 2
    for name in ("y", "z"):
        await kept.get(name, make)
    assert await kept.get("x", make) == 5, "the oldest of more than two was forgotten"


async def test_what_many_ask_at_once_is_made_once_and_an_error_is_not_kept(store: Store) -> None:
    kept: Kept[int] = Kept(store.database, (PEOPLE,), 2)
    go, made = asyncio.Event(), 0

    async def make() -> int:
        nonlocal made
        made += 1
        await go.wait()
        if made == 1:
            raise ValueError
        return made

    asking = [asyncio.create_task(kept.get("x", make)) for _ in range(5)]
    await asyncio.sleep(0)
    go.set()
    assert all(isinstance(each, ValueError) for each in await asyncio.gather(*asking, return_exceptions=True))
    assert (made, await kept.get("x", make)) == (1, 2)


async def test_a_total_is_as_many_as_are_listed_whoever_asks(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(store.database, SystemClock())
    for number in range(24):
        lesson = f"L{number:010d}"
        title = Words(str(number), str(number))
        await store.save_lesson(Lesson(lesson, title, ROOMS[number % 3], (), created_at=1000 * number), None)
        await store.save_recording(RecordingRow(lesson, "ready", 60.0))
        opened = OPENED[number // 3 % 4].value
        taught = "t" if number % 5 == 0 else ""
        await library.catalogue(lesson, visibility=opened, taught_by=taught, subject=f"s{number % 2}")
    circles = [
        None,
        Circle(own=frozenset("a")),
        Circle(school=frozenset("ab"), person="t"),
        Circle(school=frozenset("a"), group=frozenset("bc")),
        Circle(person="nobody"),
    ]
    for circle in circles:
        for words in ({}, {"subject": ("s1",)}):
            for owned in (False, True):
                query = LibraryQuery("v", circle, owned=owned, words=words, limit=100)
                rows, total = await library.find(query)
                assert total == len(rows)
                expected = [
                    row
                    for row in (await library.find(LibraryQuery("v", limit=100)))[0]
                    if (not words or row.catalogue.subject == "s1") and _reached(circle, row, owned)
                ]
                names = [row.overview.lesson.id for row in expected]
                assert [row.overview.lesson.id for row in rows] == names
                for most in (0, 4_000):  # looked for in the order of the index; cut from all that fit
                    monkeypatch.setattr(finding, "FEW", most)
                    for text in ("", "1"):
                        assert await paged(library, replace(query, text=text)) == [
                            row.overview.lesson.id
                            for row in expected
                            if text in row.overview.lesson.title.zh[:1]
                        ]
        counted = dict((await library.facets(circle))["subject"])
        assert sum(counted.values()) == (await library.find(LibraryQuery("v", circle, limit=100)))[1]
    await library.close()


async def paged(library: Library, query: LibraryQuery) -> list[str]:
    """What three pages of eight list, and nothing beyond."""
    found: list[str] = []
    for offset in (0, 8, 16, 24):
        rows, total = await library.find(replace(query, offset=offset, limit=8))
        found += [row.overview.lesson.id for row in rows]
    assert len(found) == total
    return found


async def test_the_catalogue_is_left_alone_while_a_lesson_only_goes_on(store: Store) -> None:
    lesson = Lesson("L0000000001", Words("一", "One"), "a", ())
    await store.save_lesson(lesson, None)
    mark = store.database.mark(CATALOGUE)
    await store.save_lesson(replace(lesson, alive_at=7), None)
    assert store.database.mark(CATALOGUE) == mark
    await store.save_lesson(replace(lesson, title=Words("二", "Two")), None)
    assert store.database.mark(CATALOGUE) != mark
    library = Library(store.database, SystemClock())
    row = await library.row(lesson.id)
    assert row is not None
    assert row.overview.lesson.title.zh == "二"


async def test_what_may_be_old_is_counted_once_for_all_who_ask_at_once(store: Store) -> None:
    remembered: Remembered[int] = Remembered(SystemClock(), 60.0, 2)
    made = 0

    async def make() -> int:
        nonlocal made
        made += 1
        await asyncio.sleep(0)
        if made == 1:
            raise ValueError
        return made

    asking = [remembered.get("x", make) for _ in range(3)]
    assert all(isinstance(each, ValueError) for each in await asyncio.gather(*asking, return_exceptions=True))
    assert [await remembered.get("x", make) for _ in range(2)] == [2, 2]
    remembered.forget()
    assert await remembered.get("x", make) == 3


def _reached(circle: Circle | None, row: LibraryRow, owned: bool) -> bool:
    if circle is None:
        return True
    about, room = row.catalogue, row.overview.lesson.main_room
    if owned:
        return room in circle.own or (circle.person != "" and about.taught_by == circle.person)
    return circle.sees(room, about.visibility, about.taught_by)
