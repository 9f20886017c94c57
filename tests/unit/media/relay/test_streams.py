"""TCP peers: who may stay, what a frame is, and that a slow one harms nobody (RFC 4571, RFC 6544)."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from server.media.relay.tables import EventKind
from tests.unit.media.relay.loopback import (
    Camera,
    audio_down,
    audio_up,
    build_rtp,
    number_of,
    video_down,
    video_up,
)
from tests.unit.media.relay.streams import TcpFar, TcpWire, framed, tcp_wired
from tests.unit.media.relay.test_demux import DTLS, check


@pytest.fixture
def wire() -> Iterator[TcpWire]:
    with tcp_wired() as made:
        yield made


def test_a_check_over_tcp_names_its_peer_and_is_answered_on_its_connection(wire: TcpWire) -> None:
    handle = wire.relay.add_peer(b"ours")
    far = TcpFar(wire)
    far.send(check("ours:theirs"))
    wire.tick_until(lambda: bool(wire.events))
    (event,) = wire.events
    assert (event.kind, event.handle, event.value) == (EventKind.STUN, handle, wire.tcp_number)
    assert event.address == far.address
    assert wire.relay.send_stun(wire.tcp_number, far.address, b"\x01\x01reply")
    assert far.frames() == [b"\x01\x01reply"]


def test_nothing_but_a_reply_to_a_check_goes_to_an_unproven_connection(wire: TcpWire) -> None:
    handle = wire.relay.add_peer(b"ours")
    far = TcpFar(wire)
    far.send(check("ours:theirs"))
    far.send(DTLS)
    wire.tick_until(lambda: wire.relay.totals()["dropped_unknown_address"] == 1)
    assert [event.kind for event in wire.events] == [EventKind.STUN]
    assert not wire.relay.send_dtls(handle, DTLS)
    assert far.frames() == []


@pytest.mark.parametrize(
    "first",
    [
        framed(check("nobody:theirs")),
        framed(DTLS),
        framed(b"\x80" + bytes(40)),
        b"GET / HTTP/1.1\r\n\r\n",
        framed(b"\x00"),
    ],
    ids=["unknown ufrag", "dtls", "media", "http", "one octet"],
)
def test_a_connection_that_begins_with_anything_else_is_closed(wire: TcpWire, first: bytes) -> None:
    wire.relay.add_peer(b"ours")
    far = TcpFar(wire)
    far.socket.sendall(first)
    wire.tick_until(lambda: wire.closed() == 1)
    wire.tick_until(far.is_closed)
    assert wire.events == []


def test_a_frame_longer_than_a_datagram_ends_its_connection(wire: TcpWire) -> None:
    far = TcpFar(wire).prove(b"ours")
    far.socket.sendall(b"\xff\xff" + bytes(100))
    wire.tick_until(far.is_closed)
    assert wire.relay.totals()["dropped_oversized"] == 1
    assert not wire.relay.send_dtls(far.handle, DTLS)  # the way to the peer is gone with it


def test_empty_frames_are_skipped(wire: TcpWire) -> None:
    far = TcpFar(wire).prove(b"ours")
    far.socket.sendall(framed(b"", b"", DTLS, b""))
    wire.tick_until(lambda: bool(wire.told(EventKind.DTLS)))
    assert [event.data for event in wire.told(EventKind.DTLS)] == [DTLS]


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_pictures_and_sound_go_over_tcp_both_ways(family: socket.AddressFamily) -> None:
    with tcp_wired(family) as wire:
        sender = TcpFar(wire).prove(b"send")
        viewer, beside = TcpFar(wire).prove(b"view"), wire.far(family=family)
        up = wire.relay.add_up(sender.handle, video_up())
        for peer in (viewer, beside):
            wire.relay.point(wire.relay.add_down(peer.handle, video_down()), up)
        sound = wire.relay.add_up(sender.handle, audio_up())
        wire.relay.point(wire.relay.add_down(viewer.handle, audio_down()), sound)
        camera = Camera(sender)  # type: ignore[arg-type]
        camera.send(30, key=True)
        for number in range(10):
            sender.send_rtp(build_rtp(number, number * 960, b"sound", ssrc=3333, payload_type=111))
        found = []

        def came() -> bool:
            found.extend(viewer.packets())
            return len(found) >= 40

        wire.tick_until(came)
        assert [number_of(p) for p in found if p.payload_type == 96] == list(range(100, 130))
        assert [p.payload for p in found if p.payload_type == 120] == [b"sound"] * 10
        assert [number_of(p) for p in beside.packets()] == list(range(100, 130))


def test_a_reader_that_stands_still_gets_whole_frames_later_and_others_lose_nothing(wire: TcpWire) -> None:
    slow = TcpFar(wire, receive_buffer=4_096).prove(b"slow")
    sender, beside = wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, video_up(ring_bytes=(8 << 20,)))
    sound = wire.relay.add_up(sender.handle, audio_up())
    pictures = [wire.relay.add_down(peer.handle, video_down()) for peer in (slow, beside)]
    for down, peer in zip(pictures, (slow, beside), strict=True):
        wire.relay.point(down, up)
        wire.relay.point(wire.relay.add_down(peer.handle, audio_down()), sound)
    frames, each, got, heard = 600, 5, 0, 0
    for frame in range(frames):
        for part in range(each):
            payload = (b"\x65" if frame == 0 else b"\x41") + bytes([part]) + bytes(1000)
            number = frame * each + part
            packet = build_rtp(
                number, frame * 3000, payload, ssrc=1111, payload_type=102, marker=part == each - 1
            )
            sender.send_rtp(packet)
        sender.send_rtp(build_rtp(frame, frame * 960, b"sound", ssrc=3333, payload_type=111))
        wire.run()
        arrived = beside.packets()
        got += sum(p.payload_type == 96 for p in arrived)
        heard += sum(p.payload_type == 120 for p in arrived)
    assert (got, heard) == (frames * each, frames)
    totals = wire.relay.totals()
    assert totals["stream_dropped"] > 100
    found = []

    def all_came() -> bool:
        found.extend(slow.packets())
        sounds = sum(p.payload_type == 120 for p in found)
        return (sounds, len(found) - sounds) == (frames, wire.relay.down_figures(pictures[0]).packets)

    wire.tick_until(all_came, 10)  # no sound is lost: it has room of its own and goes first
    parts: dict[int, int] = {}
    for packet in found:
        if packet.payload_type == 96:
            parts[packet.timestamp] = parts.get(packet.timestamp, 0) + 1
    assert len(parts) < frames
    assert set(parts.values()) == {each}  # whole frames or none


def test_who_leaves_is_forgotten_and_the_peer_is_reached_on_its_other_address(wire: TcpWire) -> None:
    far = TcpFar(wire).prove(b"ours")
    beside = wire.far()
    wire.relay.validate(far.handle, wire.number, beside.address)
    wire.relay.aim(far.handle, wire.tcp_number, far.address)
    far.socket.close()
    wire.tick_until(lambda: wire.closed() == 1)
    assert not wire.relay.validate(far.handle, wire.tcp_number, far.address)
    assert wire.relay.send_dtls(far.handle, DTLS)
    assert beside.datagrams() == [DTLS]


def test_a_peer_that_is_removed_takes_its_connections_with_it(wire: TcpWire) -> None:
    far = TcpFar(wire).prove(b"ours")
    wire.relay.remove_peer(far.handle)
    wire.tick_until(far.is_closed)


def test_a_relay_that_goes_closes_what_it_accepted() -> None:
    with tcp_wired() as wire:
        far = TcpFar(wire).prove(b"ours")
        del wire.relay
        far.frames()
        assert far.ended


def test_one_address_may_open_only_so_many_unproven_connections(wire: TcpWire) -> None:
    handle = wire.relay.add_peer(b"ours")
    waiting = [TcpFar(wire) for _ in range(70)]
    wire.tick_until(lambda: wire.relay.totals()["streams_refused"] == 6)
    assert wire.relay.totals()["streams_accepted"] == 64
    proven = waiting[0]
    proven.send(check("ours:theirs"))
    wire.tick_until(lambda: bool(wire.events))
    wire.relay.validate(handle, wire.tcp_number, proven.address)
    waiting.append(TcpFar(wire))  # a proven one counts no more
    wire.tick_until(lambda: wire.relay.totals()["streams_accepted"] == 65)


def test_a_connection_that_says_nothing_is_closed_after_some_seconds(wire: TcpWire) -> None:
    far = TcpFar(wire)
    far.socket.sendall(b"\x00")  # half a length is nothing yet
    wire.tick_until(far.is_closed, 10)


def test_sockets_that_are_not_for_us_are_refused(wire: TcpWire) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connecting,
        socket.socket(socket.AF_UNIX) as local,
    ):
        for each in (connecting, local):
            with pytest.raises(ValueError, match="no UDP socket"):
                wire.relay.adopt(each.fileno())
