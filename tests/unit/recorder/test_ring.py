"""The ring is read as the contract says; an overtaken reader loses whole records and knows how much."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.assemble.records import read_records
from recorder.contract import RING_HEADER, RecordKind
from recorder.ring import BadRing, Ring, fetch_ring
from tests.fakes.ring_writer import RingWriter, TapServer


@pytest.fixture
def writer() -> Iterator[RingWriter]:
    writer = RingWriter(4096)
    yield writer
    writer.close()


def put(writer: RingWriter, numbers: range) -> None:
    for number in numbers:
        writer.write(RecordKind.RTP, 1, bytes([number % 256]) * (number % 50 + 1), number)


def arrivals(span: bytes) -> list[int]:
    return [record.arrival_ns for record in read_records(span)]


def test_records_come_back_in_order_over_many_turns(writer: RingWriter) -> None:
    ring, seen = Ring(writer.fd), []
    for start in range(0, 2000, 40):
        put(writer, range(start, start + 40))
        batch = ring.read()
        assert batch is not None
        assert batch.missed == 0
        records = list(read_records(batch.span))
        assert all(r.data == bytes([r.arrival_ns % 256]) * (r.arrival_ns % 50 + 1) for r in records)
        seen += [record.arrival_ns for record in records]
    assert seen == list(range(2000))
    assert ring.read() is None
    ring.close()


def test_an_overtaken_reader_goes_on_at_the_tail(writer: RingWriter) -> None:
    ring = Ring(writer.fd)
    put(writer, range(10))
    assert ring.read() is not None
    put(writer, range(10, 1000))
    batch = ring.read()
    assert batch is not None
    assert batch.missed > 0
    seen = arrivals(batch.span)
    assert seen == list(range(seen[0], 1000))
    assert batch.position == writer.head
    ring.close()


def test_a_reader_goes_on_where_another_stopped(writer: RingWriter) -> None:
    put(writer, range(10))
    first = Ring(writer.fd)
    batch = first.read()
    assert batch is not None
    put(writer, range(10, 20))
    second = Ring(writer.fd)
    second.resume(batch.position)
    rest = second.read()
    assert rest is not None
    assert arrivals(rest.span) == list(range(10, 20))
    first.close()
    second.close()


def test_what_is_no_ring_is_refused() -> None:
    fd = os.memfd_create("not a ring")
    with pytest.raises(BadRing):
        Ring(fd)
    os.ftruncate(fd, RING_HEADER * 2)
    with pytest.raises(BadRing):
        Ring(fd)
    os.close(fd)


def test_a_ring_whose_capacity_lies_is_refused(writer: RingWriter) -> None:
    os.pwrite(writer.fd, (1 << 40).to_bytes(8, "little"), 16)
    with pytest.raises(BadRing):
        Ring(writer.fd)


def test_a_tap_is_fetched_by_its_room(tmp_path: Path, writer: RingWriter) -> None:
    with TapServer(tmp_path / "taps", {"Lroom": writer}) as tap:
        ring = fetch_ring(str(tap.path), "Lroom")
        assert ring is not None
        assert ring.id == writer.id
        ring.close()
        assert fetch_ring(str(tap.path), "Lother") is None
    with pytest.raises(OSError, match="refused"):
        fetch_ring(str(tmp_path / "taps"), "Lroom")
