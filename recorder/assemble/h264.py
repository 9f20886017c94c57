"""RTP payloads -> H.264 access units (RFC 6184: single NAL unit, STAP-A, FU-A).

An access unit that may lack a packet is thrown away, and with it all that follows up to the next IDR
picture: what is kept decodes without an error.
"""

from __future__ import annotations

from recorder.assemble.pictures import MAX_UNIT, AccessUnit, PictureReader
from recorder.assemble.reorder import Ordered

_START = b"\x00\x00\x00\x01"
_SPS, _PPS, _IDR, _AUD, _FILLER, _STAP_A, _FU_A = 7, 8, 5, 9, 12, 24, 28


class AccessUnits(PictureReader):
    """H.264's. `thrown`: access units that were begun and not given."""

    def __init__(self) -> None:
        super().__init__()
        self._config = b""
        self.thrown = 0
        self._begin(None)

    def _begin(self, packet: Ordered | None) -> None:
        self._timestamp = packet.timestamp if packet else None
        self._arrival_s = packet.arrival_s if packet else 0.0
        self._headless = bool(packet and packet.missing)
        self._whole = True
        self._chunks: list[bytes] = []
        self._sets: list[bytes] = []
        self._key = False
        self._size = 0
        self._fragment: list[bytes] | None = None
        self._first_type = -1

    def _drop(self) -> None:
        if self._timestamp is not None:
            self.thrown += 1
            self._begin(None)

    def _take(self, packet: Ordered) -> None:
        if self._timestamp is None:
            self._begin(packet)
        payload = packet.payload
        if not payload:
            return
        self._size += len(payload)
        kind = payload[0] & 0x1F
        if self._size > MAX_UNIT:
            self._whole = False
        elif kind == _FU_A:
            self._take_fragment(payload)
        elif kind == _STAP_A:
            self._take_aggregate(payload)
        elif 0 < kind < 24:
            self._take_unit(kind, payload)
        else:
            self._whole = False

    def _take_aggregate(self, payload: bytes) -> None:
        at, end = 1, len(payload)
        while at + 2 < end:
            size = (payload[at] << 8) | payload[at + 1]
            at += 2
            if size == 0 or at + size > end:
                self._whole = False
                return
            self._take_unit(payload[at] & 0x1F, payload[at : at + size])
            at += size

    def _take_fragment(self, payload: bytes) -> None:
        if len(payload) < 3:
            self._whole = False
            return
        flags = payload[1]
        if flags & 0x80:
            self._fragment = [bytes(((payload[0] & 0xE0) | (flags & 0x1F),))]
        if self._fragment is None:
            self._whole = False  # its first part is not here
            return
        self._fragment.append(payload[2:])
        if flags & 0x40:
            parts, self._fragment = self._fragment, None
            kind = flags & 0x1F
            if kind in (_SPS, _PPS):
                self._take_unit(kind, b"".join(parts))
            else:
                self._note(kind)
                self._chunks.append(_START)
                self._chunks.extend(parts)

    def _take_unit(self, kind: int, unit: bytes) -> None:
        self._note(kind)
        if kind in (_SPS, _PPS):
            self._sets.append(_START + unit)
        elif kind not in (_AUD, _FILLER):
            self._chunks.append(_START)
            self._chunks.append(unit)

    def _note(self, kind: int) -> None:
        if self._first_type < 0:
            self._first_type = kind
        if kind == _IDR:
            self._key = True

    def _finish(self) -> AccessUnit | None:
        timestamp, arrival_s, key, chunks = self._timestamp, self._arrival_s, self._key, self._chunks
        whole = self._whole and self._fragment is None
        if self._headless and self._first_type not in (_SPS, _AUD):
            whole = False
        sets = self._sets
        self._begin(None)
        if whole and sets:
            self._config = _newest_sets(self._config, sets)
        if not chunks and whole:
            return None  # parameter sets or padding alone
        if not whole or timestamp is None or (self._needs_key and not (key and self._config)):
            self.thrown += 1
            if not whole:
                self._lost = self._needs_key = True
            return None
        lost, self._lost, self._needs_key = self._lost, False, False
        return AccessUnit(timestamp, arrival_s, key, b"".join(chunks), self._config, lost)


def _newest_sets(config: bytes, sets: list[bytes]) -> bytes:
    """The parameter sets in force: an SPS begins a new set of them, a lone PPS joins the present ones."""
    if any(unit[4] & 0x1F == _SPS for unit in sets):
        return b"".join(dict.fromkeys(sets))
    known = b"".join(unit for unit in dict.fromkeys(sets) if unit not in config)
    return config + known if config else b""
