"""A camera and a sound encoder of its own, two sources: placed on our clock, they stand in step there."""

from __future__ import annotations

import asyncio
import shutil
import socket
import statistics
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import av
import pytest
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from server.drill.own_server import free_port
from server.drill.senders.file import as_ts
from server.ingest.contract import AUDIO_RATE, H264_PT, OPUS_PT, VIDEO_RATE, SourceState
from server.ingest.outlet import Outlet
from server.ingest.publisher import Publisher
from server.ingest.pulling import Puller, SourceNews
from server.ingest.rtp import RtpStream
from tests.peers.workers import holds

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="apt-get install ffmpeg")

EVERY_S, LASTS_S = 0.5, 0.1
IN_STEP_S = 0.08
ENOUGH = 4
FLASHES = f"color=black:s=160x90:r=25,drawbox=c=white:t=fill:enable=lt(mod(t\\,{EVERY_S})\\,{LASTS_S})"
BEEPS = f"aevalsrc=0.8*sin(6283*t)*lt(mod(t\\,{EVERY_S})\\,{LASTS_S}):s=48000"
AS_H264 = (
    *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"),
    *("-g", "25", "-bf", "0"),
)


@dataclass(slots=True)
class Heard(Outlet):
    """What goes out of a source, with its media times."""

    taken: list[tuple[bytes, float]] = field(default_factory=list)

    def picture(self, nals: list[bytes], media: float) -> None:
        self.taken.append((b"".join(b"\0\0\0\1" + unit for unit in nals), media))

    def sound(self, opus: bytes, media: float) -> None:
        self.taken.append((opus, media))

    def wall(self, media: float) -> float:
        """When that was, by the clock that its sender reports name."""
        assert self.clock.lateness is not None
        return media + self.clock.lateness

    def begins(self, codec: str) -> list[float]:
        """When each flash or beep began."""
        decoder, found, before = av.CodecContext.create(codec, "r"), list[float](), True
        for data, media in list(self.taken):
            for frame in decoder.decode(av.Packet(data)):
                is_on = _is_on(frame)
                if is_on and not before:
                    found.append(self.wall(media))
                before = is_on
        return found


def _is_on(frame: object) -> bool:
    if isinstance(frame, VideoFrame):
        return bool(frame.to_ndarray(format="gray").mean() > 100)
    return isinstance(frame, AudioFrame) and bool(abs(frame.to_ndarray()).max() > 0.2)


@asynccontextmanager
async def pulled(url: str, *, picture: bool) -> AsyncIterator[tuple[Heard, list[SourceNews]]]:
    video = RtpStream(1, H264_PT, VIDEO_RATE) if picture else None
    audio = None if picture else RtpStream(2, OPUS_PT, AUDIO_RATE)
    outlet, news = Heard(Publisher(b"box", lambda: None), video, audio), list[SourceNews]()
    puller = Puller(url, None, outlet, news.append)
    thread = threading.Thread(target=puller.run, daemon=True)
    thread.start()
    try:
        yield outlet, news
    finally:
        puller.stop.set()
        await asyncio.to_thread(thread.join, 20)
        assert not thread.is_alive()


def apart_s(flashes: Sequence[float], beeps: Sequence[float]) -> float | None:
    """How far beeps are from their flashes (median)."""
    near = [min((beep - flash for beep in beeps), key=abs) for flash in flashes if beeps]
    return statistics.median(near) if min(len(flashes), len(beeps)) >= ENOUGH else None


async def test_a_camera_and_a_separate_sound_encoder_stand_in_step() -> None:
    ports = [free_port(socket.SOCK_DGRAM) for _ in range(2)]
    process = await asyncio.create_subprocess_exec(
        "ffmpeg", "-loglevel", "error", "-nostdin",
        *("-re", "-f", "lavfi", "-i", FLASHES, "-re", "-f", "lavfi", "-i", BEEPS),
        *("-map", "0:v", *AS_H264, *as_ts("127.0.0.1", ports[0])),
        *("-map", "1:a", "-c:a", "aac", *as_ts("127.0.0.1", ports[1])),
        stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        camera = pulled(f"udp://127.0.0.1:{ports[0]}", picture=True)
        encoder = pulled(f"udp://127.0.0.1:{ports[1]}", picture=False)
        async with camera as (seen, _), encoder as (heard, told):

            def in_step() -> bool:
                late = apart_s(seen.begins("h264"), heard.begins("libopus"))
                return late is not None and abs(late) < IN_STEP_S

            await holds(in_step, 40)
            assert SourceState.LIVE in {each.state for each in told}
    finally:
        process.kill()
        await process.wait()
