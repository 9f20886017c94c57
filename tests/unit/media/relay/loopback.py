"""A relay on a real loopback socket and far peers with sockets and SRTP sessions of their own.

`Wire` owns the relay and its door; `Far` is one peer: what it sends goes through the kernel, what it
receives it decrypts, so that a test sees what a browser would see.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pylibsrtp import Policy, Session

from server.media.relay.relay import Relay
from server.media.relay.tables import CodecNumber, CodecRow, DownRow, Event, EventKind, UpRow

H264 = CodecRow(CodecNumber.H264, 102, 103, True)
VP8 = CodecRow(CodecNumber.VP8, 104, 105, True)
OPUS = CodecRow(CodecNumber.OPUS, 111, 0, True)
RED = CodecRow(CodecNumber.RED, 63)
VIEWER_H264 = CodecRow(CodecNumber.H264, 96, 97, True)
VIEWER_VP8 = CodecRow(CodecNumber.VP8, 98, 99, True)
VIEWER_OPUS = CodecRow(CodecNumber.OPUS, 120, 0, True)
VIEWER_RED = CodecRow(CodecNumber.RED, 121)

IDR = b"\x65"
SLICE = b"\x41"


def session_pair() -> tuple[Session, Session]:
    """An encrypting and a decrypting session of one key; a sequence is never encrypted twice."""
    key = os.urandom(28)
    kind = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
    out = Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=kind)
    assert out.allow_repeat_tx is False
    into = Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=kind)
    into.window_size = 1024
    return Session(out), Session(into)


@dataclass(frozen=True)
class Rtp:
    """An RTP packet taken apart."""

    sequence: int
    timestamp: int
    ssrc: int
    payload_type: int
    marker: bool
    payload: bytes
    extensions: dict[int, bytes] = field(default_factory=dict)
    padding: int = 0


def build_rtp(
    sequence: int,
    timestamp: int,
    payload: bytes,
    *,
    ssrc: int,
    payload_type: int,
    marker: bool = False,
    extensions: dict[int, bytes] | None = None,
    padding: int = 0,
) -> bytes:
    block = b"".join(
        bytes([number << 4 | len(value) - 1]) + value for number, value in (extensions or {}).items()
    )
    block += bytes(-len(block) % 4)
    first = 0x80 | (0x10 if block else 0) | (0x20 if padding else 0)
    head = struct.pack(
        "!BBHII", first, payload_type | marker << 7, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc
    )
    if block:
        head += struct.pack("!HH", 0xBEDE, len(block) // 4) + block
    return head + payload + (bytes(padding - 1) + bytes([padding]) if padding else b"")


def parse_rtp(data: bytes) -> Rtp:
    first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
    assert first >> 6 == 2
    at = 12 + 4 * (first & 15)
    extensions = {}
    if first & 0x10:
        profile, words = struct.unpack_from("!HH", data, at)
        assert profile == 0xBEDE
        end = at + 4 + 4 * words
        at += 4
        while at < end:
            if data[at] == 0:
                at += 1
                continue
            length = (data[at] & 15) + 1
            extensions[data[at] >> 4] = data[at + 1 : at + 1 + length]
            at += 1 + length
    padding = data[-1] if first & 0x20 else 0
    payload = data[at : len(data) - padding]
    return Rtp(sequence, timestamp, ssrc, second & 127, bool(second >> 7), payload, extensions, padding)


def blocks_of(compound: bytes) -> list[tuple[int, int, bytes]]:
    """RTCP blocks: (packet type, count or format, the bytes behind the 4-byte head)."""
    found = []
    while compound:
        first, kind, words = struct.unpack_from("!BBH", compound)
        found.append((kind, first & 31, compound[4 : 4 + 4 * words]))
        compound = compound[4 + 4 * words :]
    return found


def nacked(compound: bytes) -> list[int]:
    """Every sequence number a compound packet's generic NACKs ask for."""
    numbers = []
    for kind, form, body in blocks_of(compound):
        if (kind, form) == (205, 1):
            for first, mask in struct.iter_unpack("!HH", body[8:]):
                numbers += [first] + [(first + 1 + bit) & 0xFFFF for bit in range(16) if mask >> bit & 1]
    return numbers


def build_nack(ssrc: int, sequences: list[int]) -> bytes:
    entries = b"".join(struct.pack("!HH", number & 0xFFFF, 0) for number in sequences)
    return struct.pack("!BBHII", 0x81, 205, 2 + len(sequences), 1, ssrc) + entries


def build_pli(ssrc: int) -> bytes:
    return struct.pack("!BBHII", 0x81, 206, 2, 1, ssrc)


def build_sr(ssrc: int, ntp: int, timestamp: int, packets: int = 0, octets: int = 0) -> bytes:
    return struct.pack("!BBHIQIII", 0x80, 200, 6, ssrc, ntp, timestamp & 0xFFFFFFFF, packets, octets)


