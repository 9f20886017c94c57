"""aiortc's RTCPeerConnection as publisher and viewer: an independent implementation."""

from __future__ import annotations

import asyncio
import contextlib
import fractions
from collections.abc import AsyncIterator

import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, VideoStreamTrack
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack


class Pattern(VideoStreamTrack):
    """A picture of one colour with a moving bar, 320x240."""

    def __init__(self, colour: tuple[int, int, int] = (0, 0, 0)) -> None:
        super().__init__()
        self._count = 0
        self._colour = colour

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        picture = np.full((240, 320, 3), self._colour, np.uint8)
        picture[:, self._count % 300 : self._count % 300 + 20] = (200, 80, 40)
        self._count += 1
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = pts, fractions.Fraction(time_base)
        return frame


@contextlib.asynccontextmanager
async def connection() -> AsyncIterator[RTCPeerConnection]:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        yield pc
    finally:
        await pc.close()


def publish(pc: RTCPeerConnection, codec: str = "VP8", colour: tuple[int, int, int] = (0, 0, 0)) -> None:
    """A picture in `codec` and a voice."""
    video = pc.addTransceiver(Pattern(colour), direction="sendonly")
    known = RTCRtpSender.getCapabilities("video").codecs
    video.setCodecPreferences([c for c in known if codec in c.mimeType or "rtx" in c.mimeType])
    pc.addTransceiver(AudioStreamTrack(), direction="sendonly")


def tracks_of(pc: RTCPeerConnection) -> dict[str, MediaStreamTrack]:
    found: dict[str, MediaStreamTrack] = {}
    pc.on("track", lambda track: found.setdefault(track.kind, track))
    return found


async def frames(track: MediaStreamTrack, count: int, timeout_s: float = 10.0) -> av.VideoFrame:
    """The last of `count` decoded pictures."""
    async with asyncio.timeout(timeout_s):
        for _ in range(count):
            frame = await track.recv()
    assert isinstance(frame, av.VideoFrame)
    return frame


async def until_colour(track: MediaStreamTrack, colour: tuple[int, int, int], timeout_s: float = 8.0) -> None:
    """Read pictures until one has about this colour at its lower right."""
    async with asyncio.timeout(timeout_s):
        while True:
            frame = await track.recv()
            assert isinstance(frame, av.VideoFrame)
            pixel = frame.to_ndarray(format="rgb24")[-4, -4].astype(int)
            if np.abs(pixel - np.array(colour)).max() < 40:
                return
