"""The life of connections: DTLS roles, refusals, lost flights, changed addresses, re-pointed slots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.rtcdtlstransport import RTCCertificate

from server.ingest.peer import LightPeer
from server.media import contract
from server.media.contract import DownFigures, Figures, PeerChanged, PeerState, TrackName, WorkerFigures
from server.protocol.parameters import Candidate, DtlsRole, Fingerprint, Kind, LocalTransport
from tests.fakes.lossy_proxy import DOWN, UP, Line, LossyProxy, lossy_proxy
from tests.peers.aiortc_peers import connection, frames, publish, tracks_of, until_colour
from tests.peers.workers import RunningWorker, holds, running_worker

RED, BLUE = (200, 20, 20), (20, 20, 200)


def by_way_of(proxy: LossyProxy) -> Callable[[LocalTransport], LocalTransport]:
    """The worker's transport with the proxy's address for its own."""
    return lambda local: msgspec.structs.replace(local, candidates=[Candidate(*proxy.address)])


async def worker_address(worker: RunningWorker) -> tuple[str, int]:
    candidate = (await worker.open("probe", "probe")).candidates[0]
    worker.link.send(contract.ClosePeer("probe"))
    return candidate.address, candidate.port


async def camera(
    worker: RunningWorker, pc: RTCPeerConnection, peer: str = "up", room: str = "L"
) -> TrackName:
    """Let an aiortc connection publish and give its picture's name."""
    answer = await worker.answer_offer(pc, peer, room)
    await worker.state(peer, PeerState.CONNECTED)
    return next(TrackName(peer, track.mid) for track in answer.tracks if track.kind is Kind.VIDEO)


async def test_an_offer_that_says_passive_is_answered_active_and_connects() -> None:
    async with running_worker() as worker, connection() as up:
        publish(up)
        await up.setLocalDescription(await up.createOffer())
        offer = up.localDescription.sdp.replace("a=setup:actpass", "a=setup:passive")
        answer = await worker.take_offer(offer, "up", "L")
        assert answer.remote.our_role is DtlsRole.CLIENT
        await up.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        await worker.state("up", PeerState.CONNECTED)


async def test_a_viewer_that_answers_passive_is_connected_to_actively() -> None:
    async with running_worker() as worker, connection() as up, connection() as down:
        publish(up)
        track = await camera(worker, up)
        tracks = tracks_of(down)
        await worker.offer_slots(
            down,
            "down",
            "L",
            [("stage", Kind.VIDEO)],
            munge=lambda sdp: sdp.replace("a=setup:actpass", "a=setup:active"),
        )
        worker.point("down", "stage", track)
        await frames(tracks["video"], 3)


async def test_a_wrong_fingerprint_is_refused_with_its_reason() -> None:
    async with running_worker() as worker, connection() as up:
        publish(up)
        await up.setLocalDescription(await up.createOffer())
        answer = await worker.take_offer(up.localDescription.sdp, "real", "L")
        wrong = msgspec.structs.replace(
            answer.remote, fingerprints=[Fingerprint("sha-256", ":".join(["AB"] * 32))]
        )
        local = await worker.open("forged", "L")
        await worker.do(contract.SetRemote(0, "forged", wrong))
        sdp = answer.sdp.replace(
            f"a=ice-ufrag:{_value(answer.sdp, 'ice-ufrag')}", f"a=ice-ufrag:{local.ufrag}"
        ).replace(f"a=ice-pwd:{_value(answer.sdp, 'ice-pwd')}", f"a=ice-pwd:{local.pwd}")
        await up.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        await worker.state("forged", PeerState.FAILED)
        told = next(e for e in worker.events if isinstance(e, PeerChanged) and e.state is PeerState.FAILED)
        assert told.reason == "wrong_fingerprint"
        assert PeerState.CONNECTED not in worker.states("forged")


async def test_a_handshake_survives_the_loss_of_its_flights() -> None:
    """The first two DTLS datagrams each way are lost: OpenSSL's timers on both sides repeat them."""
    async with (
        running_worker() as worker,
        connection() as up,
        lossy_proxy(await worker_address(worker)) as proxy,
    ):
        seen = {UP: 0, DOWN: 0}

        def keep(direction: str, data: bytes) -> bool:
            if 20 <= data[0] <= 63:
                seen[direction] += 1
                return seen[direction] > 2
            return True

        proxy.keep = keep
        publish(up)
        await worker.answer_offer(up, "up", "L", by_way_of(proxy))
        await worker.state("up", PeerState.CONNECTED, 15)
        assert proxy.counts["down_lost"] == 2


async def test_a_slot_is_pointed_at_another_track_without_sdp() -> None:
    async with running_worker() as worker, connection() as one, connection() as two, connection() as down:
        publish(one, colour=RED)
        publish(two, "VP8", colour=BLUE)
        red, blue = await camera(worker, one, "one"), await camera(worker, two, "two")
        tracks = tracks_of(down)
        await worker.offer_slots(down, "down", "L", [("stage", Kind.VIDEO)])
        worker.point("down", "stage", red)
        await until_colour(tracks["video"], RED)
        for track, colour in ((blue, BLUE), (red, RED), (blue, BLUE)):
            worker.point("down", "stage", track)
            await until_colour(tracks["video"], colour)


