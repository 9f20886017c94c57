"""The journal: what came out of the ring, as it came, on the disk before anything is made of it.

Files of at most FILE_BYTES, numbered from 1. A file is entries one after the other:

    0   4s  magic b"LKJ1"
    4   u8  kind (EntryKind), 3 bytes zero
    8   u32 length of the payload
    12  u64 position in the ring of the payload's end
    20  u32 CRC-32 of bytes 4 to 20 and the payload
    24  payload

Little endian. One entry holds a whole span of ring bytes, so the cost is a checksum and a write a batch. A
damaged entry costs itself: the reader goes on at the next whole one.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from recorder.archive.layout import is_journal_file, journal_file
from recorder.archive.manifest import sync_folder

MAGIC = b"LKJ1"
FILE_BYTES = 64 << 20
PAYLOAD_AT_MOST = 32 << 20
_HEADER = struct.Struct("<4sB3xIQI")
T = TypeVar("T", bound=msgspec.Struct)


class EntryKind(IntEnum):
    OPENED = 1  # payload: Opened, msgpack: spans of this ring follow
    SPAN = 2  # payload: ring bytes, whole records
    MISSED = 3  # payload: Missed, msgpack: the ring had overtaken the reader, or the disk was full
    CLOSED = 4  # payload: Closed, msgpack: the lesson ended without an end mark in the ring
    PAUSED = 5  # payload: Paused, msgpack: by the teacher's wish nothing comes from now on, or it comes again


class Opened(msgspec.Struct, frozen=True):
    """A ring. `clock_ns`: wall clock minus monotonic clock; `boot`: the machine's boot id."""

    ring: bytes
    boot: bytes
    clock_ns: int


class Missed(msgspec.Struct, frozen=True):
    reason: str  # "overtaken" | "disk_full"
    bytes: int


class Closed(msgspec.Struct, frozen=True):
    at_ns: int  # monotonic


class Paused(msgspec.Struct, frozen=True):
    at_ns: int  # monotonic
    paused: bool


class Entry(NamedTuple):
    kind: EntryKind
    position: int
    payload: bytes


class Place(NamedTuple):
    """Up to where the journal is written: a file's number and its bytes."""

    file: int
    bytes: int


class JournalPlace(NamedTuple):
    """How far a reader has come, and how many damaged bytes it has passed."""

    file: int
    bytes: int
    damaged: int


_KINDS = {int(kind): kind for kind in EntryKind}


def encode_entry(kind: EntryKind, position: int, payload: bytes) -> bytes:
    """An entry's header; the payload follows it."""
    bare = _HEADER.pack(MAGIC, kind, len(payload), position, 0)[4:20]
    return _HEADER.pack(MAGIC, kind, len(payload), position, zlib.crc32(payload, zlib.crc32(bare)))


def read_entries(data: bytes) -> Iterator[tuple[Entry, int]]:
    """Every whole entry in `data` and where it ends; damaged stretches are passed over."""
    at = 0
    while (at := data.find(MAGIC, at)) >= 0:
        entry = _entry_at(data, at)
        if entry is None:
            at += 1
            continue
        at += _HEADER.size + len(entry.payload)
        yield entry, at


def _entry_at(data: bytes, at: int) -> Entry | None:
    if at + _HEADER.size > len(data):
        return None
    _, kind, length, position, checksum = _HEADER.unpack_from(data, at)
    start = at + _HEADER.size
    if kind not in _KINDS or length > PAYLOAD_AT_MOST or start + length > len(data):
        return None
    payload = data[start : start + length]
    if zlib.crc32(payload, zlib.crc32(data[at + 4 : at + 20])) != checksum:
        return None
    return Entry(_KINDS[kind], position, payload)


