"""A film from a file as a camera that never ends: FFmpeg sends it in real time, round and round, by copy."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from server.drill.senders import NoSender

# Nothing waits for what comes next: each picture has its length (PES), and goes out when it is whole.
AS_TS = (
    *("-f", "mpegts", "-muxdelay", "0", "-flush_packets", "1", "-omit_video_pes_length", "0"),
    *("-pes_payload_size", "0"),  # else a quarter of a second of sound goes out together
)


def as_ts(host: str, port: int) -> tuple[str, ...]:
    """FFmpeg's options and address of MPEG-TS over UDP, in datagrams of seven packets."""
    return (*AS_TS, f"udp://{host}:{port}?pkt_size=1316")


@asynccontextmanager
async def looped(path: Path, output: tuple[str, ...]) -> AsyncIterator[None]:
    """Send the file until the end of the block; its times go on over the seam. NoSender where there is no
    FFmpeg."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise NoSender("FFmpeg is missing: apt-get install ffmpeg")
    process = await asyncio.create_subprocess_exec(
        ffmpeg, "-nostdin", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", str(path),
        "-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy", *output,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
