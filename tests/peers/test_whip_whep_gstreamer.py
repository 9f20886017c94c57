"""WHIP and WHEP with GStreamer's webrtcbin (libnice, OpenSSL, libsrtp of its own): publisher and viewer."""

from __future__ import annotations

import subprocess
from contextlib import AbstractAsyncContextManager

import pytest

from server.drill.own_server import OwnServer
from tests.peers.lessons import holding
from tests.peers.outside import Client, outside
from tests.peers.test_whip_whep import Doors, start_lesson

PYTHON = "/usr/bin/python3"  # Debian's: it has GStreamer's bindings
NEEDED = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstWebRTC
Gst.init(None)
assert all(map(Gst.ElementFactory.find, ("webrtcbin", "nicesrc", "x264enc", "opusenc", "dtlsdec")))
"""


def _is_there() -> bool:
    try:
        return (
            subprocess.run([PYTHON, "-c", NEEDED], capture_output=True, timeout=60, check=False).returncode
            == 0
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False


pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(
        not _is_there(), reason="GStreamer's webrtcbin or its Python bindings are not installed"
    ),
]


def gstreamer(mode: str, url: str, headers: dict[str, str]) -> AbstractAsyncContextManager[Client]:
    return outside(PYTHON, "gstreamer_webrtc.py", mode, url, headers["Authorization"].split()[1])


async def test_gstreamer_publishes_and_gstreamer_watches(installation: OwnServer) -> None:
    async with holding(installation) as held:
        doors: Doors = await start_lesson(held)
        room = held.room(0)
        async with gstreamer("publish", doors.whip, doors.publish) as publisher:
            await publisher.says("connected", 40)
            await room.until(lambda: room.sight("stage").unreadable >= 25, 40)
            await room.until(lambda: room.sound("main").fresh > 0, 15)
            async with gstreamer("watch", doors.whep, doors.watch) as viewer:
                await viewer.says("connected", 40)
                await viewer.says("video 100", 40)
                await viewer.says("audio 100", 40)
                await viewer.hang_up()
            await publisher.hang_up()
        await room.until(lambda: room.lesson is not None and not room.lesson.main_sends, 15)
