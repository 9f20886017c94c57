"""Floods by strangers and by a peer with a password: bounded work, nothing amplified, nobody disturbed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

import aiohttp
import pytest
from OpenSSL import SSL

from server.drill.own_server import OwnServer
from server.live.standard_doors import MOST_PUBLISHERS
from server.media.contract import TrackName, WorkerFigures
from server.media.dtls import MTU, PROFILES, Certificate
from server.protocol.parameters import Kind, LocalTransport
from tests.peers.aiortc_peers import Pattern, connection, frames, publish, tracks_of
from tests.peers.lessons import holding
from tests.peers.test_bad_input import _check
from tests.peers.test_whip_whep import SDP, peer, start_lesson
from tests.peers.workers import RunningWorker, running_worker

STRANGERS = 200
GROWTH_KB = 24_000


def client_hello() -> bytes:
    client = SSL.Connection(Certificate.generateCertificate()._create_ssl_context(PROFILES))
    client.set_ciphertext_mtu(MTU)
    client.set_connect_state()
    with contextlib.suppress(SSL.WantReadError):
        client.do_handshake()
    return client.bio_read(2_000)


def memory_kb(worker: RunningWorker) -> int:
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


class Attacker:
    """A socket that counts what it sends and what comes back."""

    def __init__(self, target: LocalTransport) -> None:
        self.target = target.candidates[0].address, target.candidates[0].port
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.setblocking(False)
        self.sent = self.replies = self.returned = 0

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.target)
        self.sent += len(data)

    def read(self) -> None:
        try:
            while data := self.socket.recv(4_096):
                self.returned += len(data)
                self.replies += 1
        except BlockingIOError:
            return


async def totals_with(worker: RunningWorker, name: str, least: int) -> dict[str, float]:
    """The worker's totals, once this one has come so far."""

    def newest() -> dict[str, float]:
        told = [event.totals for event in worker.events if isinstance(event, WorkerFigures)]
        return told[-1] if told else {}

    await worker.until(lambda: newest().get(name, 0) >= least, 20)
    return newest()


async def test_strangers_cost_nothing_and_get_nothing() -> None:
    """ClientHellos, checks of thousands of ufrags and of a known one with a wrong password, media."""
    hello = client_hello()
    async with running_worker() as worker, connection() as up, connection() as down:
        tracks = await _picture(worker, up, down)
        target = await worker.open("target", "L")
        before = memory_kb(worker)
        strangers = [Attacker(target) for _ in range(STRANGERS)]
        for turn in range(25):
            for place, stranger in enumerate(strangers):
                stranger.send(hello)
                stranger.send(_check(f"u{turn:04x}{place:04x}:x", "x" * 24))
                stranger.send(_check(f"{target.ufrag}:x", "x" * 24))
                stranger.send(b"\x80\x60" + bytes(200))
            await frames(tracks["video"], 1)
        totals = await totals_with(worker, "dropped_unknown_ufrag", 1_000)
        assert totals["dropped_unknown_address"] >= 1_000
        assert totals["stun_too_many"] >= 1, "checks of one ufrag are rationed"
        await frames(tracks["video"], 5)
        for stranger in strangers:
            stranger.read()
            stranger.socket.close()
        assert sum(stranger.returned for stranger in strangers) == 0
        assert memory_kb(worker) - before < GROWTH_KB


async def test_a_peer_with_a_password_floods_itself_alone_and_is_sent_less_than_it_sends() -> None:
    hello = client_hello()
    async with running_worker() as worker, connection() as up, connection() as down:
        tracks = await _picture(worker, up, down)
        target = await worker.open("target", "L")
        before = memory_kb(worker)
        attacker = Attacker(target)
        check = _check(f"{target.ufrag}:evil", target.pwd)
        for _ in range(100):
            attacker.send(check)
            for _ in range(50):
                attacker.send(hello)
            await frames(tracks["video"], 1)
            attacker.read()
        totals = await totals_with(worker, "dtls_too_many", 1_000)
        assert totals["stun_answered"] > 0
        attacker.read()
        assert attacker.replies > 0
        assert attacker.returned < attacker.sent
        attacker.socket.close()
        await frames(tracks["video"], 5)
        assert memory_kb(worker) - before < GROWTH_KB


@pytest.mark.asyncio(loop_scope="session")
async def test_a_flood_of_whip_sessions_ends_at_the_bound_and_hanging_up_makes_room(
    installation: OwnServer,
) -> None:
    async with holding(installation) as held, peer() as pc:
        doors = await start_lesson(held)
        pc.addTransceiver(Pattern(), direction="sendonly")
        await pc.setLocalDescription(await pc.createOffer())
        sdp = pc.localDescription.sdp

        async def post() -> aiohttp.ClientResponse:
            async with held.http.post(doors.whip, data=sdp, headers={**SDP, **doors.publish}) as answer:
                return answer

        answers = await asyncio.gather(*(post() for _ in range(4 * MOST_PUBLISHERS)))
        opened = [answer for answer in answers if answer.status == 201]
        assert len(opened) == MOST_PUBLISHERS
        assert {answer.status for answer in answers} == {201, 409}
        session = held.server.url + opened[0].headers["Location"]
        async with held.http.delete(session, headers=doors.publish) as answer:
            assert answer.status == 200
        assert (await post()).status == 201


async def _picture(worker: RunningWorker, up: object, down: object) -> dict[str, object]:
    """A lesson's picture that must go on."""
    publish(up)
    answer = await worker.answer_offer(up, "up", "L")
    tracks = tracks_of(down)
    await worker.offer_slots(down, "down", "L", [("stage", Kind.VIDEO)])
    mid = next(track.mid for track in answer.tracks if track.kind is Kind.VIDEO)
    worker.point("down", "stage", TrackName("up", mid))
    await frames(tracks["video"], 5)
    return tracks
