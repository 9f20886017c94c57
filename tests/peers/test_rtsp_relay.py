"""The drill's RTSP camera: FFmpeg pushes, the ingest pulls, and nobody without the login does."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from server.drill.senders.rtsp_relay import RtspRelay, rtsp_relay
from server.ingest.probe import probe

SENT = (
    *("-loglevel", "error", "-nostdin", "-re"),
    *("-f", "lavfi", "-i", "testsrc=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=frequency=440"),
    *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"),
    *("-g", "25", "-bf", "0", "-c:a", "aac", "-ar", "48000"),
)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="apt-get install ffmpeg")
async def test_picture_and_sound_are_pulled_with_the_login_and_refused_without() -> None:
    async with rtsp_relay(("viewer", "s3cret/@:")) as camera:
        process = await asyncio.create_subprocess_exec("ffmpeg", *SENT, *camera.output)
        try:
            found = await asyncio.to_thread(probe, camera.url, None, 1.0)
            wrong = camera.url.replace("viewer:", "somebody:")
            refused = await asyncio.to_thread(probe, wrong, None, 1.0)
            elsewhere = await asyncio.to_thread(probe, camera.url.replace("/live", "/other"), None, 1.0)
        finally:
            process.kill()
            await process.wait()
    assert found.problem == ""
    assert found.video is not None
    assert found.audio is not None
    assert (found.video.codec, found.audio.codec) == ("h264", "aac")
    assert (refused.problem, elsewhere.problem) == ("wrong_password", "wrong_path")


async def test_what_is_no_rtsp_is_closed() -> None:
    relay = RtspRelay("viewer", "drill")
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0, limit=1 << 16)
    try:
        long = b"PLAY x RTSP/1.0\r\nContent-Length: 9999999\r\n\r\n"
        for rubbish in (b"x\r\n\r\n", b"GET /\r\n\r\n", long):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(rubbish)
            async with asyncio.timeout(20):
                assert await reader.read() == b""
            writer.close()
    finally:
        server.close()
        await relay.close()
