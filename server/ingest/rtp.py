"""RTP out of access units and Opus packets (RFC 3550, 6184, 7587). Pure.

Numbers are of one stream: its sequence only rises, also over reconnections of the source behind it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_PAYLOAD = 1_180  # with SRTP, UDP and IPv6 it stays below 1,280

SPS, PPS, IDR, SEI, DELIMITER = 7, 8, 5, 6, 9
_STAP_A, _FU_A = 24, 28
_HEADER = struct.Struct("!BBHII")


@dataclass(slots=True)
class RtpStream:
    """One outgoing stream: its SSRC, and how far its numbers are."""

    ssrc: int
    payload_type: int
    rate: int
    sequence: int = 0
    packets: int = 0
    octets: int = 0
    extension: bytes = b""  # a whole header extension (RFC 8285), of each packet

    def packet(self, payload: bytes, timestamp: int, *, marker: bool) -> bytes:
        """The next packet of the stream. `timestamp` in units of `rate`, of any size."""
        header = _HEADER.pack(
            0x90 if self.extension else 0x80,
            self.payload_type | (0x80 if marker else 0),
            self.sequence & 0xFFFF,
            timestamp & 0xFFFFFFFF,
            self.ssrc,
        )
        self.sequence += 1
        self.packets += 1
        self.octets += len(payload)
        return header + self.extension + payload

    def report(self, ntp: int, timestamp: int, cname: bytes) -> bytes:
        """A sender report and its CNAME, one compound packet (RFC 3550, 6.4.1, 6.5). `ntp`: 64 bits."""
        sender = struct.pack(
            "!BBHIQIII",
            0x80,
            200,
            6,
            self.ssrc,
            ntp,
            timestamp & 0xFFFFFFFF,
            self.packets & 0xFFFFFFFF,
            self.octets & 0xFFFFFFFF,
        )
        item = struct.pack("!IBB", self.ssrc, 1, len(cname)) + cname
        item += bytes(4 - len(item) % 4)
        return sender + struct.pack("!BBH", 0x81, 202, len(item) // 4) + item

    def access_unit(self, nals: Sequence[bytes], timestamp: int) -> list[bytes]:
        """The packets of one picture; its last one carries the marker."""
        payloads = _payloads(nals)
        first, kind, ssrc = 0x90 if self.extension else 0x80, self.payload_type, self.ssrc
        stamp, extension, pack = timestamp & 0xFFFFFFFF, self.extension, _HEADER.pack
        packets = [
            b"".join((pack(first, kind, number & 0xFFFF, stamp, ssrc), extension, before, body))
            for number, (before, body) in enumerate(payloads, self.sequence)
        ]
        if packets:
            last = packets[-1]
            packets[-1] = last[:1] + bytes([last[1] | 0x80]) + last[2:]
        self.sequence += len(packets)
        self.packets += len(packets)
        self.octets += sum(map(len, packets)) - len(packets) * (_HEADER.size + len(extension))
        return packets


def rid_extension(number: int, rid: str) -> bytes:
    """The header extension that names a packet's layer by a RID of one letter (RFC 8852, 8285)."""
    return b"\xbe\xde\0\1" + bytes([number << 4]) + rid.encode() + b"\0\0"


def nals_of(data: bytes, length_size: int) -> list[bytes]:
    """The NAL units of an access unit: with lengths before them (`length_size` 1, 2 or 4, ISO 14496-15), or
    in Annex B (0). Delimiters are left out. ValueError where a length leads beyond the end."""
    units = _with_lengths(data, length_size) if length_size else _annex_b(data)
    return [unit for unit in units if unit and unit[0] & 31 != DELIMITER]


