"""RTP payloads become access units that decode, packets come back in order, Opus tells its length."""

from __future__ import annotations

import struct

import pytest

from recorder.assemble.h264 import AccessUnits
from recorder.assemble.opus import SILENCE, samples_in
from recorder.assemble.pictures import AccessUnit
from recorder.assemble.records import read_packet, read_records, read_report
from recorder.assemble.reorder import HELD_AT_MOST, PATIENCE_S, STALE_RESETS, Ordered, Reorder, unwrap
from recorder.contract import RecordKind

SPS, PPS, IDR, SLICE = b"\x67\x42\xe0\x1f", b"\x68\xce\x3c", b"\x65idr picture", b"\x41picture"
START = b"\x00\x00\x00\x01"


def ordered(payload: bytes, timestamp: int = 0, marker: bool = True, missing: int = 0) -> Ordered:
    return Ordered(missing, 0, timestamp, marker, payload, 0.0)


def aggregate(*units: bytes) -> bytes:
    return b"\x78" + b"".join(struct.pack(">H", len(unit)) + unit for unit in units)


def fragments(unit: bytes, size: int) -> list[bytes]:
    pieces = [unit[at : at + size] for at in range(1, len(unit), size)]
    edges = [0x80, *[0] * (len(pieces) - 2), 0x40]
    return [
        bytes([unit[0] & 0xE0 | 28, edge | unit[0] & 0x1F]) + piece
        for edge, piece in zip(edges, pieces, strict=True)
    ]


def push_all(units: AccessUnits, payloads: list[bytes], timestamp: int = 0) -> AccessUnit | None:
    last = len(payloads) - 1
    results = [units.push(ordered(p, timestamp, marker=k == last)) for k, p in enumerate(payloads)]
    assert not any(results[:-1])
    return results[-1]


def test_single_units_aggregates_and_fragments_make_the_same_picture() -> None:
    expected = AccessUnit(0, 0.0, True, START + IDR, START + SPS + START + PPS, False)
    assert push_all(AccessUnits(), [SPS, PPS, IDR]) == expected
    assert push_all(AccessUnits(), [aggregate(SPS, PPS, IDR)]) == expected
    assert push_all(AccessUnits(), [aggregate(SPS, PPS), *fragments(IDR, 3)]) == expected
    assert push_all(AccessUnits(), [b"\x09\x10", SPS, PPS, b"\x0c\xff", IDR, b""]) == expected


def test_nothing_comes_before_the_first_keyframe() -> None:
    units = AccessUnits()
    assert push_all(units, [SLICE]) is None
    assert push_all(units, [IDR], 1) is None  # no parameter sets yet
    assert push_all(units, [SPS, PPS, IDR], 2) is not None
    assert push_all(units, [SLICE], 3) is not None


def test_after_a_loss_nothing_comes_until_the_next_keyframe() -> None:
    units = AccessUnits()
    assert push_all(units, [SPS, PPS, IDR]) is not None
    assert units.push(ordered(SLICE, 1, missing=1)) is None
    assert push_all(units, [SLICE], 2) is None
    again = push_all(units, [SPS, PPS, IDR], 3)
    assert again is not None
    assert again.lost_before
    assert units.thrown == 2


def test_a_keyframe_whose_head_is_lost_is_thrown_away() -> None:
    units = AccessUnits()
    assert push_all(units, [SPS, PPS, IDR]) is not None
    assert units.push(ordered(IDR, 1, missing=1)) is None
    assert units.push(ordered(SPS, 2, marker=False, missing=1)) is None
    assert push_all(units, [PPS, IDR], 2) is not None


def test_a_missing_marker_is_made_good_by_the_next_time_stamp() -> None:
    units = AccessUnits()
    assert units.push(ordered(aggregate(SPS, PPS, IDR), 0, marker=False)) is None
    first = units.push(ordered(SLICE, 3000, marker=False))
    assert first is not None
    assert first.timestamp == 0


@pytest.mark.parametrize(
    "payload",
    [b"\x78\x00\x09ab", b"\x78\x00\x00", b"\x7c\x05", b"\x7c\x05rest", b"\x7e\x00", b"\x00", b"\x79abc"],
)
def test_a_broken_payload_spoils_its_picture_alone(payload: bytes) -> None:
    units = AccessUnits()
    assert push_all(units, [SPS, PPS, IDR]) is not None
    assert push_all(units, [payload], 1) is None
    assert push_all(units, [SPS, PPS, IDR], 2) is not None


