"""Whatever bytes a journal, a manifest or a segment holds: what is whole is kept, and nothing else fails."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recorder.archive.layout import BadName, served_file
from recorder.archive.manifest import BadManifest, Manifest, decode_manifest, encode_manifest
from recorder.assemble.assembler import Assembler
from recorder.contract import RecordingState
from recorder.fragments import BadFragments, read_fragments
from recorder.journal import EntryKind, JournalReader, encode_entry, read_entries
from tests.fakes.recorded_lesson import lesson, span_of

SPAN = span_of(lesson(2.0), end_s=2)
PIECES = [SPAN[at : at + 9_000] for at in range(0, len(SPAN), 9_000)]
JOURNAL = b"".join(
    encode_entry(EntryKind.SPAN, at, piece) + piece for at, piece in enumerate(PIECES, start=1)
)
MANIFEST = encode_manifest(Manifest("L1", "课", "2026-09-01T10:00:00+08:00", RecordingState.READY))
QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """Cut off, with bytes changed and others put in."""

    def spoil(cut: int, changes: list[tuple[int, int]], at: int, more: bytes) -> bytes:
        data = bytearray(whole[:cut])
        for place, byte in changes:
            if data:
                data[place % len(data)] = byte
        return bytes(data[:at] + more + data[at:])

    place, byte = st.integers(0, len(whole)), st.integers(0, 255)
    return st.builds(
        spoil, place, st.lists(st.tuples(place, byte), max_size=6), place, st.binary(max_size=40)
    )


@QUICK
@given(damaged(JOURNAL))
def test_a_damaged_journal_gives_its_whole_entries_and_they_are_assembled(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "000001.lkj").write_bytes(data)
        reader, assembler = JournalReader(Path(folder)), Assembler()
        assembler.opened(b"r" * 16, b"boot", 0)
        while entries := reader.read(most=20_000):
            for entry in entries:
                assert entry.payload in JOURNAL
                assembler.feed(entry.payload)
        assembler.finish()
        assert len(assembler.tracks) <= 2
    assert [entry.payload for entry, _ in read_entries(JOURNAL)] == PIECES


@QUICK
@given(st.one_of(damaged(SPAN), st.binary(max_size=2_000)))
def test_any_span_is_assembled_or_refused_record_by_record(data: bytes) -> None:
    assembler = Assembler()
    assembler.opened(b"r" * 16, b"boot", 0)
    assembler.feed(data)
    assembler.finish()
    assembler.take()


@QUICK
@given(st.one_of(damaged(MANIFEST), st.binary(max_size=300)))
def test_a_damaged_manifest_is_one_or_is_refused(data: bytes) -> None:
    code = ""
    try:
        assert isinstance(decode_manifest(data), Manifest)
    except BadManifest as error:
        code = error.code
    assert code in ("", "damaged", "newer_version")


@QUICK
@given(st.binary(max_size=400), st.integers(0, 400))
def test_a_damaged_segment_is_read_or_refused(data: bytes, end: int) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            for fragment in read_fragments(Path(file.name), end):
                assert fragment is not None
        except BadFragments:
            pass


@QUICK
@given(st.text(max_size=60))
def test_no_name_leads_out_of_a_lessons_folder(name: str) -> None:
    folder = Path("archive") / "L1"
    try:
        path = served_file(folder, name)
    except BadName:
        return
    assert path.parent == folder
    assert path.name == name
