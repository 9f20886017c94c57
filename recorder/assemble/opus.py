"""What must be known of an Opus packet without decoding it (RFC 6716, section 3.1)."""

from __future__ import annotations

RATE = 48_000
SLOT = 960
"""One 20 ms slot in samples."""
SILENCE = b"\xf8\xff\xfe"
"""A packet of 20 ms of silence (CELT, full band)."""
QUIET_BYTES = 16
"""A packet up to this size carries next to nothing: comfort noise or silence."""


def samples_in(packet: bytes) -> int:
    """Samples at 48 kHz in the packet; 0 for one that is none (empty, or over 120 ms)."""
    if not packet:
        return 0
    toc = packet[0]
    config = toc >> 3
    if config < 12:
        frame = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:
        frame = (480, 960)[config & 1]
    else:
        frame = (120, 240, 480, 960)[config & 3]
    code = toc & 3
    if code == 3:
        if len(packet) < 2:
            return 0
        count = packet[1] & 0x3F
    else:
        count = 1 if code == 0 else 2
    total = frame * count
    return total if 0 < total <= 5760 else 0
