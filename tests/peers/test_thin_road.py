"""Two aiortc peers through a real worker process: what one sends the other decodes."""

from __future__ import annotations

import asyncio
import contextlib
import fractions
from collections.abc import AsyncIterator

import av
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, VideoStreamTrack
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack

from server.media.contract import PeerState, TrackName
from server.protocol.parameters import Kind
from tests.peers.workers import running_worker


class Pattern(VideoStreamTrack):
    """A picture with a moving bar, 320x240."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        picture = np.zeros((240, 320, 3), np.uint8)
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


def publish(pc: RTCPeerConnection, codec: str) -> None:
    video = pc.addTransceiver(Pattern(), direction="sendonly")
    known = RTCRtpSender.getCapabilities("video").codecs
    video.setCodecPreferences([c for c in known if codec in c.mimeType or "rtx" in c.mimeType])
    pc.addTransceiver(AudioStreamTrack(), direction="sendonly")


def tracks_of(pc: RTCPeerConnection) -> dict[str, MediaStreamTrack]:
    found: dict[str, MediaStreamTrack] = {}
    pc.on("track", lambda track: found.setdefault(track.kind, track))
    return found


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_a_viewer_decodes_what_a_publisher_sends(codec: str) -> None:
    async with running_worker() as worker, connection() as up, connection() as down:
        publish(up, codec)
        answer = await worker.answer_offer(up, "L/main/up/1", "L")
        await worker.state("L/main/up/1", PeerState.CONNECTED)
        tracks = tracks_of(down)
        await worker.offer_slots(down, "L/shahe/down/1", "L", [("stage", Kind.VIDEO), ("main", Kind.AUDIO)])
        mids = {track.kind: track.mid for track in answer.tracks}
        worker.point("L/shahe/down/1", "stage", TrackName("L/main/up/1", mids[Kind.VIDEO]))
        worker.point("L/shahe/down/1", "main", TrackName("L/main/up/1", mids[Kind.AUDIO]))
        await worker.state("L/shahe/down/1", PeerState.CONNECTED)
        async with asyncio.timeout(10):
            frame = await tracks["video"].recv()
            assert isinstance(frame, av.VideoFrame)
            assert (frame.width, frame.height) == (320, 240)
            for _ in range(20):
                await tracks["video"].recv()
                await tracks["audio"].recv()
