"""RTP as an H.264 encoder makes it, with a send time in every packet; the receiver's side of it.

Packets carry a one-byte header extension block (RFC 8285) with the MID and, where negotiated, the
transport-wide sequence number. Of each frame every packet is a fragment (FU-A, RFC 6184); a keyframe
begins with its parameter sets (STAP-A).
"""

from __future__ import annotations

import itertools
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

CLOCK_RATE = 90_000
BODY = 1150  # octets of payload: with headers and tag a datagram of 1.2 kB

_SPS = bytes.fromhex("6742e01fda0280bfe5c044000003000400000300ca3c60c920")  # 640x360, profile 42e01f
_PPS = bytes.fromhex("68ce3c80")
_FILLER = 12  # NAL unit type that decoders skip: it carries the trailer in a STAP-A
_TRAILER = struct.Struct("!IQ")  # packet index, send time in ns since 1970


def _aggregate(*units: bytes) -> bytes:
    return b"\x78" + b"".join(struct.pack("!H", len(unit)) + unit for unit in units)


_PARAMETER_SETS = _aggregate(_SPS, _PPS) + struct.pack("!HB", 1 + _TRAILER.size, _FILLER)


class Sent(NamedTuple):
    """What a packet says of itself."""

    number: int
    at_ns: int


class FrameShape(NamedTuple):
    """`packets` a frame, a keyframe every `keyframe_every` frames, `fps` frames a second."""

    packets: int
    fps: int = 25
    keyframe_every: int = 50


class H264Stream:
    """Makes the packets of one stream in order; `keyframe_soon` makes the next frame a keyframe. `layer`: its
    RID and that extension's id; `transport`: transport-wide numbers, where several streams share them."""

    def __init__(
        self,
        ssrc: int,
        payload_type: int,
        shape: FrameShape,
        mid: bytes,
        mid_id: int,
        transport_cc_id: int = 0,
        layer: tuple[bytes, int] | None = None,
        transport: Iterator[int] | None = None,
    ) -> None:
        self.ssrc, self.shape = ssrc, shape
        self.keyframe_soon = False
        self.index = 0
        self._payload_type = payload_type
        self._body = os.urandom(BODY)
        self._mid = bytes([mid_id << 4 | len(mid) - 1]) + mid
        if layer is not None:
            rid, rid_id = layer
            self._mid += bytes([rid_id << 4 | len(rid) - 1]) + rid
        self._transport_cc_id = transport_cc_id
        self._transport = transport or itertools.count()
        self._keyframe = True

    def packet(self, now_ns: int) -> bytes:
        """The next packet, plain; `now_ns` (since 1970) is written into it."""
        frame, place = divmod(self.index, self.shape.packets)
        if place == 0:
            self._keyframe = frame % self.shape.keyframe_every == 0 or self.keyframe_soon
            self.keyframe_soon = False
        last = place == self.shape.packets - 1
        header = struct.pack(
            "!BBHLL", 0x90, last << 7 | self._payload_type, self.index & 0xFFFF,
            frame * CLOCK_RATE // self.shape.fps & 0xFFFFFFFF, self.ssrc,
        )  # fmt: skip
        packet = header + self._extensions() + self._payload(place, last) + _TRAILER.pack(self.index, now_ns)
        self.index += 1
        return packet

    def _payload(self, place: int, last: bool) -> bytes:
        first_slice = 1 if self._keyframe and self.shape.packets > 1 else 0
        if place < first_slice:
            return _PARAMETER_SETS
        edge = (0x80 if place == first_slice else 0) | (0x40 if last and place > first_slice else 0)
        return bytes([0x7C, edge | (5 if self._keyframe else 1)]) + self._body

    def _extensions(self) -> bytes:
        block = self._mid
        if self._transport_cc_id:
            block += struct.pack("!BH", self._transport_cc_id << 4 | 1, next(self._transport) & 0xFFFF)
        block += bytes(-len(block) % 4)
        return struct.pack("!HH", 0xBEDE, len(block) // 4) + block


def read_sent(packet: bytes) -> Sent:
    """The index and send time at the end of a plain packet (padding removed)."""
    end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
    return Sent(*_TRAILER.unpack(packet[end - _TRAILER.size : end]))


def receiver_report(own_ssrc: int, ssrc: int, highest: int) -> bytes:
    """A receiver report (RFC 3550, 6.4.2) without loss: one block about `ssrc`."""
    return struct.pack("!BBHLLLLLLL", 0x81, 201, 7, own_ssrc, ssrc, 0, highest & 0xFFFFFFFF, 0, 0, 0)


def transport_number(datagram: bytes | bytearray | memoryview, extension: int) -> int:
    """The transport-wide number in a packet's one-byte extensions, which SRTP leaves readable; -1: none."""
    at, end = 16, 16 + 4 * (datagram[14] << 8 | datagram[15])
    if not datagram[0] & 0x10:
        return -1
    while at < end:
        if datagram[at] >> 4 == extension:
            return datagram[at + 1] << 8 | datagram[at + 2]
        at += 2 + (datagram[at] & 15) if datagram[at] else 1
    return -1


def transport_feedback(own_ssrc: int, ssrc: int, count: int, base: int, arrivals_ns: list[int]) -> bytes:
    """Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01) of packets that all came,
    `base` and those after it, as one run; `count`: how many were sent before."""
    reference = arrivals_ns[0] // 64_000_000
    last, deltas = reference * 256, b""
    for arrival in arrivals_ns:
        tick = max(last, arrival // 250_000)
        deltas += struct.pack("!h", min(tick - last, 32_767))
        last = tick
    stamp = (reference & 0xFFFFFF) << 8 | count & 255
    run = 2 << 13 | len(arrivals_ns)  # all of them with a delta of two octets
    body = struct.pack("!LLHHLH", own_ssrc, ssrc, base, len(arrivals_ns), stamp, run) + deltas
    body += bytes(-len(body) % 4)
    return struct.pack("!BBH", 0x8F, 205, len(body) // 4) + body


def is_rtcp(datagram: bytes | bytearray | memoryview) -> bool:
    """RFC 5761: payload types 64 to 95 with the marker bit."""
    return 192 <= datagram[1] <= 223
