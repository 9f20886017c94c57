"""A box and who watches it: the ingest service of a test, a real worker, and a viewer nobody here wrote."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiortc import MediaStreamTrack, RTCPeerConnection
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from server.ingest.contract import AUDIO_MID, VIDEO_MID, Event, Publish, SourceChanged, up_tracks
from server.ingest.service import Ingest
from server.media.contract import SetRemote, SetUpTracks, TrackName
from server.protocol.parameters import Kind, RemoteTransport, Source
from tests.peers.workers import RunningWorker, running_worker

VIDEO_SSRC, AUDIO_SSRC, LOW_SSRC = 7_001, 7_002, 7_003


@dataclass
class Viewer:
    """An aiortc connection and what it decodes."""

    pc: RTCPeerConnection
    pictures: list[VideoFrame] = field(default_factory=list)
    sounds: list[AudioFrame] = field(default_factory=list)


@dataclass
class Box:
    """The ingest service of a test and what it told."""

    ingest: Ingest
    worker: RunningWorker
    told: list[Event] = field(default_factory=list)

    async def publish(self, url: str, peer: str = "box", *, udp: bool = False, low: str = "") -> None:
        """What campus does: a peer on the worker, its tracks, and the command."""
        transport = await self.worker.open(peer, "L")
        prints = self.ingest.welcome().fingerprints
        tracks = up_tracks(VIDEO_SSRC, AUDIO_SSRC, Source.CAMERA, layers=bool(low))
        await self.worker.do(SetUpTracks(0, peer, tracks))
        await self.worker.do(SetRemote(0, peer, RemoteTransport("boxu", "boxpwdboxpwdboxpwdboxpwd", prints)))
        self.ingest.handle(
            Publish(
                *("cam", url, peer, "boxu", "boxpwdboxpwdboxpwdboxpwd", transport, VIDEO_SSRC, AUDIO_SSRC),
                udp=udp,
                low_address=low,
                low_ssrc=LOW_SSRC,
            )
        )

    def problems(self) -> set[str]:
        """Why it was opened again, as far as was told."""
        return {news.problem for news in self.news()}

    def news(self) -> list[SourceChanged]:
        return [event for event in self.told if isinstance(event, SourceChanged)]


@contextlib.asynccontextmanager
async def box_and_viewer(slot: str = "stage") -> AsyncIterator[tuple[Box, Viewer]]:
    async with running_worker() as worker, contextlib.AsyncExitStack() as stack:
        ingest = Ingest(None)
        stack.push_async_callback(ingest.close)
        box = Box(ingest, worker)
        ingest.tell = box.told.append
        pc = RTCPeerConnection()
        stack.push_async_callback(pc.close)
        viewer = Viewer(pc)
        tasks = []

        async def read(track: MediaStreamTrack) -> None:
            with contextlib.suppress(Exception):  # aiortc's word for the end
                while True:
                    frame = await track.recv()
                    (viewer.pictures if isinstance(frame, VideoFrame) else viewer.sounds).append(frame)

        pc.on("track", lambda track: tasks.append(asyncio.ensure_future(read(track))))
        await worker.offer_slots(pc, "view", "L", [(slot, Kind.VIDEO), ("main", Kind.AUDIO)])
        worker.point("view", slot, TrackName("box", VIDEO_MID))
        worker.point("view", "main", TrackName("box", AUDIO_MID))
        try:
            yield box, viewer
        finally:
            for task in tasks:
                task.cancel()
