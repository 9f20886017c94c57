"""The whole road over IPv6: candidates, checks, DTLS and media between real peers and a real worker."""

from __future__ import annotations

import socket

import aioice.ice
import pytest

from server.media.contract import PeerState
from server.protocol.parameters import Kind
from tests.peers.aiortc_peers import connection, frames, publish, tracks_of
from tests.peers.test_connections import camera
from tests.peers.workers import running_worker


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6, not even [::1]")
async def test_a_picture_goes_through_a_worker_that_listens_on_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    # aiortc offers no loopback address by itself, and a machine may have no other IPv6 one.
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: ["::1"])
    async with running_worker("[::1]:0") as worker, connection() as up, connection() as down:
        publish(up)
        track = await camera(worker, up)
        tracks = tracks_of(down)
        _, offer = await worker.make_offer("probe", "L", [("stage", Kind.VIDEO)])
        assert " ::1 " in offer
        assert not any("127.0.0.1" in line for line in offer.splitlines() if "candidate" in line)
        await worker.offer_slots(down, "down", "L", [("stage", Kind.VIDEO)])
        worker.point("down", "stage", track)
        await frames(tracks["video"], 10)
        assert worker.states("down")[-1] is PeerState.CONNECTED
