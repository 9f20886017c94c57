"""Strangers at the worker's port: no reply, no growth, no traceback, nobody disturbed."""

from __future__ import annotations

import asyncio
import random
import socket

import pytest
from aioice import stun

from server.media.contract import PeerState, TrackName, WorkerFigures
from server.protocol.parameters import Kind
from tests.peers.aiortc_peers import connection, frames, publish, tracks_of
from tests.peers.workers import RunningWorker, running_worker


def _check(username: str, pwd: str) -> bytes:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes.update(
        {"USERNAME": username, "PRIORITY": 1, "ICE-CONTROLLING": 7, "USE-CANDIDATE": None}
    )
    message.add_message_integrity(pwd.encode())
    return bytes(message)


def _hostile(ufrag: str) -> list[bytes]:
    chance = random.Random(5)
    rtp = b"\x80\x60" + bytes(10)
    return [
        b"",
        b"\x00",
        _check("nobody:x", "x" * 24),
        _check(f"{ufrag}:x", "x" * 24),
        _check(f"{ufrag}:x", "x" * 24)[:30],
        b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12),
        b"\x16\xfe\xfd" + bytes(200),
        b"\x16\xfe\xfd" + bytes(8) + b"\xff\xff",
        rtp + bytes(1_000),
        b"\x80\xc9\x00\x01" + bytes(20),
        bytes([0x90, 0x60]) + bytes(10) + b"\xbe\xde\xff\xff",
        chance.randbytes(1_472),
        chance.randbytes(9_000),
        bytes(60_000),
        *(chance.randbytes(chance.randrange(1, 200)) for _ in range(300)),
    ]


async def _totals(worker: RunningWorker) -> dict[str, float]:
    seen = len(worker.events)
    await worker.until(lambda: any(isinstance(e, WorkerFigures) for e in worker.events[seen:]))
    return next(e for e in reversed(worker.events) if isinstance(e, WorkerFigures)).totals


async def test_a_stranger_gets_no_answer_and_the_lesson_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    async with running_worker() as worker, connection() as up, connection() as down:
        publish(up)
        answer = await worker.answer_offer(up, "up", "L")
        tracks = tracks_of(down)
        await worker.offer_slots(down, "down", "L", [("stage", Kind.VIDEO)])
        mid = next(track.mid for track in answer.tracks if track.kind is Kind.VIDEO)
        worker.point("down", "stage", TrackName("up", mid))
        await frames(tracks["video"], 5)
        transport = await worker.open("target", "L")
        address = transport.candidates[0].address, transport.candidates[0].port
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.setblocking(False)
            for _ in range(3):
                for data in _hostile(transport.ufrag):
                    stranger.sendto(data, address)
                await frames(tracks["video"], 5)
            try:
                reply = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(stranger, 2_000), 0.3)
            except TimeoutError:
                reply = b""
        assert reply == b""
        totals = await _totals(worker)
        assert totals["stun_bad_integrity"] >= 3
        assert totals["dropped_unknown_ufrag"] >= 3
        assert totals["dropped_unknown_address"] >= 3
        assert worker.states("up")[-1] is worker.states("down")[-1] is PeerState.CONNECTED
        assert worker.states("target") == []
        assert worker.process.returncode is None
    assert "Traceback" not in capfd.readouterr().err
