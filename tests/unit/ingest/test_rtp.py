"""RTP of pictures and sound: cut, joined, numbered so that a decoder gets back what went in."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ingest.publisher import asks_keyframe
from server.ingest.rtp import (
    MOST_PAYLOAD,
    RtpStream,
    is_keyframe,
    nals_of,
    parameter_sets,
    with_parameter_sets,
)

SPS, PPS, IDR, SLICE = b"\x67\x42\xe0\x1f\xda", b"\x68\xce\x3c\x80", b"\x65" + b"k" * 30, b"\x41" + b"p" * 9
START = b"\0\0\0\1"


def put_together(packets: list[bytes]) -> list[bytes]:
    """What a receiver makes of them (RFC 6184, 5.6 to 5.8)."""
    units: list[bytes] = []
    for packet in packets:
        payload = packet[12:]
        kind = payload[0] & 31
        if kind == 24:
            at = 1
            while at < len(payload):
                size = struct.unpack_from("!H", payload, at)[0]
                units.append(payload[at + 2 : at + 2 + size])
                at += 2 + size
        elif kind == 28:
            if payload[1] & 0x80:
                units.append(bytes([payload[0] & 0xE0 | payload[1] & 31]))
            units[-1] += payload[2:]
        else:
            units.append(payload)
    return units


nal = st.builds(
    lambda kind, importance, body: bytes([importance << 5 | kind]) + body,
    st.sampled_from([1, 5, 6, 7, 8]),
    st.integers(0, 3),
    st.binary(min_size=1, max_size=4000),
)


@given(st.lists(nal, min_size=1, max_size=8), st.integers(0, 70_000))
def test_whatever_a_picture_is_made_of_comes_out_as_it_went_in(units: list[bytes], sequence: int) -> None:
    stream = RtpStream(7, 96, 90_000, sequence)
    packets = list(stream.access_unit(units, 123))
    assert put_together(packets) == units
    assert all(len(packet) - 12 <= MOST_PAYLOAD for packet in packets)
    assert [packet[1] >> 7 for packet in packets] == [0] * (len(packets) - 1) + [1]
    numbers = [struct.unpack_from("!H", packet, 2)[0] for packet in packets]
    assert numbers == [(sequence + step) & 0xFFFF for step in range(len(packets))]
    assert stream.packets == len(packets)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_units_with_lengths_and_in_annex_b_are_the_same_units(size: int) -> None:
    units = [SPS, PPS, IDR]
    lengths = b"".join(len(unit).to_bytes(size, "big") + unit for unit in units)
    assert nals_of(lengths, size) == units
    assert nals_of(START + b"\x09\xf0" + b"".join(START + unit for unit in units), 0) == units


def test_a_length_that_leads_beyond_the_end_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond"):
        nals_of(b"\0\0\0\x09abc", 4)


def test_parameter_sets_are_found_in_both_kinds_of_extradata() -> None:
    avcc = b"\x01\x42\xe0\x1f\xff\xe1" + struct.pack("!H", len(SPS)) + SPS + b"\x01"
    avcc += struct.pack("!H", len(PPS)) + PPS
    assert parameter_sets(avcc) == ([SPS, PPS], 4)
    assert parameter_sets(START + SPS + START + PPS) == ([SPS, PPS], 0)
    for cut in range(7, len(avcc)):
        with pytest.raises((ValueError, IndexError)):
            parameter_sets(avcc[:cut])


def test_a_keyframe_gets_its_parameter_sets_and_nothing_else_does() -> None:
    assert with_parameter_sets([IDR], [SPS, PPS]) == [SPS, PPS, IDR]
    assert with_parameter_sets([SPS, PPS, IDR], [b"old"]) == [SPS, PPS, IDR]
    assert with_parameter_sets([SLICE], [SPS, PPS]) == [SLICE]
    assert is_keyframe([SPS, IDR])
    assert not is_keyframe([SLICE])


def test_a_report_says_what_was_sent_and_ends_on_a_word() -> None:
    stream = RtpStream(7, 111, 48_000)
    stream.packet(b"abc", 960, marker=False)
    report = stream.report(0x0102030405060708, 960, b"name5")
    assert len(report) % 4 == 0
    assert report[1] == 200
    assert struct.unpack_from("!IQIII", report, 4) == (7, 0x0102030405060708, 960, 1, 3)
    assert report[29] == 202
    assert len(report) == 28 + 4 + 4 * struct.unpack_from("!H", report, 30)[0]


def test_a_worker_asks_for_a_keyframe_by_pli_or_fir_anywhere_in_a_compound() -> None:
    receiver_report = struct.pack("!BBHI", 0x80, 201, 1, 1)
    assert asks_keyframe(receiver_report + struct.pack("!BBHII", 0x81, 206, 2, 1, 7))
    assert asks_keyframe(struct.pack("!BBHIIII", 0x84, 206, 4, 1, 0, 7, 0))
    assert not asks_keyframe(receiver_report + struct.pack("!BBHII", 0x81, 205, 2, 1, 7))


@given(st.binary(max_size=64))
def test_any_rtcp_is_read_to_its_end(data: bytes) -> None:
    assert asks_keyframe(data) in (True, False)
