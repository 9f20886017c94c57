"""The relay's side of a tap in Python: a ring to the letter of `recorder.contract`, and a tap socket."""

from __future__ import annotations

import array
import contextlib
import mmap
import os
import socket
import struct
import threading
import time
from pathlib import Path

import msgspec

from recorder.contract import RECORD_HEADER, RING_HEADER, RING_MAGIC, RecordKind, TrackNote


class RingWriter:
    """A memfd ring. It waits for nobody, as the relay; a reader that is too slow loses."""

    def __init__(self, capacity: int = 8 << 20) -> None:
        self.fd = os.memfd_create("tap", os.MFD_CLOEXEC)
        self.capacity = capacity
        os.ftruncate(self.fd, RING_HEADER + capacity)
        self._map = mmap.mmap(self.fd, RING_HEADER + capacity)
        self.id = os.urandom(16)
        self.head = self.tail = self.records = 0
        clocks = time.time_ns(), time.monotonic_ns()
        header = struct.pack("<8sIIQQQ16sQQQ", RING_MAGIC, 1, 0, capacity, 0, 0, self.id, *clocks, 0)
        self._map[: len(header)] = header

    def write(self, kind: RecordKind, track: int, data: bytes, arrival_ns: int, flags: int = 0) -> None:
        length = RECORD_HEADER + len(data)
        need = (length + 7) & ~7
        left = self.capacity - self.head % self.capacity
        if left < need:
            self._make_way(left)
            pad = struct.pack("<IBBHQ", left, RecordKind.PAD, 0, 0, 0)[: min(left, 16)]
            self._put(pad)
            self.head += left
        self._make_way(need)
        self._put(struct.pack("<IBBHQ", length, kind, flags, track, arrival_ns) + data)
        self.head += need
        self.records += 1
        struct.pack_into("<Q", self._map, 72, self.records)
        struct.pack_into("<Q", self._map, 24, self.head)

    def note(self, note: TrackNote, arrival_ns: int) -> None:
        self.write(RecordKind.TRACK, note.number, msgspec.msgpack.encode(note), arrival_ns)

    def contents(self) -> bytes:
        """Everything that is still in the ring, as a reader copies it."""
        first = self.tail % self.capacity
        data = self._map[RING_HEADER:] * 2
        return data[first : first + self.head - self.tail]

    def close(self) -> None:
        self._map.close()
        os.close(self.fd)

    def _put(self, data: bytes) -> None:
        at = RING_HEADER + self.head % self.capacity
        self._map[at : at + len(data)] = data

    def _make_way(self, need: int) -> None:
        while self.head + need - self.tail > self.capacity:
            at = RING_HEADER + self.tail % self.capacity
            self.tail += (struct.unpack_from("<I", self._map, at)[0] + 7) & ~7
        struct.pack_into("<Q", self._map, 32, self.tail)


class TapServer:
    """A worker's tap socket: answers a room's name with its ring. Use as a context manager."""

    def __init__(self, path: Path, rings: dict[str, RingWriter]) -> None:
        self.path = path
        self.rings = rings
        self.asked = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> TapServer:
        self.path.unlink(missing_ok=True)
        self._socket.bind(str(self.path))
        self._socket.listen(8)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._socket.accept()
            except OSError:
                return
            with link:
                ring = self.rings.get(link.recv(256).decode())
                self.asked += 1
                if ring is None:
                    link.send(b"")
                else:
                    fds = array.array("i", [ring.fd])
                    link.sendmsg([ring.id], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
