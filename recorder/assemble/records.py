"""Spans of ring bytes -> records -> RTP packets (RFC 3550). The layout is `recorder.contract`'s."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from recorder.contract import RECORD_HEADER, RecordKind

_HEADER = struct.Struct("<IBBHQ")
_RTP = struct.Struct(">BBHII")
_REPORT = struct.Struct(">IQI")
_NTP_SECOND = float(1 << 32)


class Record(NamedTuple):
    """One record of the ring; `arrival_ns` is the machine's monotonic clock."""

    kind: int
    track: int
    arrival_ns: int
    data: bytes


class Packet(NamedTuple):
    """An RTP packet without extensions, CSRCs and padding."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


class Report(NamedTuple):
    """The part of a sender report that ties RTP time to the sender's clock (seconds since 1900)."""

    ssrc: int
    ntp_s: float
    timestamp: int


def read_records(span: bytes) -> Iterator[Record]:
    """Every record of a span but padding. A span that does not add up ends the iteration there."""
    at, end, unpack = 0, len(span), _HEADER.unpack_from
    while at + 8 <= end:
        if end - at < RECORD_HEADER:
            return  # only padding can be that short
        length, kind, _, track, arrival = unpack(span, at)
        if kind == RecordKind.PAD:
            if length < 8:
                return
            at += (length + 7) & ~7
            continue
        if length < RECORD_HEADER or at + length > end:
            return
        yield Record(kind, track, arrival, span[at + RECORD_HEADER : at + length])
        at += (length + 7) & ~7


def read_packet(data: bytes) -> Packet | None:
    """The RTP packet in `data`, or None where it is none."""
    if len(data) < 12:
        return None
    first, second, sequence, timestamp, ssrc = _RTP.unpack_from(data)
    if first == 0x80:
        payload = data[12:]
    else:
        bounds = _payload_bounds(data, first)
        if bounds is None:
            return None
        payload = data[bounds[0] : bounds[1]]
    return Packet(second & 0x7F, second >= 0x80, sequence, timestamp, ssrc, payload)


def read_report(data: bytes) -> Report | None:
    if len(data) < _REPORT.size:
        return None
    ssrc, ntp, timestamp = _REPORT.unpack_from(data)
    return Report(ssrc, ntp / _NTP_SECOND, timestamp) if ntp else None


def _payload_bounds(data: bytes, first: int) -> tuple[int, int] | None:
    if first >> 6 != 2:
        return None
    start, end = 12 + 4 * (first & 0x0F), len(data)
    if first & 0x10:
        if start + 4 > end:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if first & 0x20:
        end -= data[-1]
    return (start, end) if start <= end else None
