"""RTCP that Python makes: receiver reports and PLI (RFC 3550, RFC 4585). Pure."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

SENDER_SSRC = 1
"""Who we are in RTCP we make: not a media source, the same for every peer (as libwebrtc does)."""

MAX_BLOCKS = 31
_RR, _PSFB = 201, 206
_FMT_PLI = 1


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


def receiver_report(blocks: Sequence[ReportBlock]) -> bytes:
    """An RR of at most 31 blocks."""
    body = b"".join(_pack_block(block) for block in blocks[:MAX_BLOCKS])
    count = min(len(blocks), MAX_BLOCKS)
    return struct.pack("!BBHI", 0x80 | count, _RR, 1 + len(body) // 4, SENDER_SSRC) + body


def picture_loss(ssrc: int) -> bytes:
    """A PLI for one media SSRC."""
    return struct.pack("!BBHII", 0x80 | _FMT_PLI, _PSFB, 2, SENDER_SSRC, ssrc)


def read_remb(blocks: bytes) -> int | None:
    """The newest REMB's bits a second among RTCP blocks (draft-alvestrand-rmcat-remb, 2.2), or None."""
    found, at = None, 0
    while at + 4 <= len(blocks):
        length = 4 * (int.from_bytes(blocks[at + 2 : at + 4], "big") + 1)
        block = blocks[at : at + length]
        if (block[0] & 31, block[1]) == (15, _PSFB) and len(block) >= 20 and block[12:16] == b"REMB":
            found = ((block[17] & 3) << 16 | block[18] << 8 | block[19]) << (block[17] >> 2)
        at += length
    return found


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