def parameter_sets(extradata: bytes) -> tuple[list[bytes], int]:
    """SPS and PPS of a stream's extradata (avcC or Annex B), and the size of its NAL lengths (0: Annex B).
    ValueError for an avcC that is cut short."""
    if len(extradata) < 7 or extradata[0] != 1:
        return [unit for unit in _annex_b(extradata) if unit and unit[0] & 31 in (SPS, PPS)], 0
    sets, at = [], 5
    for mask in (31, 255):
        count, at = extradata[at] & mask, at + 1
        for _ in range(count):
            size = int.from_bytes(extradata[at : at + 2], "big")
            unit = extradata[at + 2 : at + 2 + size]
            if len(unit) != size or not size:
                raise ValueError("parameter sets are cut short")
            sets.append(unit)
            at += 2 + size
        if at >= len(extradata) and mask == 31:
            raise ValueError("there is no picture parameter set")
    return sets, (extradata[4] & 3) + 1


def with_parameter_sets(nals: list[bytes], sets: Sequence[bytes]) -> list[bytes]:
    """The access unit with SPS and PPS before its keyframe, where it has none of its own."""
    kinds = {unit[0] & 31 for unit in nals}
    return [*sets, *nals] if IDR in kinds and SPS not in kinds else nals


def joined(nals: Sequence[bytes], more: Sequence[bytes]) -> list[bytes]:
    """Two parts of one picture: parameter sets said again before a later slice are left out."""
    return [*nals, *(unit for unit in more if unit[0] & 31 not in (SPS, PPS) or unit not in nals)]


def continues(nals: Sequence[bytes]) -> bool:
    """Whether these go on with a picture that has begun: their first slice begins not at its first macroblock
    (first_mb_in_slice is not 0: ITU-T H.264, 7.3.3)."""
    slices = (unit for unit in nals if unit[0] & 31 in (1, IDR) and len(unit) > 1)
    return next((not unit[1] & 0x80 for unit in slices), False)


def is_keyframe(nals: Sequence[bytes]) -> bool:
    return any(unit[0] & 31 == IDR for unit in nals)


def _payloads(nals: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Small units side by side in a STAP-A, alone, or in pieces (FU-A), in order (RFC 6184, 5.6 to 5.8). Each
    payload as its first octets and the rest: it is joined once, with its header."""
    found: list[tuple[bytes, bytes]] = []
    small: list[bytes] = []
    for unit in nals:
        if small and 1 + sum(2 + len(each) for each in (*small, unit)) > MOST_PAYLOAD:
            found.append(_joined(small))
            small = []
        if len(unit) > MOST_PAYLOAD:
            found += _pieces(unit)
        else:
            small.append(unit)
    if small:
        found.append(_joined(small))
    return found


def _joined(units: Sequence[bytes]) -> tuple[bytes, bytes]:
    if len(units) == 1:
        return b"", units[0]
    importance = max(unit[0] & 0x60 for unit in units)
    parts = b"".join(struct.pack("!H", len(unit)) + unit for unit in units)
    return bytes([importance | _STAP_A]), parts


def _pieces(unit: bytes) -> list[tuple[bytes, bytes]]:
    indicator, kind, size = unit[0] & 0xE0 | _FU_A, unit[0] & 31, MOST_PAYLOAD - 2
    begin, middle, end = (bytes([indicator, bit | kind]) for bit in (0x80, 0, 0x40))
    bodies = [unit[at : at + size] for at in range(1, len(unit), size)]
    return [(begin, bodies[0]), *((middle, body) for body in bodies[1:-1]), (end, bodies[-1])]


def _annex_b(data: bytes) -> Iterator[bytes]:
    at = data.find(b"\0\0\1")
    while at >= 0:
        following = data.find(b"\0\0\1", at + 3)
        unit = data[at + 3 : following if following >= 0 else len(data)]
        yield unit.rstrip(b"\0") if following >= 0 else unit
        at = following


def _with_lengths(data: bytes, size: int) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + size], "big")
        unit = data[at + size : at + size + length]
        if len(unit) != length:
            raise ValueError("a NAL unit leads beyond its access unit")
        yield unit
        at += size + length
