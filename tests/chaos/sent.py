"""What a classroom's aiortc put on its line, and what of it a journal holds: what is lost has a name."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from aiortc import RTCDtlsTransport

from recorder.archive.layout import JOURNAL
from recorder.assemble.records import read_packet, read_records
from recorder.contract import PAYLOAD_TYPES, RecordKind
from recorder.journal import EntryKind, JournalReader

Name = tuple[int, int]
"""SSRC and sequence number: the relay's ring keeps both as they came."""


class Sent(NamedTuple):
    at: float  # wall clock
    name: Name
    kind: int  # RTP payload type


@contextmanager
def everything_sent() -> Iterator[list[Sent]]:
    """Every RTP packet that any aiortc connection of this process hands to its line while the block runs."""
    sent: list[Sent] = []
    original = RTCDtlsTransport._send_rtp

    async def noted(self: RTCDtlsTransport, data: bytes) -> None:
        await original(self, data)
        if len(data) >= 12 and not 64 <= data[1] & 0x7F < 96:  # those are RTCP (RFC 5761)
            kind, sequence, _, ssrc = struct.unpack_from(">xBHII", data)
            sent.append(Sent(time.time(), (ssrc, sequence), kind & 0x7F))

    RTCDtlsTransport._send_rtp = noted
    try:
        yield sent
    finally:
        RTCDtlsTransport._send_rtp = original


def journalled(folder: Path) -> dict[str, set[Name]]:
    """By codec: every RTP packet in a lesson's journal."""
    found: dict[str, set[Name]] = {}
    reader = JournalReader(folder / JOURNAL)
    while entries := reader.read():
        for entry in entries:
            if entry.kind is not EntryKind.SPAN:
                continue
            for record in read_records(entry.payload):
                packet = read_packet(record.data) if record.kind == RecordKind.RTP else None
                if packet is not None:
                    codec = PAYLOAD_TYPES.get(packet.payload_type, "")
                    found.setdefault(codec, set()).add((packet.ssrc, packet.sequence))
    return found
