"""Whatever a damaged file holds: its samples, or a documented refusal, and soon."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recorder.archive.manifest import BadManifest, decode_manifest
from recorder.checkpoint import CHECKPOINT, read_checkpoint
from recorder.fragments import BadFragments, Held, read_fragments


def box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I4s", len(data) + 8, kind) + data


def fragment(base: int, samples: list[Held]) -> bytes:
    rows = b"".join(struct.pack(">III", s.ticks, s.size, 0 if s.key else 0x10000) for s in samples)
    trun = box(b"trun", struct.pack(">III", 0x701, len(samples), 0), rows)
    tfdt = box(b"tfdt", b"\x01\0\0\0", struct.pack(">Q", base))
    tfhd = box(b"tfhd", struct.pack(">II", 0x20000, 1))
    moof = box(b"moof", box(b"mfhd", bytes(8)), box(b"traf", tfhd, tfdt, trun))
    return moof + box(b"mdat", bytes(sum(s.size for s in samples)))


HELD = st.builds(Held, st.integers(0, 90_000), st.integers(0, 300), st.booleans())
FRAGMENTS = st.lists(st.lists(HELD, min_size=1, max_size=8), max_size=5)
FAST = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def whole(fragments: list[list[Held]]) -> bytes:
    data, base = box(b"ftyp", b"isom") + box(b"moov", bytes(40)), 0
    for samples in fragments:
        data += fragment(base, samples)
        base += sum(sample.ticks for sample in samples)
    return data


@FAST
@given(fragments=FRAGMENTS)
def test_samples_come_back_as_they_were_written(tmp_path: Path, fragments: list[list[Held]]) -> None:
    path, data = tmp_path / "camera.mp4", whole(fragments)
    path.write_bytes(data)
    assert list(read_fragments(path, len(data))) == fragments


@FAST
@given(fragments=FRAGMENTS, at=st.integers(0, 4000), harm=st.binary(min_size=1, max_size=12))
def test_a_damaged_file_is_read_or_refused(
    tmp_path: Path, fragments: list[list[Held]], at: int, harm: bytes
) -> None:
    path, data = tmp_path / "camera.mp4", bytearray(whole(fragments))
    at %= len(data)
    data[at : at + len(harm)] = harm
    path.write_bytes(data)
    with contextlib.suppress(BadFragments):
        list(read_fragments(path, len(data)))


@FAST
@given(data=st.binary(max_size=200))
def test_a_checkpoint_that_is_none_is_none(tmp_path: Path, data: bytes) -> None:
    folder = tmp_path / "journal"
    folder.mkdir(exist_ok=True)
    (folder / CHECKPOINT).write_bytes(data)
    assert read_checkpoint(tmp_path) is None


@FAST
@given(data=st.binary(max_size=200))
def test_a_manifest_that_is_none_says_so(data: bytes) -> None:
    with pytest.raises(BadManifest):
        decode_manifest(data)
