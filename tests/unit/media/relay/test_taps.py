"""What the recorder reads: whole records in a ring, plain RTP, nothing of the road left in it."""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from recorder.contract import RECORD_HEADER, RING_HEADER, RING_MAGIC, RecordKind
from server.media.relay.tables import EventKind, Join
from tests.unit.media.relay.loopback import (
    Camera,
    Wire,
    audio_up,
    build_rtp,
    build_sr,
    number_of,
    parse_rtp,
    video_up,
)
from tests.unit.media.relay.test_red import opus, red


@dataclass(frozen=True)
class Record:
    kind: RecordKind
    flags: int
    track: int
    arrival_ns: int
    data: bytes


class Ring:
    """A reader of the ring, by the contract's words."""

    def __init__(self, size: int) -> None:
        self.file = os.memfd_create("tap")
        os.ftruncate(self.file, size)
        self.map = mmap.mmap(self.file, size)
        self.position = 0

    def word(self, offset: int) -> int:
        value: int = struct.unpack_from("<Q", self.map, offset)[0]
        return value

    def read(self) -> list[Record]:
        found = []
        head, capacity = self.word(24), self.word(16)
        self.position = max(self.position, self.word(32))
        while self.position < head:
            at = RING_HEADER + self.position % capacity
            length, kind = struct.unpack_from("<IB", self.map, at)
            assert length >= 8
            if kind != RecordKind.PAD:
                _, _, flags, track, arrival = struct.unpack_from("<IBBHQ", self.map, at)
                data = bytes(self.map[at + RECORD_HEADER : at + length])
                found.append(Record(RecordKind(kind), flags, track, arrival, data))
            self.position += (length + 7) // 8 * 8
        assert self.position == head
        return found

    def close(self) -> None:
        self.map.close()
        os.close(self.file)


@pytest.fixture
def ring() -> Iterator[Ring]:
    made = Ring(RING_HEADER + (1 << 20))
    yield made
    made.close()


def tapped(wire: Wire, ring: Ring) -> tuple[Camera, int, int]:
    sender = wire.far()
    tap = wire.relay.add_tap(ring.file, len(ring.map))
    up = wire.relay.add_up(sender.handle, video_up())
    assert wire.relay.point(wire.relay.add_tap_down(tap, 7, True), up)
    return Camera(sender), tap, up


def test_the_ring_begins_with_its_header(wire: Wire, ring: Ring) -> None:
    wire.relay.add_tap(ring.file, len(ring.map))
    assert ring.map[:8] == RING_MAGIC
    assert struct.unpack_from("<I", ring.map, 8) == (1,)
    assert (ring.word(16), ring.word(24), ring.word(32), ring.word(72)) == (1 << 20, 0, 0, 0)
    assert any(ring.map[40:56])
    assert abs(ring.word(56) - time.time_ns()) < 5e9
    assert abs(ring.word(64) - time.monotonic_ns()) < 5e9


def test_packets_are_written_plain_with_their_publishers_numbers(wire: Wire, ring: Ring) -> None:
    camera, _, _ = tapped(wire, ring)
    before = time.monotonic_ns()
    camera.send(1)
    camera.send(3, key=True, extensions={3: b"\0\1", 4: b"v"}, padding=20)
    wire.run()
    records = ring.read()
    assert {(r.kind, r.flags, r.track) for r in records} == {(RecordKind.RTP, 0, 7)}
    assert all(before <= r.arrival_ns <= time.monotonic_ns() for r in records)
    packets = [parse_rtp(r.data) for r in records]
    assert [p.sequence for p in packets] == [number_of(p) for p in packets] == [101, 102, 103]
    assert {(p.ssrc, p.payload_type, p.marker, p.padding) for p in packets} == {(1111, 96, True, 0)}
    assert all(p.extensions == {} for p in packets)
    assert [p.timestamp for p in packets] == [12_000, 15_000, 18_000]
    assert ring.word(72) == 3


def test_sound_is_written_as_opus_whatever_came(wire: Wire, ring: Ring) -> None:
    sender = wire.far()
    tap = wire.relay.add_tap(ring.file, len(ring.map))
    up = wire.relay.add_up(sender.handle, audio_up())
    wire.relay.point(wire.relay.add_tap_down(tap, 2, False), up)
    for number in (20, 21, 23):
        sender.send_rtp(build_rtp(number, number * 960, red(number), ssrc=3333, payload_type=63))
    sender.send_rtp(build_rtp(24, 24 * 960, opus(24), ssrc=3333, payload_type=111))
    wire.run()
    records = ring.read()
    packets = [parse_rtp(r.data) for r in records]
    assert [(p.sequence, p.payload_type, p.payload) for p in packets] == [
        (number, 111, opus(number)) for number in range(20, 25)
    ]
    assert [r.flags for r in records] == [0, 0, 1, 0, 0]  # 22 was restored


