"""server.drill.peer_connections: what outlives a connection."""

from __future__ import annotations

import pytest
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError

from server.drill.peer_connections import Lent


async def test_a_source_outlives_the_connection_it_was_lent_to() -> None:
    microphone = AudioStreamTrack()
    first = Lent(microphone)
    await first.recv()
    first.stop()
    with pytest.raises(MediaStreamError):
        await first.recv()
    second = Lent(microphone)
    assert second.kind == "audio"
    await second.recv()
