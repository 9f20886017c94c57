"""RTP payloads -> pictures of codecs that are not copied into MP4: VP8 (RFC 7741), VP9 (RFC 9628), AV1
(AOMedia's RTP payload format). For what is made after class out of the journal.

One spatial layer; a picture that may lack a packet is thrown away, and with it all that follows up to the
next keyframe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from recorder.assemble.pictures import MAX_UNIT, AccessUnit, PictureReader
from recorder.assemble.reorder import Ordered


class Part(NamedTuple):
    """What one packet holds of a picture."""

    begins: bool  # it is the picture's first packet
    key: bool  # seen in a picture's first packet: it needs no other
    data: bytes


class Unreadable(ValueError):
    """No payload of this codec."""


def read_vp8(payload: bytes) -> Part:
    """RFC 7741, 4.2. Unreadable."""
    try:
        first, at = payload[0], 1
        if first & 0x80:
            more, at = payload[1], 2
            if more & 0x80:
                at += 2 if payload[at] & 0x80 else 1
            at += (more >> 6) & 1
            at += bool(more & 0x30)
        begins = bool(first & 0x10) and not first & 0x07
        return Part(begins, begins and not payload[at] & 1, payload[at:])
    except IndexError as error:
        raise Unreadable("VP8") from error


def read_vp9(payload: bytes) -> Part:
    """RFC 9628, 4.2. Unreadable."""
    try:
        first, at = payload[0], 1
        if first & 0x80:
            at += 2 if payload[at] & 0x80 else 1
        spatial = 0
        if first & 0x20:
            spatial = (payload[at] >> 1) & 7
            at += 1 if first & 0x10 else 2
        if first & 0x50 == 0x50:
            at = _after_references(payload, at)
        if first & 0x02:
            at = _after_structure(payload, at)
        begins = bool(first & 0x08) and spatial == 0
        if at >= len(payload):
            raise Unreadable("VP9")
        return Part(begins, begins and not first & 0x40, payload[at:])
    except IndexError as error:
        raise Unreadable("VP9") from error


def _after_references(payload: bytes, at: int) -> int:
    for _ in range(3):
        at += 1
        if not payload[at - 1] & 1:
            break
    return at


def _after_structure(payload: bytes, at: int) -> int:
    told = payload[at]
    at += 1
    if told & 0x10:
        at += 4 * ((told >> 5) + 1)
    if told & 0x08:
        pictures = payload[at]
        at += 1
        for _ in range(pictures):
            at += 1 + ((payload[at] >> 2) & 3)
    return at


def _read_av1(payload: bytes) -> Part:
    """The packet as it is: its units are joined when all packets are there. Unreadable."""
    if len(payload) < 2:
        raise Unreadable("AV1")
    first = payload[0]
    return Part(not first & 0x80, bool(first & 0x08), payload)


def join_av1(packets: list[bytes]) -> bytes:
    """A temporal unit in low-overhead form (AV1 5.2): each unit with its size. Unreadable."""
    units: list[bytearray] = []
    for packet in packets:
        first, at = packet[0], 1
        count, number = (first >> 4) & 3, 0
        while at < len(packet):
            number += 1
            size = len(packet) - at
            if not count or number < count:
                size, at = _leb128(packet, at)
            if at + size > len(packet):
                raise Unreadable("AV1")
            goes_on = number == 1 and first & 0x80
            if goes_on and not units:
                raise Unreadable("AV1")
            piece = packet[at : at + size]
            if goes_on:
                units[-1] += piece
            else:
                units.append(bytearray(piece))
            at += size
    return b"\x12\x00" + b"".join(_sized(bytes(unit)) for unit in units if unit)


def _sized(unit: bytes) -> bytes:
    """An OBU with its size (AV1 5.3.1); delimiters and tile lists, which do not travel, are left out."""
    kind, head = (unit[0] >> 3) & 15, 2 if unit[0] & 0x04 else 1
    if kind in (2, 8, 15):
        return b""
    body = unit[head:]
    if unit[0] & 0x02:
        size, at = _leb128(unit, head)
        body = unit[at : at + size]
    return bytes((unit[0] | 0x02,)) + unit[1:head] + _as_leb128(len(body)) + body


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for k in range(4):
        if at >= len(data):
            raise Unreadable("AV1")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * k)
        if not byte & 0x80:
            return value, at
    raise Unreadable("AV1")


def _as_leb128(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append((value & 0x7F) | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class _Codec(NamedTuple):
    read: Callable[[bytes], Part]
    join: Callable[[list[bytes]], bytes]


FOREIGN = {
    "VP8": _Codec(read_vp8, b"".join),
    "VP9": _Codec(read_vp9, b"".join),
    "AV1": _Codec(_read_av1, join_av1),
}


class ForeignUnits(PictureReader):
    """Those of one of FOREIGN."""

    def __init__(self, codec: str) -> None:
        super().__init__()
        self._codec = codec
        self._drop()

    def _drop(self) -> None:
        self._timestamp = None
        self._arrival_s = 0.0
        self._key = False
        self._whole = True
        self._parts: list[bytes] = []
        self._size = 0

    def _take(self, packet: Ordered) -> None:
        if not packet.payload:
            return
        try:
            part = FOREIGN[self._codec].read(packet.payload)
        except Unreadable:
            part = Part(begins=False, key=False, data=b"")
            self._whole = False
        if self._timestamp is None:
            self._timestamp, self._arrival_s = packet.timestamp, packet.arrival_s
            self._key = part.key
            self._whole = self._whole and part.begins
        self._size += len(part.data)
        if self._size > MAX_UNIT:
            self._whole = False
        else:
            self._parts.append(part.data)

    def _finish(self) -> AccessUnit | None:
        timestamp, arrival_s, key, whole = self._timestamp, self._arrival_s, self._key, self._whole
        parts = self._parts
        self._drop()
        try:
            data = FOREIGN[self._codec].join(parts) if whole else b""
        except Unreadable:
            whole = False
        if not whole or timestamp is None or (self._needs_key and not key):
            if not whole:
                self._lost = self._needs_key = True
            return None
        lost, self._lost, self._needs_key = self._lost, False, False
        return AccessUnit(timestamp, arrival_s, key, data, b"", lost, self._codec)