class Far:
    """A peer: its socket, its sessions, its numbers."""

    def __init__(
        self, wire: Wire, ufrag: bytes, *, secure: bool = True, family: int = socket.AF_INET
    ) -> None:
        self.wire = wire
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.setblocking(False)
        self.handle = wire.relay.add_peer(ufrag)
        self.address = self.socket.getsockname()[:2]
        self.encrypts, self._opens = session_pair()
        self._seals, self.decrypts = session_pair()
        if secure:
            wire.relay.validate(self.handle, wire.number, self.address)
            wire.relay.aim(self.handle, wire.number, self.address)
            wire.relay.secure(self.handle, self._opens, self._seals)

    def send(self, datagram: bytes) -> None:
        self.socket.sendto(datagram, self.wire.address)

    def send_rtp(self, packet: bytes) -> None:
        self.send(self.encrypts.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        self.send(self.encrypts.protect_rtcp(packet))

    def datagrams(self) -> list[bytes]:
        """Everything that has arrived."""
        found = []
        while select.select([self.socket], [], [], 0)[0]:
            found.append(self.socket.recv(2048))
        return found

    def received(self) -> tuple[list[Rtp], list[bytes]]:
        """Everything that has arrived, decrypted: RTP packets and RTCP compounds."""
        packets, reports = [], []
        for datagram in self.datagrams():
            if 192 <= datagram[1] <= 223:
                reports.append(self.decrypts.unprotect_rtcp(datagram))
            else:
                packets.append(parse_rtp(self.decrypts.unprotect(datagram)))
        return packets, reports

    def packets(self) -> list[Rtp]:
        return self.received()[0]


class Wire:
    """A relay, its door, and what it told."""

    def __init__(self, family: int = socket.AF_INET) -> None:
        self.relay = Relay()
        self.door = socket.socket(family, socket.SOCK_DGRAM)
        self.door.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        self.door.setblocking(False)
        self.address = self.door.getsockname()
        self.number = self.relay.adopt(self.door.fileno())
        self.events: list[Event] = []
        self.peers: list[Far] = []

    def far(self, ufrag: bytes = b"", **options: Any) -> Far:
        peer = Far(self, ufrag or b"peer-%d" % len(self.peers), **options)
        self.peers.append(peer)
        return peer

    def run(self) -> list[Event]:
        """Let the relay take everything that has arrived (loopback delivers at once)."""
        found: list[Event] = []
        while select.select([self.door], [], [], 0)[0]:
            found += self.relay.receive(self.number)
        self.events += found
        return found

    def tick(self) -> list[Event]:
        found = self.relay.tick()
        self.events += found
        return found

    def tick_until(self, condition: Callable[[], bool], seconds: float = 3.0) -> None:
        """Tick every 5 ms until the condition holds; a failure after `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            self.run()
            self.tick()
            time.sleep(0.005)

    def told(self, kind: EventKind) -> list[Event]:
        return [event for event in self.events if event.kind is kind]

    def close(self) -> None:
        self.door.close()
        for peer in self.peers:
            peer.socket.close()


@contextmanager
def wired(family: int = socket.AF_INET) -> Iterator[Wire]:
    wire = Wire(family)
    try:
        yield wire
    finally:
        wire.close()


def video_up(**changes: Any) -> UpRow:
    row = UpRow(True, b"v", (H264, VP8), ssrcs=((0, 1111, 2222),), mid_id=4, transport_cc_id=3)
    return row._replace(**changes)


def audio_up(**changes: Any) -> UpRow:
    row = UpRow(False, b"a", (OPUS, RED), ssrcs=((0, 3333, 0),), mid_id=4, audio_level_id=1)
    return row._replace(**changes)


def video_down(ssrc: int = 5000, **changes: Any) -> DownRow:
    return DownRow(True, b"stage", (VIEWER_H264, VIEWER_VP8), ssrc, ssrc + 1)._replace(**changes)


def audio_down(ssrc: int = 7000, **changes: Any) -> DownRow:
    return DownRow(False, b"main", (VIEWER_OPUS, VIEWER_RED), ssrc)._replace(**changes)


class Camera:
    """Sends numbered H.264 packets of one layer: each a frame of its own, a keyframe where asked."""

    def __init__(self, far: Far, *, ssrc: int = 1111, sequence: int = 100, timestamp: int = 9000) -> None:
        self.far = far
        self.ssrc = ssrc
        self.sequence = sequence
        self.timestamp = timestamp

    def packet(self, *, key: bool = False, **changes: Any) -> bytes:
        """The next packet, not sent: a loss on the way, or to be sent later."""
        payload = (IDR if key else SLICE) + struct.pack("!I", self.sequence)
        options: dict[str, Any] = {"ssrc": self.ssrc, "payload_type": 102, "marker": True, **changes}
        built = build_rtp(self.sequence, self.timestamp, payload, **options)
        self.sequence += 1
        self.timestamp += 3000
        return built

    def send(self, count: int = 1, *, key: bool = False, **changes: Any) -> None:
        """`count` packets; with `key` the first begins a keyframe."""
        for index in range(count):
            self.far.send_rtp(self.packet(key=key and index == 0, **changes))

    def send_padding(self) -> None:
        self.far.send_rtp(
            build_rtp(self.sequence, self.timestamp, b"", ssrc=self.ssrc, payload_type=102, padding=200)
        )
        self.sequence += 1

    def resend(self, sequence: int, *, rtx_sequence: int, timestamp: int, rtx_ssrc: int = 2222) -> None:
        """One packet again as RTX."""
        payload = struct.pack("!H", sequence & 0xFFFF) + SLICE + struct.pack("!I", sequence)
        self.far.send_rtp(build_rtp(rtx_sequence, timestamp, payload, ssrc=rtx_ssrc, payload_type=103))


def number_of(packet: Rtp) -> int:
    """The number `Camera` wrote into the payload."""
    value: int = struct.unpack("!I", packet.payload[-4:])[0]
    return value
