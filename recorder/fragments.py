"""What the fragments of a growing file hold: lengths and sizes of samples (ISO/IEC 14496-12, 8.8)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_NON_SYNC = 0x0001_0000
_MOOF_AT_MOST = 1 << 20
_SAMPLES_AT_MOST = 1 << 16
"""Of one fragment, which lasts a second."""


class BadFragments(Exception):
    """The file does not hold whole fragments up to where it should."""


class Held(NamedTuple):
    """One sample: ticks it lasts, bytes, whether it is a sync sample."""

    ticks: int
    size: int
    key: bool


def read_fragments(path: Path, end: int) -> Iterator[list[Held]]:
    """The samples of each fragment in the first `end` bytes. BadFragments, OSError."""
    with path.open("rb") as file:
        at, ticks = 0, 0
        while at < end:
            file.seek(at)
            size, kind = struct.unpack(">I4s", _exactly(file.read(8), 8))
            if size < 8 or at + size > end:
                raise BadFragments(f"a box of {size} bytes at {at}")
            if kind == b"moof":
                if size > _MOOF_AT_MOST:
                    raise BadFragments(f"a moof of {size} bytes")
                held, base = _read_moof(_exactly(file.read(size - 8), size - 8))
                if base != ticks:
                    raise BadFragments(f"decode time {base} where {ticks} was due")
                ticks += sum(sample.ticks for sample in held)
                yield held
            at += size


def _exactly(data: bytes, size: int) -> bytes:
    if len(data) < size:
        raise BadFragments("the file is too short")
    return data


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8:
            raise BadFragments("a box of no size")
        yield kind, data[at + 8 : at + size]
        at += size


def _read_moof(moof: bytes) -> tuple[list[Held], int]:
    """Samples and base decode time of the one track."""
    held: list[Held] = []
    base, defaults = 0, (0, 0, 0)
    try:
        for kind, traf in _boxes(moof):
            if kind != b"traf":
                continue
            for inner, data in _boxes(traf):
                if inner == b"tfhd":
                    defaults = _read_tfhd(data)
                elif inner == b"tfdt":
                    base = struct.unpack_from(">Q" if data[0] else ">I", data, 4)[0]
                elif inner == b"trun":
                    held += _read_trun(data, defaults)
    except (struct.error, IndexError) as error:
        raise BadFragments("a moof that ends too soon") from error
    return held, base


def _read_tfhd(data: bytes) -> tuple[int, int, int]:
    """Default duration, size and flags (0 where left out)."""
    flags, at = int.from_bytes(data[1:4], "big"), 8
    at += 8 * bool(flags & 0x01) + 4 * bool(flags & 0x02)
    found = []
    for bit in (0x08, 0x10, 0x20):
        present = bool(flags & bit)
        found.append(struct.unpack_from(">I", data, at)[0] if present else 0)
        at += 4 * present
    return found[0], found[1], found[2]


def _read_trun(data: bytes, defaults: tuple[int, int, int]) -> Iterator[Held]:
    flags, count = int.from_bytes(data[1:4], "big"), struct.unpack_from(">I", data, 4)[0]
    if count > _SAMPLES_AT_MOST:
        raise BadFragments(f"{count} samples in a fragment")
    at = 8 + 4 * bool(flags & 0x01)
    first_flags = struct.unpack_from(">I", data, at)[0] if flags & 0x04 else None
    at += 4 * bool(flags & 0x04)
    for number in range(count):
        ticks, size, marks = defaults
        if flags & 0x100:
            ticks = struct.unpack_from(">I", data, at)[0]
            at += 4
        if flags & 0x200:
            size = struct.unpack_from(">I", data, at)[0]
            at += 4
        if flags & 0x400:
            marks = struct.unpack_from(">I", data, at)[0]
            at += 4
        at += 4 * bool(flags & 0x800)
        if number == 0 and first_flags is not None:
            marks = first_flags
        yield Held(ticks, size, not marks & _NON_SYNC)
