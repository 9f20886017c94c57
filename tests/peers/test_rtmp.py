"""Encoders that push by RTMP: FFmpeg with the right key, a wrong one, a used one; and those who mean harm."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.certificates import make
from server.drill.own_server import free_port
from server.ingest.contract import PUSH, PushKeys, SourceState
from server.ingest.rtmp.door import MOST_PER_ADDRESS, RtmpDoor
from tests.fakes import nginx
from tests.fakes.encoder import pushing
from tests.peers.boxes import Box, Viewer, box_and_viewer
from tests.peers.workers import holds

KEY, SOURCE = "k3yk3yk3yk3y", "main/camera"
KEYS = {hashlib.sha256(KEY.encode()).hexdigest(): SOURCE}
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="apt-get install ffmpeg")


@asynccontextmanager
async def push_box() -> AsyncIterator[tuple[Box, Viewer, int]]:
    async with box_and_viewer() as (box, viewer):
        port = await box.ingest.door.start("127.0.0.1", 0)
        box.ingest.handle(PushKeys(KEYS))
        yield box, viewer, port


@asynccontextmanager
async def lone_door(open_s: float) -> AsyncIterator[tuple[RtmpDoor, int]]:
    door = RtmpDoor(open_s=open_s)
    port = await door.start("127.0.0.1", 0)
    try:
        yield door, port
    finally:
        await door.close()


@needs_ffmpeg
async def test_an_encoder_pushes_before_and_in_a_lesson_and_a_second_one_is_told_that_its_key_is_in_use() -> (
    None
):
    async with push_box() as (box, viewer, port), pushing(port, KEY):
        await holds(lambda: box.ingest.door.pushing() == [SOURCE], 20)
        await box.publish(PUSH + SOURCE)
        await holds(lambda: len(viewer.pictures) >= 30 and len(viewer.sounds) >= 30, 30)
        assert box.news()[-1].transcoded == ""
        assert abs(viewer.sounds[-1].to_ndarray()).max() > 500
        async with pushing(port, KEY) as second:
            _, said = await asyncio.wait_for(second.communicate(), 30)
            assert second.returncode != 0
            assert b"in use" in said
        seen = len(viewer.pictures)
        await holds(lambda: len(viewer.pictures) > seen + 10, 20)


@needs_ffmpeg
async def test_a_wrong_key_is_refused_in_words_and_a_lesson_waits_for_the_right_one() -> None:
    async with push_box() as (box, viewer, port):
        await box.publish(PUSH + SOURCE)
        async with pushing(port, "guessed") as wrong:
            _, said = await asyncio.wait_for(wrong.communicate(), 30)
            assert wrong.returncode != 0
            assert b"key" in said.lower()
        await holds(lambda: "not_pushing" in box.problems(), 20)
        async with pushing(port, KEY):
            await holds(lambda: len(viewer.pictures) >= 10, 30)
        await holds(lambda: box.news()[-1].state is SourceState.RETRYING, 20)
        box.ingest.handle(PushKeys({}))
        assert box.ingest.door.pushing() == []


@needs_ffmpeg
@pytest.mark.skipif(nginx.there() is None or not nginx.STREAM.exists(), reason="needs libnginx-mod-stream")
async def test_an_encoder_pushes_by_rtmps_through_the_shipped_nginx_configuration(tmp_path: Path) -> None:
    made = make(tmp_path / "tls", ["127.0.0.1"], datetime.now(UTC))
    front = free_port(socket.SOCK_STREAM)
    async with lone_door(open_s=15.0) as (door, port):
        door.know(KEYS)
        async with nginx.rtmps(port, front, made.certificate, made.key):
            await _listens(front)
            async with pushing(front, KEY, "rtmps"):
                await holds(lambda: door.pushing() == [SOURCE], 30)
            async with pushing(front, "guessed", "rtmps") as wrong:
                _, said = await asyncio.wait_for(wrong.communicate(), 30)
                assert wrong.returncode != 0, said


async def _listens(port: int) -> None:
    async with asyncio.timeout(15):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def test_whoever_says_nothing_or_drips_is_closed_and_their_number_is_bounded() -> None:
    async with lone_door(open_s=1.0) as (door, port), AsyncExitStack() as stack:

        async def knock() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            return reader, writer

        knocks = [await knock() for _ in range(MOST_PER_ADDRESS + 8)]
        knocks[0][1].write(b"\3")
        await holds(lambda: len(door._connections) <= MOST_PER_ADDRESS, 10)
        for reader, _ in knocks:
            with_nothing = await asyncio.wait_for(_rest(reader), 20)
            assert with_nothing == b""
        await holds(lambda: not door._connections, 10)
        assert not door._addresses, "who left is forgotten"


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", bytes(64)])
async def test_whoever_speaks_another_language_is_closed_at_once(said: bytes) -> None:
    async with lone_door(open_s=30.0) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        assert await asyncio.wait_for(_rest(reader), 10) == b""
        writer.close()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""
