"""WHIP and WHEP with werift, a WebRTC stack in TypeScript that shares nothing with browsers or aiortc."""

from __future__ import annotations

import shutil
from contextlib import AbstractAsyncContextManager

import pytest

from server.drill.own_server import OwnServer
from tests.interop.rtp import encoded, listening
from tests.peers.lessons import holding
from tests.peers.outside import FOLDER, Client, outside
from tests.peers.test_whip_whep import start_lesson
from tests.peers.workers import holds

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(
        shutil.which("node") is None or not (FOLDER / "node_modules" / "werift").exists(),
        reason="werift is not installed: make interop",
    ),
]


def werift(*arguments: str) -> AbstractAsyncContextManager[Client]:
    return outside("node", "werift.mjs", *arguments)


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
