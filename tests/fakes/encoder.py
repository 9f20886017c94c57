"""FFmpeg as an encoder that pushes by RTMP: whatever picture, sound and structure a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from tests.fakes.foreign_process import PIPE, running

PICTURE = ("-f", "lavfi", "-re", "-i", "testsrc=size=320x180:rate=25")
TONE = ("-f", "lavfi", "-re", "-i", "sine=frequency=440:sample_rate=44100")
AS_H264 = (
    *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "25"),
    *("-c:a", "aac"),
)
WITH_B_FRAMES_AND_LONG_GOP = (
    *("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-pix_fmt", "yuv420p", "-g", "2500"),
    *("-sc_threshold", "0"),
)


def pushing(
    port: int,
    key: str,
    scheme: str = "rtmp",
    *,
    sound: Sequence[str] = TONE,
    coded: Sequence[str] = AS_H264,
) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """An encoder that pushes with this key to a port of this machine, until the end of the block."""
    door = f"{scheme}://127.0.0.1:{port}/live/{key}"
    command = ("ffmpeg", "-loglevel", "error", "-nostdin", *PICTURE, *sound, *coded, "-f", "flv", door)
    return running(*command, stderr=PIPE)
