"""Cameras' passwords are in the store, but not to be read from it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from server.clock import SystemClock
from server.domain.box_check import BoxCheck
from server.protocol.messages import Words
from server.protocol.parameters import Source
from server.protocol.sources import ProbePoint
from server.store.box_checks import BoxChecks
from server.store.records import BoxSource, Classroom
from server.store.sealing import Seal
from server.store.sources import Sources
from server.store.store import Store

BOX = BoxSource(
    "main", Source.CAMERA, "rtsp://a:s3cret@10.0.0.9/1", "rtsp://10.0.0.9:554/1", True, True, False
)

COUNTY, SCHOOL = Words(zh="县", en="County"), Words(zh="学校", en="School")


async def test_a_source_comes_back_as_it_was_put_and_its_password_is_nowhere_in_the_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "lianke.sqlite3"
    store = await Store.open(path, SystemClock())
    try:
        await store.county.settle([Classroom("main", Words("主", "Main"), True)], COUNTY, SCHOOL)
        sources = Sources(store.database, Seal.of(tmp_path / "sources.key"))
        await sources.put(BOX, 1)
        await sources.put(BOX, 2)
        assert await sources.all() == [BOX]
        other = Sources(store.database, Seal.of(tmp_path / "other.key"))
        assert [box.address for box in await other.all()] == [""]  # the key was lost: to be typed again
        await sources.remove("main", Source.CAMERA)
        assert await sources.all() == []
        checks, point = BoxChecks(store.database), ProbePoint("no_answer", "unfit", Words("没有", "None"))
        for found in (
            BoxCheck("main", Source.CAMERA, "L1", 1, point, 1),
            BoxCheck("main", Source.CAMERA, "L2", 2),
        ):
            await checks.put(found)
            assert await checks.all() == [found]
        await checks.remove("main", Source.CAMERA)
        assert await checks.all() == []
        await sources.put(BOX, 3)
    finally:
        await store.close()
    files = b"".join(map(Path.read_bytes, sorted(tmp_path.glob("lianke.sqlite3*"))))  # noqa: ASYNC240
    assert b"s3cret" not in files
    assert "s3cret" not in repr(BOX)
    with sqlite3.connect(path) as database:
        assert database.execute("select shown from sources").fetchone() == ("rtsp://10.0.0.9:554/1",)
    database.close()


def test_the_key_is_private_and_the_same_ever_after(tmp_path: Path) -> None:
    path = tmp_path / "sources.key"
    sealed = Seal.of(path).close("a word")
    assert path.stat().st_mode & 0o777 == 0o600
    assert Seal.of(path).open(sealed) == "a word"
    path.write_bytes(b"rubbish")
    with pytest.raises(ValueError, match=r"."):
        Seal.of(path)
