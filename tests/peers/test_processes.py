"""The worker as a process: who ends it, what campus finds when it comes back, what the recorder gets."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

import pytest

from recorder.contract import RING_HEADER, RING_MAGIC, RecordKind
from recorder.framing import encode_frame
from server.media import contract
from server.media.contract import PeerState, TrackName
from server.protocol.parameters import Codec, CodecName, Extensions, Kind, Source, UpTrack
from tests.peers.aiortc_peers import connection, publish
from tests.peers.workers import RunningWorker, holds, running_worker, spawn


async def test_the_end_of_standard_input_ends_the_worker_at_once() -> None:
    async with running_worker() as worker:
        assert worker.process.stdin is not None
        worker.process.stdin.close()
        async with asyncio.timeout(15):
            assert await worker.process.wait() == 0


async def test_sigterm_says_goodbye_to_peers_and_ends_tracks_but_not_the_lesson() -> None:
    async with running_worker() as worker, connection() as up:
        publish(up)
        answer = await worker.answer_offer(up, "up", "L")
        await worker.state("up", PeerState.CONNECTED)
        await worker.do(contract.OpenTap(0, "L"))
        await worker.do(contract.TapTrack(0, "L", TrackName("up", answer.tracks[0].mid), 1, b"note"))
        _, fd = _fetch(worker, "L")
        worker.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            assert await worker.process.wait() == 0
        await holds(lambda: up.connectionState == "closed", 5)
        assert _records(fd)[-1][0] == RecordKind.TRACK_END
        os.close(fd)


async def test_a_killed_worker_is_told_at_once_and_a_new_one_is_known_as_new() -> None:
    async with running_worker() as worker:
        await worker.open("up", "L")
        waiting = asyncio.create_task(worker.link.request(contract.OpenPeer(0, "next", "L")))
        worker.process.send_signal(signal.SIGKILL)
        await worker.until(lambda: worker.lost == 1, 2)
        await asyncio.wait([waiting])
        if waiting.exception() is not None:
            assert isinstance(waiting.exception(), ConnectionError)
        await worker.process.wait()
        with pytest.raises(ConnectionError):
            await worker.link.request(contract.OpenPeer(0, "down", "L"))
        worker.process = await spawn(worker.directory)
        await worker.until(lambda: len(worker.welcomes) == 2, 5)
        welcome, new_boot = worker.welcomes[1]
        assert new_boot
        assert welcome.peers == []


async def test_a_campus_that_comes_back_finds_peers_tracks_and_slots() -> None:
    async with running_worker() as worker, connection() as up:
        publish(up)
        answer = await worker.answer_offer(up, "up", "L")
        await worker.state("up", PeerState.CONNECTED)
        # The newest campus wins: a second hello hangs up the first link, which comes back by itself.
        reader, writer = await asyncio.open_unix_connection(str(worker.directory / "w0.sock"))
        writer.write(encode_frame(contract.Hello()))
        await reader.readexactly(4)
        await worker.until(lambda: len(worker.welcomes) == 2)
        writer.close()
        await writer.wait_closed()
        welcome, new_boot = worker.welcomes[1]
        assert not new_boot
        snapshot = next(peer for peer in welcome.peers if peer.peer == "up")
        assert (snapshot.room, snapshot.state) == ("L", PeerState.CONNECTED)
        assert sorted(t.mid for t in snapshot.up) == sorted(t.mid for t in answer.tracks)


async def test_garbage_on_the_control_socket_ends_only_that_connection() -> None:
    async with running_worker() as worker:
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff\xff\xff", encode_frame({"type": "x"})):
            reader, writer = await asyncio.open_unix_connection(str(worker.directory / "w0.sock"))
            writer.write(garbage)
            assert await reader.read() == b""
            writer.close()
        await worker.open("up", "L")
        assert worker.lost == 0


async def test_too_much_is_refused_by_code() -> None:
    async with running_worker() as worker:
        await worker.open("up", "L")
        tracks = [_track(str(number), 1_000 + number) for number in range(500)]
        assert await _problem(worker, contract.SetUpTracks(0, "up", tracks)) == "too_many_tracks"
        same = [_track("0", 7), _track("1", 7)]
        assert await _problem(worker, contract.SetUpTracks(0, "up", same)) == "ssrc_collision"
        assert await _problem(worker, contract.RestartIce(0, "nobody")) == "unknown_peer"
        assert await _problem(worker, contract.OpenPeer(0, "up", "other")) == "other_room"
        assert await _problem(worker, contract.OpenPeer(0, "x" * 300, "L")) == "bad_name"
        assert await _problem(worker, contract.SetUpTracks(0, "up", tracks[:16])) == ""
        worker.link.send(contract.Drain())
        assert await _problem(worker, contract.OpenPeer(0, "new", "new room")) == "draining"
        assert await _problem(worker, contract.OpenPeer(0, "more", "L")) == ""


async def test_the_recorder_gets_the_ring_with_track_notes_and_packets() -> None:
    async with running_worker() as worker, connection() as up:
        publish(up)
        answer = await worker.answer_offer(up, "up", "L")
        await worker.do(contract.OpenTap(0, "L"))
        for number, track in enumerate(answer.tracks, 1):
            name = TrackName("up", track.mid)
            every = 4.0 if track.kind is Kind.VIDEO else 0.0
            for _ in range(2):  # said twice it changes nothing
                await worker.do(contract.TapTrack(0, "L", name, number, b"note%d" % number, every))
        ring_id, fd = _fetch(worker, "L")
        assert _fetch_nothing(worker, "elsewhere")
        try:
            await holds(lambda: {n for k, n in _records(fd) if k == RecordKind.RTP} == {1, 2})
            worker.link.send(contract.UntapTrack("L", 1))
            worker.link.send(contract.CloseTap("L"))
            await holds(lambda: _records(fd)[-1][0] == RecordKind.END)
            found = _records(fd)
            assert os.pread(fd, 8, 0) == RING_MAGIC
            assert os.pread(fd, 16, 40) == ring_id
            assert [n for k, n in found if k == RecordKind.TRACK] == [1, 2]
            assert sorted(n for k, n in found if k == RecordKind.TRACK_END) == [1, 2]
            for number in (1, 2):
                first = next(k for k, n in found if n == number)
                assert first == RecordKind.TRACK
        finally:
            os.close(fd)
        ring_again, again = _fetch(worker, "L")  # a recorder that comes late still gets it
        os.close(again)
        assert ring_again == ring_id


async def _problem(worker: RunningWorker, command: contract.Command) -> str:
    return (await worker.link.request(command)).problem


def _track(mid: str, ssrc: int) -> UpTrack:
    codec = Codec(CodecName.VP8, 96, 90_000)
    return UpTrack(mid, Source.CAMERA, Kind.VIDEO, [codec], Extensions(), {ssrc: 0}, max_bitrate_bps=100_000)


def _tap_socket(worker: RunningWorker, room: str) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(5)
    client.connect(worker.link.tap_socket)
    client.send(room.encode())
    return client


def _fetch(worker: RunningWorker, room: str) -> tuple[bytes, int]:
    with _tap_socket(worker, room) as client:
        ring_id, fds, _, _ = socket.recv_fds(client, 64, 1)
    assert len(ring_id) == 16
    return ring_id, fds[0]


def _fetch_nothing(worker: RunningWorker, room: str) -> bool:
    with _tap_socket(worker, room) as client:
        return client.recv(64) == b""


def _records(fd: int) -> list[tuple[int, int]]:
    """Kind and track number of every record still in a ring that has not gone round yet."""
    head = int.from_bytes(os.pread(fd, 8, 24), "little")
    data, found, position = os.pread(fd, head, RING_HEADER), [], 0
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "little")
        kind, track = data[position + 4], int.from_bytes(data[position + 6 : position + 8], "little")
        found.append((kind, track))
        position += (length + 7) & ~7
    return found
