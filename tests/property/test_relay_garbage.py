"""Whatever comes from the network, the relay counts it, drops it and goes on."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pylibsrtp import Error

from server.media.relay.tables import Event, EventKind
from tests.unit.media.relay.loopback import (
    Camera,
    Far,
    Wire,
    audio_down,
    audio_up,
    build_nack,
    build_pli,
    build_rtp,
    build_sr,
    number_of,
    video_down,
    video_up,
    wired,
)

ROUNDS = int(os.environ.get("LIANKE_FUZZ_ROUNDS", "40"))


class Room:
    """A publisher with picture and sound, a viewer, a tap, and a stranger."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.sender, self.viewer, self.stranger = wire.far(), wire.far(), wire.far(secure=False)
        relay = wire.relay
        self.video = relay.add_up(
            self.sender.handle, video_up(layers=(b"l", b"h"), ssrcs=((0, 1111, 2222),), rid_id=5)
        )
        self.sound = relay.add_up(self.sender.handle, audio_up())
        self.file = os.memfd_create("tap")
        os.ftruncate(self.file, 1 << 20)
        tap = relay.add_tap(self.file, 1 << 20)
        self.stage = relay.add_down(self.viewer.handle, video_down(mid_id=1, transport_cc_id=2))
        self.main = relay.add_down(self.viewer.handle, audio_down(audio_level_id=3))
        for down, up in (
            (self.stage, self.video),
            (self.main, self.sound),
            (relay.add_tap_down(tap, 1, True), self.video),
            (relay.add_tap_down(tap, 2, False), self.sound),
        ):
            assert relay.point(down, up)
        self.camera = Camera(self.sender)

    def assert_works(self) -> None:
        """A whole new connection beside what was disturbed still carries pictures."""
        sender, viewer = self.wire.far(), self.wire.far()
        up = self.wire.relay.add_up(sender.handle, video_up())
        down = self.wire.relay.add_down(viewer.handle, video_down())
        assert self.wire.relay.point(down, up)
        Camera(sender).send(3, key=True)
        self.wire.run()
        assert [number_of(p) for p in viewer.packets()] == [100, 101, 102]
        for far in (sender, viewer):
            self.wire.relay.remove_peer(far.handle)
            far.socket.close()
            self.wire.peers.remove(far)

    def drain(self) -> list[Event]:
        events = self.wire.run() + self.wire.tick()
        self.sender.datagrams()
        self.viewer.datagrams()
        return events


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    with wired() as wire:
        made = Room(wire)
        yield made
        os.close(made.file)


def seal(far: Far, packet: bytes, *, rtcp: bool) -> bytes:
    """Encrypted as the peer itself would, or as it is where libsrtp refuses it."""
    try:
        return far.encrypts.protect_rtcp(packet) if rtcp else far.encrypts.protect(packet)
    except (Error, ValueError):
        return packet


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(datagrams=st.lists(st.binary(max_size=1600), max_size=20))
def test_garbage_of_any_length_never_raises(room: Room, datagrams: list[bytes]) -> None:
    for datagram in datagrams:
        room.stranger.send(datagram)
        room.sender.send(datagram)
        room.viewer.send(datagram)
    kinds = {event.kind for event in room.drain()}
    assert kinds <= {EventKind.DTLS, EventKind.KEYFRAME_WANTED}


rtp_heads = st.builds(
    lambda first, payload_type, sequence, timestamp, ssrc, rest: (
        struct.pack("!BBHII", first, payload_type, sequence, timestamp, ssrc) + rest
    ),
    st.sampled_from([0x80, 0x90, 0xA0, 0xB0, 0x81, 0x9F]),
    st.sampled_from([102, 103, 104, 105, 111, 63, 63 | 128, 102 | 128, 5]),
    st.integers(0, 65535),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1111, 2222, 3333, 9]),
    st.one_of(
        st.binary(max_size=60),
        st.builds(
            lambda profile, words, rest: struct.pack("!HH", profile, words) + rest,
            st.sampled_from([0xBEDE, 0x1000, 0x1003, 7]),
            st.integers(0, 12),
            st.binary(max_size=60),
        ),
    ),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(packets=st.lists(rtp_heads, min_size=1, max_size=20))
