"""server.store: rows come back as they were put, also after opening again."""

import asyncio
import importlib
import pkgutil
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

import server.store
from server.clock import SystemClock
from server.domain.lesson import Lesson
from server.protocol.messages import LessonState, Words
from server.store.metadata import METADATA
from server.store.records import Classroom, Mark, RecordingRow
from server.store.store import Store

UNIT = Words(zh="第四单元", en="Unit 4")
LESSON = Lesson("L0000000001", UNIT, "main", ("shahe", "yefan"), created_at=5, started_at=6)
COUNTY, SCHOOL = Words(zh="星光县", en="Starlight County"), Words(zh="星光小学", en="Starlight Primary")
ROOMS = [
    Classroom("main", Words(zh="录播室", en="Recording room"), True),
    Classroom("shahe", Words(zh="沙河", en="Shahe"), False),
]


@pytest.fixture
async def store(place: Path | str) -> AsyncIterator[Store]:
    opened = await Store.open(place, SystemClock())
    yield opened
    await opened.close()


async def test_migrations_make_the_tables_of_the_code(store: Store) -> None:
    for module in pkgutil.iter_modules(server.store.__path__):
        if module.name.endswith("_tables"):
            importlib.import_module(f"server.store.{module.name}")

    def differences(connection: Connection) -> list[object]:
        options = {"include_name": lambda name, kind, _: not (name or "").startswith("catalogue_search")}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))

    async with store.database.writing() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "store.sqlite3"
    store = await Store.open(path, SystemClock())
    await store.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_key_is_made_once_and_survives(empty: Path | str) -> None:
    keys = []
    for _ in range(2):
        store = await Store.open(empty, SystemClock())
        keys += await asyncio.gather(store.key("tokens"), store.key("tokens"))
        assert await store.key("media") != keys[0]
        await store.close()
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32


async def test_rooms_keep_their_order_and_one_that_was_closed_is_out_of_use(store: Store) -> None:
    await store.county.settle(ROOMS, COUNTY, SCHOOL)
    assert await store.classrooms() == ROOMS
    await store.county.settle(ROOMS, COUNTY, SCHOOL)
    await store.county.close("main", store.county.today())
    assert await store.classrooms() == ROOMS[1:]
    assert await store.classroom("main") is None


async def test_lessons_on_the_air_are_found_again_whole(store: Store) -> None:
    live = replace(LESSON, state=LessonState.LIVE, started_at=7, recorded_rooms=frozenset({"shahe"}))
    await store.save_lesson(live, "w0")
    await store.save_lesson(replace(LESSON, id="L0000000002", state=LessonState.ENDED), None)
    assert await store.open_lessons() == [live]
    await store.save_lesson(replace(live, state=LessonState.ENDED), "w0")
    assert await store.open_lessons() == []


async def test_a_recording_and_its_marks_stand_beside_their_lesson(store: Store) -> None:
    await store.save_lesson(LESSON, None)
    marks = [Mark(1.5, "called", {"room": "shahe"})]
    await store.save_marks(LESSON.id, marks)
    row = RecordingRow(LESSON.id, "ready", 61.2, 0.9)
    await store.save_recording(row)
    assert await store.marks(LESSON.id) == marks
    overview = await store.lesson(LESSON.id)
    assert overview is not None
    assert (overview.lesson, overview.recording) == (LESSON, row)
    assert [known.lesson.id for known in await store.lessons()] == [LESSON.id]
    assert await store.lesson("L0000000009") is None


async def test_a_recording_without_its_lessons_row_is_left_to_the_disk(store: Store) -> None:
    await store.save_recording(RecordingRow("L0000000009", "ready"))
    assert await store.lessons() == []


async def test_the_audit_log_only_grows(store: Store) -> None:
    await store.audit("admin", "log_in", "admin")
    await store.audit("studio:main", "start_lesson", LESSON.id, minutes="60")
    rows = await store.audit_log.rows()
    assert [row.action for row in rows] == ["start_lesson", "log_in"]
    assert rows[0].details == {"minutes": "60"}
    for statement in ("DELETE FROM audit", "UPDATE audit SET actor = 'nobody'"):
        with pytest.raises(DBAPIError, match="only grows"):
            await store.database.write(text(statement))
    assert await store.audit_log.count() == 2


async def test_writers_at_the_same_moment_all_get_through(store: Store) -> None:
    lessons = [replace(LESSON, id=f"L{number:010d}") for number in range(40)]
    async with asyncio.TaskGroup() as group:
        for lesson in lessons:
            group.create_task(store.save_lesson(lesson, None))
            group.create_task(store.audit("admin", "save", lesson.id))
    assert len(await store.lessons()) == 40
    assert await store.is_well()
