"""The journal gives back what was written, as far as it is whole, and follows its writer."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from recorder.journal import (
    Entry,
    EntryKind,
    JournalReader,
    JournalWriter,
    Missed,
    Opened,
    Place,
    decode_payload,
    last_position,
)


def write(folder: Path, payloads: list[bytes], file_bytes: int = 1000) -> JournalWriter:
    writer = JournalWriter(folder, file_bytes)
    for number, payload in enumerate(payloads):
        writer.append(EntryKind.SPAN, number, payload)
    return writer


def read_all(reader: JournalReader, place: Place | None = None, most: int = 4 << 20) -> list[Entry]:
    entries: list[Entry] = []
    while more := reader.read(place, most):
        entries += more
    return entries


def test_what_was_written_comes_back_over_several_files(tmp_path: Path) -> None:
    payloads = [bytes([number]) * 300 for number in range(20)]
    writer = write(tmp_path, payloads)
    assert len(list(tmp_path.iterdir())) > 5
    assert all(path.stat().st_size <= 1000 + 24 * 4 for path in tmp_path.iterdir())
    assert [entry.payload for entry in read_all(JournalReader(tmp_path), writer.place)] == payloads
    assert [entry.payload for entry in read_all(JournalReader(tmp_path), most=100)] == payloads
    writer.close()


def test_a_reader_sees_only_what_the_writer_has_finished(tmp_path: Path) -> None:
    writer = write(tmp_path, [b"first"])
    reader = JournalReader(tmp_path)
    assert [entry.payload for entry in reader.read(writer.place)] == [b"first"]
    assert reader.read(writer.place) == []
    writer.append(EntryKind.SPAN, 1, b"second")
    assert [entry.payload for entry in reader.read(writer.place)] == [b"second"]
    writer.close()


def test_a_new_writer_goes_on_in_a_new_file(tmp_path: Path) -> None:
    write(tmp_path, [b"before"]).close()
    first = tmp_path / "000001.lkj"
    first.write_bytes(first.read_bytes() + b"LKJ1half an entry")
    writer = write(tmp_path, [b"after"])
    reader = JournalReader(tmp_path)
    assert [entry.payload for entry in read_all(reader, writer.place)] == [b"before", b"after"]
    assert reader.damaged > 0
    writer.close()


def test_a_damaged_entry_costs_itself_alone(tmp_path: Path) -> None:
    payloads = [bytes([number]) * 50 for number in range(10)]
    write(tmp_path, payloads, 1 << 20).close()
    path = tmp_path / "000001.lkj"
    data = bytearray(path.read_bytes())
    data[3 * (24 + 50) + 40] ^= 0xFF
    path.write_bytes(data)
    reader = JournalReader(tmp_path)
    assert [entry.payload for entry in read_all(reader)] == payloads[:3] + payloads[4:]
    assert reader.damaged == 74


def test_the_last_position_is_that_of_the_newest_ring(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    for ring in (b"a" * 16, b"b" * 16):
        opened = msgspec.msgpack.encode(Opened(ring=ring, boot=b"", clock_ns=0))
        writer.append(EntryKind.OPENED, 100, opened)
        writer.append(EntryKind.SPAN, 500, b"x" * 400)
    writer.append(EntryKind.MISSED, 700, msgspec.msgpack.encode(Missed(reason="overtaken", bytes=200)))
    writer.close()
    assert last_position(tmp_path) == (b"b" * 16, 700)
    assert last_position(tmp_path / "none") == (b"", 0)


def test_a_full_disk_leaves_no_half_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = write(tmp_path, [b"whole"])

    def half(fd: int, parts: tuple[bytes, bytes]) -> int:
        os.write(fd, parts[0])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("recorder.journal.os.writev", half)
        with pytest.raises(OSError, match="No space"):
            writer.append(EntryKind.SPAN, 1, b"lost")
    writer.append(EntryKind.SPAN, 2, b"next")
    assert [e.payload for e in read_all(JournalReader(tmp_path), writer.place)] == [b"whole", b"next"]
    writer.close()


def test_a_payload_that_does_not_decode_is_none() -> None:
    assert decode_payload(Entry(EntryKind.OPENED, 0, b"\xc1"), Opened) is None
