"""RTCP that Python makes and reads: receiver reports, PLI, REMB (RFC 3550, RFC 4585). Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SENDER_SSRC = 1
"""Who we are in RTCP we make: not a media source, the same for every peer (as libwebrtc does)."""

MAX_BLOCKS = 31
_RR, _PSFB = 201, 206
_FMT_PLI, _FMT_APPLICATION = 1, 15


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """One report block. `loss`: share lost since the last report, 0 to 1; `last_sr`: middle 32 bits of
    the NTP time of the last sender report; `delay`: since it, in 1/65536 s."""

    ssrc: int
    loss: float
    lost: int
    highest_sequence: int
    jitter: int
    last_sr: int
    delay: int


@dataclass(frozen=True, slots=True)
class Remb:
    bitrate_bps: int
    ssrcs: tuple[int, ...]


def receiver_report(blocks: Sequence[ReportBlock]) -> bytes:
    """An RR of at most 31 blocks."""
    body = b"".join(_pack_block(block) for block in blocks[:MAX_BLOCKS])
    count = min(len(blocks), MAX_BLOCKS)
    return struct.pack("!BBHI", 0x80 | count, _RR, 1 + len(body) // 4, SENDER_SSRC) + body


def picture_loss(ssrc: int) -> bytes:
    """A PLI for one media SSRC."""
    return struct.pack("!BBHII", 0x80 | _FMT_PLI, _PSFB, 2, SENDER_SSRC, ssrc)


def read(data: bytes) -> Iterator[ReportBlock | Remb]:
    """What is of use in a compound packet; anything malformed ends it silently."""
    position = 0
    while position + 8 <= len(data):
        first, kind, words = struct.unpack_from("!BBH", data, position)
        end = position + 4 + words * 4
        if first >> 6 != 2 or end > len(data) or words < 1:
            return
        if kind == _RR:
            yield from _blocks(data[position + 8 : end], first & 31)
        elif kind == _PSFB and first & 31 == _FMT_APPLICATION:
            yield from _remb(data[position + 12 : end])
        position = end


def _pack_block(block: ReportBlock) -> bytes:
    fraction = min(255, max(0, int(block.loss * 256)))
    lost = max(-(1 << 23), min((1 << 23) - 1, block.lost)) & 0xFFFFFF
    return struct.pack(
        "!IIIIII",
        block.ssrc,
        fraction << 24 | lost,
        block.highest_sequence & 0xFFFFFFFF,
        block.jitter & 0xFFFFFFFF,
        block.last_sr,
        min(block.delay, 0xFFFFFFFF),
    )


def _blocks(body: bytes, count: int) -> Iterator[ReportBlock]:
    for place in range(min(count, len(body) // 24)):
        ssrc, lost, highest, jitter, last_sr, delay = struct.unpack_from("!IIIIII", body, place * 24)
        total = lost & 0xFFFFFF
        signed = total - (1 << 24) if total >> 23 else total
        yield ReportBlock(ssrc, (lost >> 24) / 256, signed, highest, jitter, last_sr, delay)


def _remb(fci: bytes) -> Iterator[Remb]:
    if len(fci) < 8 or fci[:4] != b"REMB" or len(fci) < 8 + 4 * fci[4]:
        return
    packed = int.from_bytes(fci[5:8], "big")
    ssrcs = struct.unpack_from(f"!{fci[4]}I", fci, 8)
    yield Remb((packed & 0x3FFFF) << (packed >> 18), ssrcs)
