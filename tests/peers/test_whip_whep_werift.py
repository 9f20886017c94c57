"""WHIP and WHEP with werift, a WebRTC stack in TypeScript that shares nothing with browsers or aiortc."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from server.drill.own_server import OwnServer
from tests.interop.rtp import encoded, listening
from tests.peers.lessons import holding
from tests.peers.test_whip_whep import start_lesson
from tests.peers.workers import holds

FOLDER = Path(__file__).parents[1] / "interop"
pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(
        shutil.which("node") is None or not (FOLDER / "node_modules" / "werift").exists(),
        reason="werift is not installed: make interop",
    ),
]


@dataclass
class Client:
    """A running werift.mjs and the lines it printed."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode().strip())

    async def says(self, start: str, timeout_s: float = 30.0) -> str:
        await holds(lambda: any(line.startswith(start) for line in self.lines), timeout_s)
        return next(line for line in self.lines if line.startswith(start))

    async def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def hang_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert await self.says("deleted") == "deleted 200"
        assert await self.process.wait() == 0


@contextlib.asynccontextmanager
async def werift(*arguments: str) -> AsyncIterator[Client]:
    process = await asyncio.create_subprocess_exec(
        *("node", "werift.mjs", *arguments),
        cwd=FOLDER,
        env=os.environ | {"UV_USE_IO_URING": "0"},  # on a full machine Node spins on it
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    client = Client(process)
    reading = asyncio.create_task(client.read(), name="werift")
    try:
        yield client
    finally:
        if process.returncode is None:
            process.kill()
        await asyncio.gather(process.wait(), reading)


@pytest.mark.parametrize(("codec", "how"), [("h264", "trickle"), ("vp8", "full")])
async def test_werift_publishes_and_werift_watches(installation: OwnServer, codec: str, how: str) -> None:
    async with holding(installation) as held:
        doors = await start_lesson(held)
        tokens = [doors.publish["Authorization"].split()[1], doors.watch["Authorization"].split()[1]]
        async with (
            werift("publish", doors.whip, tokens[0], codec, how) as publisher,
            listening(codec) as (video_port, pictures),
            listening("opus") as (audio_port, sound),
        ):
            _, *ports = (await publisher.says("ports")).split()
            await publisher.says("connected")
            if how == "trickle":
                assert await publisher.says("patched") == "patched 204"
            async with encoded(codec, int(ports[0]), int(ports[1])):
                where = (str(video_port), str(audio_port), how)
                async with werift("watch", doors.whep, tokens[1], codec, *where) as viewer:
                    await viewer.says("connected")
                    await holds(lambda: pictures.frames >= 25 and sound.frames >= 25, 40)
                    room = held.room(0)
                    await room.until(lambda: room.sight("stage").unreadable >= 10, 40)
                    if how == "trickle":
                        assert await viewer.says("patched") == "patched 204"
                    for client in (publisher, viewer):
                        await client.tell("restart")
                        assert await client.says("restarted") == "restarted 200"
                    before = pictures.frames
                    await holds(lambda: pictures.frames >= before + 25, 40)
                    await viewer.hang_up()
            await publisher.hang_up()