def test_broken_packets_of_a_real_peer_never_raise(room: Room, packets: list[bytes]) -> None:
    for packet in packets:
        room.sender.send(seal(room.sender, packet, rtcp=False))
    room.drain()


rtcp_blocks = st.builds(
    lambda count, kind, words, body: struct.pack("!BBH", 0x80 | count, kind, words) + body,
    st.integers(0, 31),
    st.sampled_from([200, 201, 202, 203, 204, 205, 206, 207]),
    st.integers(0, 20),
    st.one_of(
        st.binary(max_size=80),
        st.builds(
            lambda ssrc, rest: struct.pack("!II", 1, ssrc) + rest,
            st.sampled_from([5000, 7000, 1111]),
            st.binary(max_size=72),
        ),
    ),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(blocks=st.lists(rtcp_blocks, min_size=1, max_size=8))
def test_broken_rtcp_of_a_real_peer_never_raises(room: Room, blocks: list[bytes]) -> None:
    for far in (room.viewer, room.sender):
        far.send(seal(far, b"".join(blocks), rtcp=True))
    kinds = {event.kind for event in room.drain()}
    assert kinds <= {EventKind.RTCP, EventKind.KEYFRAME_WANTED, EventKind.DTLS}


def test_a_seeded_storm_of_damaged_packets_disturbs_nobody() -> None:
    dice = random.Random(20261121)
    with wired() as wire:
        room = Room(wire)
        for turn in range(ROUNDS):
            for _ in range(50):
                send_damaged(room, dice)
            room.drain()
            wire.relay.point(room.stage, dice.choice([room.video, -1]), dice.randrange(2), dice.randrange(2))
            if turn % 10 == 9:
                room.assert_works()
        assert wire.relay.totals()["received"] == ROUNDS * 50 + 3 * (ROUNDS // 10)
        os.close(room.file)


def send_damaged(room: Room, dice: random.Random) -> None:
    sender, viewer, camera = room.sender, room.viewer, room.camera
    red = bytes(dice.choice([0x80, 0xFF, 0, 4, 111, 239]) for _ in range(dice.randrange(1, 40)))
    sequence = dice.randrange(65536)
    packet, far, rtcp = dice.choice(
        [
            (camera.packet(key=dice.random() < 0.2), sender, False),
            (build_rtp(camera.sequence, 5, b"\x7c\x85" + red, ssrc=1111, payload_type=102), sender, False),
            (build_rtp(camera.sequence, 5, b"\x90" + red, ssrc=1111, payload_type=104), sender, False),
            (build_rtp(sequence, 0, red, ssrc=2222, payload_type=103), sender, False),
            (build_rtp(sequence, sequence, red, ssrc=3333, payload_type=63), sender, False),
            (build_nack(5000, [sequence, sequence + 1]), viewer, True),
            (build_pli(5000), viewer, True),
            (build_sr(1111, dice.getrandbits(64), sequence), sender, True),
        ]
    )
    damage = dice.randrange(4)
    if damage == 0:
        packet = damaged(packet, dice)
    sealed = seal(far, packet, rtcp=rtcp)
    far.send(damaged(sealed, dice) if damage == 1 else sealed)


def damaged(packet: bytes, dice: random.Random) -> bytes:
    """Cut, lengthened, or with some octets changed."""
    changed = bytearray(packet)
    for _ in range(dice.randrange(1, 4)):
        changed[dice.randrange(len(changed))] = dice.getrandbits(8)
    if dice.random() < 0.3:
        return bytes(changed[: dice.randrange(1, len(changed) + 1)])
    return bytes(changed) + dice.randbytes(dice.choice([0, 0, 1, 40]))
