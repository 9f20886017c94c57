"""Finished recordings in an S3 server (moto's, over HTTP) and in a folder: stored whole, played through
campus, freed, deleted."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from recorder.archive.storage import Storage, StorageFailed, StoreAt
from recorder.publish.problems import StepFailed
from recorder.publish.removal import remove, remove_stored
from recorder.publish.storing import store
from server.api.stored import send_stored
from server.drill.own_server import free_port
from tests.fakes.archived_lesson import archive_lesson


@pytest.fixture(scope="module")
def s3() -> Iterator[StoreAt]:
    """moto's server, with a bucket."""
    port = free_port(socket.SOCK_STREAM)
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    endpoint, until = f"http://127.0.0.1:{port}", time.monotonic() + 60
    try:
        while True:
            try:
                made = urllib.request.Request(f"{endpoint}/lessons", method="PUT")
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(made):
                    break
            except OSError as error:
                if isinstance(error, urllib.error.HTTPError) or time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield StoreAt("s3://lessons/school", endpoint, "us-east-1", "key", "secret")
    finally:
        server.kill()
        server.wait()


@pytest.fixture(params=["s3", "folder"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> StoreAt:
    if request.param == "folder":
        return StoreAt(f"file://{tmp_path / 'elsewhere'}")
    found: StoreAt = request.getfixturevalue("s3")
    return found


async def test_a_lesson_goes_into_the_store_plays_from_it_and_is_deleted_there_too(
    at: StoreAt, tmp_path: Path
) -> None:
    archive, where = tmp_path / "archive", tmp_path / "store.json"
    where.write_bytes(msgspec.json.encode(at))
    archive_lesson(archive, "L1", 1.0)
    folder, camera = archive / "L1", (archive / "L1" / "camera.mp4").read_bytes()
    told: list[float] = []
    await asyncio.to_thread(store, folder, "L1", str(where), told.append)
    assert told[-1] == 1.0
    storage = Storage(at)
    sizes = storage.sizes("L1")
    assert {"camera.mp4", "voice.mp4", "camera.m3u8", "manifest.json"} <= set(sizes)
    assert sizes["camera.mp4"] == len(camera)
    freed = await asyncio.to_thread(remove_stored, archive, "L1", str(where))
    assert (freed.problem, freed.left) == ("", 0)
    assert freed.bytes >= len(camera)
    assert not (folder / "camera.mp4").exists()
    assert (folder / "camera.m3u8").exists(), "playlists stay: they are small"

    async def play(request: web.Request) -> web.StreamResponse:
        return await send_stored(request, storage, "L1", "camera.mp4", "video/mp4")

    app = web.Application()
    app.add_routes([web.get("/x", play)])
    async with TestClient(TestServer(app)) as client:
        whole = await client.get("/x")
        assert (whole.status, await whole.read()) == (200, camera)
        part = await client.get("/x", headers={"Range": "bytes=100-299"})
        assert (part.status, await part.read()) == (206, camera[100:300])
        assert part.headers["Content-Range"] == f"bytes 100-299/{len(camera)}"
        last = await client.get("/x", headers={"Range": "bytes=-50"})
        assert await last.read() == camera[-50:]
        assert (await client.get("/x", headers={"Range": f"bytes={len(camera)}-"})).status == 416
    gone = await asyncio.to_thread(remove, archive, "L1", str(where), derived_only=False)
    assert gone.problem == ""
    assert storage.sizes("L1") == {}
    assert not folder.exists()


async def test_a_store_that_is_away_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    archive, where = tmp_path / "archive", tmp_path / "store.json"
    nowhere = StoreAt(
        "s3://lessons", f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}", "", "key", "secret"
    )
    where.write_bytes(msgspec.json.encode(nowhere))
    archive_lesson(archive, "L1", 1.0)
    with pytest.raises(StepFailed, match="storage"):
        await asyncio.to_thread(store, archive / "L1", "L1", str(where), lambda _: None)
    freed = await asyncio.to_thread(remove_stored, archive, "L1", str(where))
    assert freed.problem.startswith("storage")
    assert (archive / "L1" / "camera.mp4").exists()
    with pytest.raises(StorageFailed):
        Storage(StoreAt("ftp://nowhere"))