class JournalWriter:
    """Appends entries. One thread appends; `sync` may be called from another."""

    def __init__(self, folder: Path, file_bytes: int = FILE_BYTES) -> None:
        """Goes on in a new file after those that are there. OSError where the disk refuses."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._file_bytes = file_bytes
        self._number = max(_numbers(folder), default=0)
        self._fd = -1
        self._size = 0
        self._lock = threading.Lock()  # over the descriptor's life: sync must not meet a closed one
        self._dirty = False
        self.total = sum(path.stat().st_size for path in _files(folder))
        self._next_file()

    @property
    def place(self) -> Place:
        """Up to where a reader may read."""
        return Place(self._number, self._size)

    def append(self, kind: EntryKind, position: int, payload: bytes) -> None:
        """Write one entry. OSError where it cannot be; then nothing of it is in the journal."""
        if self._size > 0 and self._size + len(payload) > self._file_bytes:
            self._next_file()
        header = encode_entry(kind, position, payload)
        whole = len(header) + len(payload)
        try:
            written = os.writev(self._fd, (header, payload))
            while written < whole:
                written += os.write(self._fd, (header + payload)[written:])
        except OSError:
            os.ftruncate(self._fd, self._size)
            os.lseek(self._fd, self._size, os.SEEK_SET)
            raise
        self._size += whole
        self.total += whole
        self._dirty = True

    def sync(self) -> None:
        """What was appended is on the disk on return."""
        if not self._dirty:
            return
        self._dirty = False
        with self._lock:
            if self._fd >= 0:
                os.fdatasync(self._fd)

    def close(self) -> None:
        self.sync()
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def _next_file(self) -> None:
        path = self._folder / journal_file(self._number + 1)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        sync_folder(self._folder)
        with self._lock:
            if self._fd >= 0:
                os.fdatasync(self._fd)
                os.close(self._fd)
            self._fd = fd
        self._size = 0  # before the number: a reader between the two sees less, never more
        self._number += 1


class JournalReader:
    """Follows a journal from its beginning, up to where its writer has come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = _numbers(folder)
        self._file = self._numbers[0] if self._numbers else 1
        self._at = 0
        self.damaged = 0

    @property
    def place(self) -> JournalPlace:
        return JournalPlace(self._file, self._at, self.damaged)

    def go_on(self, place: JournalPlace) -> None:
        """Read from there."""
        self._file, self._at, self.damaged = place

    def read(self, place: Place | None = None, most: int = 4 << 20) -> list[Entry]:
        """The next entries, about `most` bytes of them; none where the reader is at `place` (None: at the
        end of the last file)."""
        last = place.file if place else max(_numbers(self._folder), default=0)
        while self._file <= last:
            limit = place.bytes if place and self._file == last else None
            entries, more = self._read_file(limit, most)
            if entries or more:
                return entries
            if self._file == last:
                return []
            self._file += 1
            self._at = 0
        return []

    def _read_file(self, limit: int | None, most: int) -> tuple[list[Entry], bool]:
        """Entries from here, and whether there is more in this file that has not been looked at."""
        try:
            with (self._folder / journal_file(self._file)).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                end = size if limit is None else min(limit, size)
                file.seek(self._at)
                data = file.read(max(min(end - self._at, most), 0))
                entries = self._take(data)
                if not entries and self._at + len(data) < end:
                    file.seek(self._at)  # one entry larger than `most`, or a damaged stretch
                    data = file.read(end - self._at)
                    entries = self._take(data)
        except FileNotFoundError:
            return [], False
        if not entries and data and (limit is None or self._at < end):
            self.damaged += len(data)
            self._at = end
        return entries, False

    def _take(self, data: bytes) -> list[Entry]:
        entries, clean = [], 0
        for entry, end in read_entries(data):
            self.damaged += end - clean - _HEADER.size - len(entry.payload)
            entries.append(entry)
            clean = end
        self._at += clean
        return entries


def last_position(folder: Path) -> tuple[bytes, int]:
    """The ring that was read last and the position up to which it is journalled; (b"", 0): none."""
    ring, position = b"", 0
    for path in reversed(_files(folder)):
        for entry, _ in read_entries(path.read_bytes()):
            if entry.kind is EntryKind.OPENED:
                opened = decode_payload(entry, Opened)
                if opened is not None:
                    ring, position = opened.ring, entry.position
            elif entry.kind not in (EntryKind.CLOSED, EntryKind.PAUSED):
                position = entry.position
        if ring:
            return ring, position
    return b"", 0


def decode_payload(entry: Entry, kind: type[T]) -> T | None:
    try:
        return msgspec.msgpack.decode(entry.payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if is_journal_file(path.name))


def _numbers(folder: Path) -> list[int]:
    return [int(path.stem) for path in _files(folder)]