async def test_a_track_never_reaches_a_slot_of_another_room() -> None:
    async with running_worker() as worker, connection() as up, connection() as down:
        publish(up)
        track = await camera(worker, up, room="here")
        await worker.offer_slots(down, "down", "there", [("stage", Kind.VIDEO)])
        worker.point("down", "stage", track)
        await worker.state("down", PeerState.CONNECTED)
        worker.point("down", "stage", track)
        done = await worker.link.request(contract.OpenTap(0, "there"))
        assert done.problem == ""
        done = await worker.link.request(contract.TapTrack(0, "there", track, 1, b"x"))
        assert done.problem == "other_room"
        count = len(worker.events)
        await worker.until(lambda: sum(isinstance(e, Figures) for e in worker.events[count:]) >= 2)
        assert [f for e in worker.events if isinstance(e, Figures) for f in e.down] == []


async def test_a_viewer_whose_address_changes_is_followed() -> None:
    async with running_worker() as worker, connection() as up, connection() as down:
        async with lossy_proxy(await worker_address(worker)) as proxy:
            publish(up)
            track = await camera(worker, up)
            tracks = tracks_of(down)
            await worker.offer_slots(down, "down", "L", [("stage", Kind.VIDEO)], by_way_of(proxy))
            worker.point("down", "stage", track)
            await frames(tracks["video"], 5)
            proxy.rebind()
            before = proxy.counts["down"]
            # aiortc checks every 5 s and never nominates again: the silent path is left.
            await holds(lambda: proxy.counts["down"] >= before + 50, 14)
        assert PeerState.GONE not in worker.states("down")


async def test_a_viewer_on_a_lossy_line_gets_everything_by_rtx() -> None:
    async with running_worker() as worker, connection() as up, connection() as down:
        line = Line(loss=0.05, delay_s=0.01, jitter_s=0.004)
        async with lossy_proxy(await worker_address(worker), down=line, seed=7) as proxy:
            publish(up)
            track = await camera(worker, up)
            tracks = tracks_of(down)
            await worker.offer_slots(down, "down", "L", [("stage", Kind.VIDEO)], by_way_of(proxy))
            worker.point("down", "stage", track)
            await frames(tracks["video"], 120, 20)

            def figures() -> list[DownFigures]:
                return [f for e in worker.events if isinstance(e, Figures) for f in e.down]

            while proxy.counts["down_lost"] <= 5:
                await frames(tracks["video"], 30, 20)
            await worker.until(lambda: sum(figure.resent for figure in figures()) > 0)
            await worker.until(lambda: any(f.round_trip_ms > 5 for f in figures()))


async def test_a_publisher_on_a_lossy_line_is_asked_again() -> None:
    async with (
        running_worker() as worker,
        connection() as up,
        connection() as down,
        lossy_proxy(await worker_address(worker), up=Line(loss=0.05), seed=3) as proxy,
    ):
        publish(up)
        answer = await worker.answer_offer(up, "up", "L", by_way_of(proxy))
        tracks = tracks_of(down)
        await worker.offer_slots(down, "down", "L", [("stage", Kind.VIDEO)])
        mid = next(t.mid for t in answer.tracks if t.kind is Kind.VIDEO)
        worker.point("down", "stage", TrackName("up", mid))
        await frames(tracks["video"], 60, 20)
        await worker.until(lambda: _totals(worker).get("recovered_rtx", 0) > 0)


async def test_a_viewer_that_falls_silent_is_away_and_comes_back() -> None:
    async with (
        running_worker() as worker,
        connection() as up,
        lossy_proxy(await worker_address(worker)) as proxy,
    ):
        publish(up)
        await worker.answer_offer(up, "up", "L", by_way_of(proxy))
        await worker.state("up", PeerState.CONNECTED)
        proxy.cut = True
        await worker.state("up", PeerState.AWAY, 12)
        proxy.cut = False
        await worker.until(lambda: worker.states("up")[-1] is PeerState.CONNECTED)


async def test_every_check_is_answered_of_a_connection_that_stands_and_beside_one_that_comes() -> None:
    async with running_worker() as worker:
        peer = LightPeer(RTCCertificate.generateCertificate())
        transport = await worker.open("viewer", "L")
        await worker.do(contract.SetRemote(0, "viewer", peer.parameters()))
        await peer.connect(transport)
        await worker.state("viewer", PeerState.CONNECTED)
        try:
            await _checked(peer)  # checks wait for the tick now
            await worker.open("other", "L")
            await _checked(peer)  # and come at once
            worker.link.send(contract.ClosePeer("other"))
            await worker.state("other", PeerState.GONE)
            await _checked(peer)
        finally:
            peer.close()


async def _checked(peer: LightPeer) -> None:
    """One check, sent once, is answered."""
    loop, check = asyncio.get_running_loop(), peer.consent()
    await loop.sock_sendall(peer.socket, check)
    async with asyncio.timeout(15):
        while True:
            told = await loop.sock_recv(peer.socket, 2048)
            if told[:2] == b"\x01\x01" and told[8:20] == check[8:20]:
                return


def _totals(worker: RunningWorker) -> dict[str, float]:
    told = [e for e in worker.events if isinstance(e, WorkerFigures)]
    return told[-1].totals if told else {}


def _value(sdp: str, name: str) -> str:
    return sdp.split(f"a={name}:", 1)[1].split("\r\n", 1)[0]