def test_padding_leaves_no_hole_in_a_recording_however_it_comes(wire: Wire, ring: Ring) -> None:
    camera, _, _ = tapped(wire, ring)
    camera.send(1, key=True)
    camera.send_padding()  # in its turn: the next packet takes its number
    late = build_rtp(camera.sequence, camera.timestamp, b"", ssrc=1111, payload_type=102, padding=9)
    camera.sequence += 1
    camera.send(1)
    camera.far.send_rtp(late)
    wire.run()
    packets = sorted((parse_rtp(r.data) for r in ring.read()), key=lambda p: p.sequence)
    assert [(p.sequence, len(p.payload)) for p in packets] == [(100, 5), (101, 0), (102, 5)]


def test_repaired_packets_are_flagged(wire: Wire, ring: Ring) -> None:
    camera, _, _ = tapped(wire, ring)
    camera.send(2, key=True)
    camera.packet()
    camera.send(1)
    camera.resend(102, rtx_sequence=4, timestamp=15_000)
    wire.run()
    assert [(parse_rtp(r.data).sequence, r.flags) for r in ring.read()] == [
        (100, 0),
        (101, 0),
        (103, 0),
        (102, 1),
    ]


def test_sender_reports_are_written_as_they_came(wire: Wire, ring: Ring) -> None:
    camera, _, _ = tapped(wire, ring)
    camera.send(1, key=True)
    camera.far.send_rtcp(build_sr(1111, 0x1122334455667788, 4711))
    wire.run()
    report = ring.read()[-1]
    assert (report.kind, report.track) == (RecordKind.SENDER_REPORT, 7)
    assert report.data == struct.pack("!IQI", 1111, 0x1122334455667788, 4711)


def test_a_tap_that_joins_late_is_told_the_last_report(wire: Wire, ring: Ring) -> None:
    sender = wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    camera = Camera(sender)
    camera.send(3, key=True)
    sender.send_rtcp(build_sr(1111, 99, 4711))
    wire.run()
    tap = wire.relay.add_tap(ring.file, len(ring.map))
    down = wire.relay.add_tap_down(tap, 1, True)
    wire.relay.point(down, up, 0, Join.RING)
    wire.tick_until(lambda: bool(wire.told(EventKind.SLOT_STARTED)))
    assert [r.kind for r in ring.read()] == [RecordKind.SENDER_REPORT] + [RecordKind.RTP] * 3
    assert wire.told(EventKind.SLOT_STARTED)[0].handle == down


def test_python_writes_notes_between_the_packets(wire: Wire, ring: Ring) -> None:
    camera, tap, _ = tapped(wire, ring)
    wire.relay.tap_write(tap, RecordKind.TRACK, 7, b"note")
    camera.send(1, key=True)
    wire.run()
    wire.relay.tap_write(tap, RecordKind.END, 0, b"")
    assert [(r.kind, r.track) for r in ring.read()] == [
        (RecordKind.TRACK, 7),
        (RecordKind.RTP, 7),
        (RecordKind.END, 0),
    ]
    with pytest.raises(ValueError, match="too long"):
        wire.relay.tap_write(tap, RecordKind.TRACK, 7, bytes(1 << 20))


def test_the_ring_turns_many_times_and_is_always_whole(wire: Wire) -> None:
    ring = Ring(RING_HEADER + (64 << 10) + 8)
    camera, tap, _ = tapped(wire, ring)
    camera.send(1, key=True)
    wire.run()
    count = 0
    for turn in range(3000):
        wire.relay.tap_write(tap, RecordKind.TRACK, turn % 9 + 1, bytes([turn % 256]) * (turn * 37 % 1300))
        if turn % 7 == 0:
            records = ring.read()
            count += len(records)
            for record in records:
                assert record.kind is RecordKind.RTP or len(set(record.data)) <= 1
    assert count + len(ring.read()) == 3001
    assert ring.word(24) - ring.word(32) <= ring.word(16)
    ring.close()


def test_a_reader_that_was_away_goes_on_at_the_tail(wire: Wire) -> None:
    ring = Ring(RING_HEADER + (64 << 10))
    _, tap, _ = tapped(wire, ring)
    for turn in range(1000):
        wire.relay.tap_write(tap, RecordKind.TRACK, 1, struct.pack("!I", turn) + bytes(300))
    numbers = [struct.unpack_from("!I", r.data)[0] for r in ring.read()]
    assert numbers == list(range(numbers[0], 1000))
    assert len(numbers) > 150
    ring.close()


def test_removing_a_tap_removes_its_slots(wire: Wire, ring: Ring) -> None:
    camera, tap, _ = tapped(wire, ring)
    camera.send(1, key=True)
    wire.run()
    wire.relay.remove_tap(tap)
    camera.send(1)
    wire.run()
    assert len(ring.read()) == 1
    with pytest.raises(KeyError):
        wire.relay.tap_write(tap, 3, 1, b"")