def test_numbers_wrap_upwards_only_as_far_as_they_are_near() -> None:
    assert unwrap(5, (1 << 32) + 65_530, 16) == (1 << 32) + 65_541
    assert unwrap(65_530, (1 << 32) + 65_541, 16) == (1 << 32) + 65_530
    assert unwrap(0, (1 << 40) + 0xFFFFFFFF, 32) == 2 * (1 << 32) + (1 << 40) - (1 << 32)


def push(reorder: Reorder, numbers: list[int], at_s: float = 0.0) -> None:
    for number in numbers:
        reorder.push(number & 0xFFFF, number * 10, True, b"x", at_s)


def pulled(reorder: Reorder, at_s: float) -> list[tuple[int, int]]:
    return [(packet.sequence & 0xFFFF, packet.missing) for packet in reorder.pull(at_s)]


def test_packets_out_of_order_come_in_order_across_the_wrap() -> None:
    reorder = Reorder()
    push(reorder, [65_534, 65_536, 65_535, 65_538, 65_537])
    assert pulled(reorder, 0.2) == [(65_534, 0), (65_535, 0), (0, 0), (1, 0), (2, 0)]
    assert reorder.lost == 0


def test_a_missing_packet_is_waited_for_and_then_given_up() -> None:
    reorder = Reorder()
    push(reorder, [1, 2])
    assert pulled(reorder, 0.2) == [(1, 0), (2, 0)]
    push(reorder, [5, 6], 1.0)
    assert pulled(reorder, 1.0 + PATIENCE_S / 2) == []
    assert pulled(reorder, 1.0 + PATIENCE_S) == [(5, 2), (6, 0)]
    push(reorder, [4], 2.1)
    assert pulled(reorder, 2.1) == []
    assert (reorder.lost, reorder.late) == (2, 1)


def test_more_than_512_packets_wait_for_one() -> None:
    reorder = Reorder()
    push(reorder, [1])
    assert pulled(reorder, 0.2) == [(1, 0)]
    push(reorder, list(range(3, 1000)), 0.3)
    assert pulled(reorder, 0.4) == []
    push(reorder, [2], 0.5)
    assert len(pulled(reorder, 0.5)) == 998
    push(reorder, list(range(1001, 1001 + HELD_AT_MOST + 1)), 0.6)
    assert pulled(reorder, 0.6)[0] == (1001, 1)


def test_a_sender_that_begins_anew_with_smaller_numbers_is_followed() -> None:
    reorder = Reorder()
    push(reorder, list(range(30_000, 30_100)))
    assert len(pulled(reorder, 0.2)) == 100
    push(reorder, list(range(100, 100 + STALE_RESETS + 50)), 1.0)
    assert len(pulled(reorder, 1.2)) == 51


def test_the_length_of_an_opus_packet_is_in_its_first_bytes() -> None:
    assert samples_in(SILENCE) == 960
    assert samples_in(b"\x80") == 120
    assert samples_in(b"\xfb\x03") == 2880
    assert samples_in(b"\x1b\x02") == 5760
    assert samples_in(b"") == samples_in(b"\xfb") == samples_in(b"\xfb\x3f") == samples_in(b"\xfb\x00") == 0


def test_rtp_is_read_with_and_without_what_the_relay_takes_off() -> None:
    bare = read_packet(bytes.fromhex("80e0 0102 03040506 0708090a") + b"payload")
    assert bare is not None
    assert (bare.payload_type, bare.marker, bare.sequence, bare.ssrc) == (96, True, 0x0102, 0x0708090A)
    assert bare.payload == b"payload"
    rest = bytes.fromhex("e0 0102 03040506 0708090a 11111111 bede0001 10000000") + b"payload\x00\x00\x03"
    full = read_packet(b"\xb1" + rest)
    assert full is not None
    assert full.payload == b"payload"
    for bad in (b"", b"\x80" * 11, b"\x00" * 12, b"\x90" + bytes(11), b"\xa0" + bytes(10) + b"\xff"):
        assert read_packet(bad) is None
    assert read_report(b"short") is None
    assert read_report(bytes(16)) is None


def test_a_span_that_does_not_add_up_ends_there() -> None:
    record = struct.pack("<IBBHQ", 20, RecordKind.RTP, 0, 1, 7) + b"data" + bytes(4)
    assert [r.data for r in read_records(record * 2)] == [b"data", b"data"]
    assert len(list(read_records(record + struct.pack("<IBBHQ", 5000, 1, 0, 1, 7)))) == 1
    assert len(list(read_records(record + bytes(64)))) == 1
    assert len(list(read_records(record + struct.pack("<IBBH", 8, 0, 0, 0) + record))) == 2
