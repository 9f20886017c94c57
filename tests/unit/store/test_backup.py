"""A backup is taken online and read by either database; what is no backup is refused and leaves nothing."""

from __future__ import annotations

import asyncio
import stat
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.clock import SystemClock
from server.domain.lesson import Lesson
from server.protocol.messages import Words
from server.protocol.parameters import Source
from server.store.backup import BadBackup, NotEmpty, back_up, restore
from server.store.library import Library
from server.store.library_records import LibraryQuery
from server.store.records import BoxSource, Classroom, RecordingRow
from server.store.sealing import Seal
from server.store.sources import Sources
from server.store.store import Store
from tests.unit.store.test_upgrades import ROWS, store_of

NAME = Words(zh="星光小学", en="Starlight")
LESSON = Lesson("L0000000001", Words(zh="第四单元", en="Unit 4"), "main", (), created_at=1_700_000_000_000)


@asynccontextmanager
async def opened(place: Path | str) -> AsyncIterator[Store]:
    store = await Store.open(place, SystemClock())
    try:
        yield store
    finally:
        await store.close()


async def fill(store: Store, seal: Seal) -> None:
    await store.county.settle([Classroom("main", NAME, True)], NAME, NAME)
    await store.save_lesson(LESSON, None)
    await store.save_recording(RecordingRow(LESSON.id, "ready", 60.0))
    await store.audit("admin", "log_in", "admin")
    await Sources(store.database, seal).put(BoxSource("main", Source.CAMERA, "rtsp://a:b@c/"), 1)


async def test_what_was_backed_up_while_others_write_comes_back_in_an_empty_database(
    place: Path | str, empty: Path | str, tmp_path: Path
) -> None:
    seal, file = Seal.of(tmp_path / "sources.key"), tmp_path / "all.backup"
    async with opened(place) as store:
        await fill(store, seal)
        writing = asyncio.create_task(store.audit("admin", "save", "later"))
        rows = await back_up(place, file, 1)
        await writing
    assert rows["lessons"] == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    await restore(file, empty)
    async with opened(empty) as store:
        assert [room.name for room in await store.classrooms()] == [NAME]
        found = await store.lesson(LESSON.id)
        assert found is not None
        assert found.lesson == LESSON
        assert (await Sources(store.database, seal).all())[0].address == "rtsp://a:b@c/"
        await store.audit("admin", "goes_on", "numbering")
        assert (await store.audit_log.rows())[0].action == "goes_on"
        library = Library(store.database, SystemClock())
        assert (await library.find(LibraryQuery("四单", None, text="四单")))[1] == 1
        await library.close()


async def test_nothing_is_restored_over_what_is_there(place: Path | str, tmp_path: Path) -> None:
    file = tmp_path / "all.backup"
    await back_up(place, file, 1)
    with pytest.raises(NotEmpty):
        await restore(file, place)


@pytest.mark.parametrize("content", [b"", b"rubbish", None, b'{"kind": "other"}'])
async def test_what_is_no_backup_is_refused_in_words(
    content: bytes | None, empty: Path | str, tmp_path: Path
) -> None:
    file = tmp_path / "bad.backup"
    if content is None or content.startswith(b"{"):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("other.json" if content is None else "meta.json", content or b"")
    else:
        file.write_bytes(content)
    with pytest.raises(BadBackup):
        await restore(file, empty)
    if isinstance(empty, Path):
        assert not await asyncio.to_thread(empty.exists)


@pytest.mark.parametrize("revision", sorted(ROWS))
async def test_a_backup_of_an_earlier_version_is_brought_up_to_date(
    revision: str, empty: Path | str, tmp_path: Path
) -> None:
    old, file = tmp_path / "old.sqlite3", tmp_path / "old.backup"
    store_of(revision, old)
    await back_up(old, file, 1)
    await restore(file, empty)
    async with opened(empty) as store:
        assert [room.room for room in await store.classrooms()] == ["main", "shahe"]
        assert await store.people.by_login("admin") is not None
