"""GStreamer's RTSP server as a process, for the length of a block."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

SYSTEM_PYTHON = "/usr/bin/python3"  # GStreamer's bindings are Debian's, for its own Python
SCRIPT = Path(__file__).with_name("gstreamer_rtsp_server.py")
PACKAGES = (
    "gir1.2-gst-rtsp-server-1.0",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-ugly",
    "python3-gi",
)
READY_S = 30.0
_CHECK = """
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
assert all(map(Gst.ElementFactory.find, ("x264enc", "rtph264pay", "tsdemux", "capssetter", "alawenc")))
"""


@dataclass(frozen=True, slots=True)
class RtspCamera:
    """A running server; `url` has the login in it where one is asked."""

    url: str
    port: int
    process: asyncio.subprocess.Process

    def freeze(self) -> None:
        """It stands still and closes nothing, as a camera that hangs."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """It is gone at once, and its connections with it."""
        self.process.kill()
        await self.process.wait()


def can_serve() -> bool:
    """Whether GStreamer's RTSP server is installed here."""
    try:
        return not subprocess.run(
            [SYSTEM_PYTHON, "-c", _CHECK], capture_output=True, timeout=READY_S
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


@asynccontextmanager
async def rtsp_camera(
    launch: str, *, login: tuple[str, str] = ("", ""), port: int = 0, only_udp: bool = False
) -> AsyncIterator[RtspCamera]:
    """Serve a GStreamer launch line (its streams end in `name=pay0`, `pay1`) until the end of the block; its
    tests are skipped where it `can_serve` none. `only_udp`: it refuses TCP for what it sends."""
    user, password = login
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        SYSTEM_PYTHON, "-I", str(SCRIPT), "--launch", launch, "--port", str(port),
        "--user", user, "--password", password, *(("--only-udp",) if only_udp else ()),
        stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(READY_S):
            taken = int(await process.stdout.readline() or b"0")
        assert taken, "GStreamer's RTSP server did not start"
        words = ":".join(quote(word, safe="") for word in login)
        place = f"{words}@" if user else ""
        yield RtspCamera(f"rtsp://{place}127.0.0.1:{taken}/live", taken, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
