"""Whatever is damaged, reordered or cut: a documented outcome, and the same one each time."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.archive.manifest import BadManifest, Manifest, decode_manifest, encode_manifest
from recorder.assemble.assembler import Assembler
from recorder.assemble.h264 import AccessUnits
from recorder.assemble.reorder import Ordered, Reorder
from recorder.assemble.samples import Sample
from recorder.contract import RecordingState
from recorder.journal import EntryKind, JournalReader, JournalWriter, encode_entry, read_entries
from recorder.playlist import Segment
from recorder.writer import TrackWriter
from tests.fakes.numbered_rtp import Made, assert_contiguous, cut, pictures, sounds
from tests.fakes.recorded_lesson import camera_sender, in_order, span_of, voice_sender

few = settings(max_examples=40)
payloads = st.lists(st.binary(max_size=60), max_size=12)


def entries_of(data: bytes) -> list[bytes]:
    return [entry.payload for entry, _ in read_entries(data)]


@given(payloads, st.integers(0, 2000))
def test_a_journal_cut_anywhere_reads_back_a_prefix(written: list[bytes], length: int) -> None:
    data = b"".join(encode_entry(EntryKind.SPAN, k, p) + p for k, p in enumerate(written))
    read = entries_of(data[:length])
    assert read == written[: len(read)]
    assert entries_of(data) == written


@given(payloads, st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 255)), min_size=1, max_size=4))
def test_a_corrupted_journal_gives_back_only_what_was_written_in_order(
    written: list[bytes], flips: list[tuple[int, int]]
) -> None:
    entries = [encode_entry(EntryKind.SPAN, k, p) + p for k, p in enumerate(written)]
    data = bytearray(b"".join(entries))
    for at, flip in flips:
        if data:
            data[at % len(data)] ^= flip
    read = [(entry.position, entry.payload) for entry, _ in read_entries(bytes(data))]
    assert [position for position, _ in read] == sorted({position for position, _ in read})
    assert all(written[position] == payload for position, payload in read)


@few
@given(payloads, st.integers(30, 200), st.integers(30, 400), st.integers(0, 5000))
def test_a_reader_that_follows_sees_each_entry_once(
    written: list[bytes], file_bytes: int, most: int, seed: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        writer, reader, read = JournalWriter(Path(folder), file_bytes), JournalReader(Path(folder)), []
        for k, payload in enumerate(written):
            writer.append(EntryKind.SPAN, k, payload)
            if (seed >> k) & 1:
                read += [entry.payload for entry in reader.read(writer.place, most)]
        while more := reader.read(writer.place, most):
            read += [entry.payload for entry in more]
        writer.close()
    assert read == written
    assert reader.damaged == 0


@given(st.binary(max_size=300))
def test_any_bytes_are_a_journal_a_span_and_a_manifest_or_a_documented_error(data: bytes) -> None:
    list(read_entries(data))
    assembler = Assembler()
    assembler.feed(data)
    assembler.finish()
    assert manifest_or_code(data) in ("damaged", "newer_version", "")


@given(st.integers(0, 400), st.integers(1, 255))
def test_a_manifest_with_a_wrong_byte_reads_or_is_refused(at: int, flip: int) -> None:
    data = bytearray(encode_manifest(Manifest("L1", "课", "2026-01-01T00:00:00Z", RecordingState.READY)))
    data[at % len(data)] ^= flip
    assert manifest_or_code(bytes(data)) in ("damaged", "newer_version", "")


def manifest_or_code(data: bytes) -> str:
    """The code it is refused with; "" for a manifest."""
    try:
        decode_manifest(data)
    except BadManifest as error:
        return error.code
    return ""


@given(st.lists(st.binary(max_size=40), max_size=20), st.lists(st.booleans(), min_size=20, max_size=20))
def test_any_payloads_are_depacketized_without_an_error(units: list[bytes], ends: list[bool]) -> None:
    access = AccessUnits()
    for k, payload in enumerate(units):
        unit = access.push(Ordered(0, k, k // 3, ends[k], payload, 0.0))
        assert unit is None or (unit.data and unit.config)


@given(st.integers(0, 65_535), st.permutations(range(40)), st.sets(st.integers(0, 39)))
def test_packets_come_out_in_order_each_once_whatever_order_they_came_in(
    first: int, order: list[int], lost: set[int]
) -> None:
    reorder, out = Reorder(), []
    for step, number in enumerate(order):
        if number not in lost:
            reorder.push((first + number) & 0xFFFF, number, True, b"", step / 1000)
    out = [packet.timestamp & 0xFFFF for packet in reorder.pull(99.0)]
    assert out == sorted(set(range(40)) - lost)


BASE = in_order(pictures(camera_sender(), 6, gop=25), sounds(voice_sender(), 6))


def assembled(span: bytes, pieces: int = 1) -> Made:
    assembler = Assembler()
    assembler.opened(b"r" * 16, b"", 0)
    for piece in cut(span, pieces):
        assembler.feed(piece)
    assembler.finish()
    return Made(assembler.take(), assembler)


@few
@given(st.sets(st.integers(0, len(BASE) - 1), max_size=80), st.integers(0, 9999), st.integers(1, 400))
def test_loss_and_reordering_leave_contiguous_tracks_and_the_same_ones_however_read(
    lost: set[int], seed: int, pieces: int
) -> None:
    sent = [one for k, one in enumerate(BASE) if k not in lost]
    for k in range(seed % 7, len(sent) - 1, 7):
        sent[k], sent[k + 1] = sent[k + 1], sent[k]
    span = span_of(sent, end_s=6.2)
    made = assembled(span)
    assert_contiguous(made)
    assert assembled(span, pieces).outputs == made.outputs
    shown = [said for _, said in made.shown("voice")]
    assert shown == sorted(set(shown))


@few
@given(st.integers(1, 300), st.sampled_from([0, 1]))
def test_segments_cover_time_and_bytes_without_overlap(cuts: int, quiet: int) -> None:
    made = assembled(span_of(BASE[: cuts * 2], end_s=6.2))
    with tempfile.TemporaryDirectory() as folder:
        writer = TrackWriter(Path(folder), "voice", audio=True)
        last = 0
        for output in made.outputs:
            if output.track == "voice":
                writer.take(output)
                last = output.at
        segments: list[Segment] = writer.segments
        if not any(isinstance(o, Sample) and o.track == "voice" for o in made.outputs):
            return
        size = (Path(folder) / "voice.mp4").stat().st_size
        for before, after in itertools.pairwise(segments):
            assert before.offset + before.length == after.offset
        assert segments[-1].offset + segments[-1].length <= size
        assert abs(sum(segment.seconds for segment in segments) - last / 48_000) < 1e-6
