"""Reading the relay's memfd ring (layout: `recorder.contract`), and fetching it from a worker."""

from __future__ import annotations

import array
import mmap
import os
import socket
from typing import NamedTuple

import numpy as np

from recorder.contract import RING_HEADER, RING_MAGIC

_VERSION_AT, _CAPACITY, _HEAD, _TAIL, _WALL, _MONOTONIC = 1, 2, 3, 4, 7, 8  # in 8-byte words
_ID = slice(40, 56)
FETCH_TIMEOUT_S = 2.0


class BadRing(Exception):
    """The memfd holds no ring of a version known here."""


class Batch(NamedTuple):
    """Whole records, and the ring position after them. `missed`: bytes overwritten before they were read."""

    span: bytes
    position: int
    missed: int


class Ring:
    """One mapped ring and how far it has been read. Owns the mapping, not the descriptor."""

    def __init__(self, fd: int) -> None:
        size = os.fstat(fd).st_size
        if size <= RING_HEADER:
            raise BadRing(f"{size} bytes")
        self._map = mmap.mmap(fd, size, prot=mmap.PROT_READ)
        self._words = np.frombuffer(self._map, dtype="<u8", count=RING_HEADER // 8)
        if self._map[:8] != RING_MAGIC or int(self._words[_VERSION_AT]) & 0xFFFFFFFF != 1:
            self.close()
            raise BadRing("no magic")
        self._capacity = int(self._words[_CAPACITY])
        if self._capacity % 8 or not 0 < self._capacity <= size - RING_HEADER:
            capacity = self._capacity
            self.close()
            raise BadRing(f"capacity {capacity} in {size} bytes")
        self.id = self._map[_ID]
        self.clock_ns = int(self._words[_WALL]) - int(self._words[_MONOTONIC])
        self.position = int(self._words[_TAIL])

    @property
    def head(self) -> int:
        return int(self._words[_HEAD])

    def resume(self, position: int) -> None:
        """Go on at a position that was reached before; one that is overwritten counts as missed."""
        if position <= self.head:
            self.position = position

    def read(self) -> Batch | None:
        """All records since the last call, or None where there are none."""
        head, position = int(self._words[_HEAD]), self.position
        if head <= position:
            return None
        missed = 0
        if head - position > self._capacity:
            tail = int(self._words[_TAIL])
            missed, position = tail - position, tail
        span = self._copy(position, head)
        tail = int(self._words[_TAIL])
        if tail > position:  # overtaken while copying
            overtaken = min(tail, head) - position
            missed += overtaken
            span = span[overtaken:]
        self.position = head
        return Batch(span, head, missed)

    def close(self) -> None:
        del self._words
        self._map.close()

    def _copy(self, start: int, end: int) -> bytes:
        first = start % self._capacity
        length = end - start
        whole = min(length, self._capacity - first)
        span = self._map[RING_HEADER + first : RING_HEADER + first + whole]
        if whole < length:
            span += self._map[RING_HEADER : RING_HEADER + length - whole]
        return span


def fetch_ring(tap_socket: str, room: str) -> Ring | None:
    """Ask a worker for the room's ring; None where it has none (yet). OSError where there is no worker,
    BadRing where what came is none. Blocks for FETCH_TIMEOUT_S at most."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
        link.settimeout(FETCH_TIMEOUT_S)
        link.connect(tap_socket)
        link.send(room.encode())
        data, ancillary, _, _ = link.recvmsg(64, socket.CMSG_SPACE(array.array("i").itemsize))
    fds = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
    try:
        if not fds:
            return None
        ring = Ring(fds[0])
        if len(data) != 16 or ring.id != data:
            ring.close()
            raise BadRing("not the ring that was announced")
        return ring
    finally:
        for fd in fds:
            os.close(fd)
