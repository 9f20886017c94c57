"""Two aiortc peers through a real worker process: what one sends the other decodes."""

from __future__ import annotations

import asyncio

import pytest

from server.media.contract import PeerState, TrackName
from server.protocol.parameters import Kind
from tests.peers.aiortc_peers import connection, frames, publish, tracks_of
from tests.peers.workers import running_worker


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
        frame = await frames(tracks["video"], 20)
        assert (frame.width, frame.height) == (320, 240)
        async with asyncio.timeout(10):
            for _ in range(20):
                await tracks["audio"].recv()
