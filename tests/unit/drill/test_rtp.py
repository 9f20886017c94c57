"""The bench's packets are what an encoder sends, read by somebody else's parser."""

from __future__ import annotations

import itertools
import struct
from itertools import pairwise

from aiortc import rtp
from aiortc.codecs.h264 import H264PayloadDescriptor
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpReceiveParameters

from server.drill.rtp import (
    BODY,
    FrameShape,
    H264Stream,
    is_rtcp,
    read_sent,
    receiver_report,
    transport_feedback,
    transport_number,
)

SHAPE = FrameShape(packets=10, fps=25, keyframe_every=5)


def extension_ids() -> rtp.HeaderExtensionsMap:
    ids = rtp.HeaderExtensionsMap()
    uris = ("urn:ietf:params:rtp-hdrext:sdes:mid",
            "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01")  # fmt: skip
    extensions = [RTCRtpHeaderExtensionParameters(id=k, uri=uri) for k, uri in ((1, uris[0]), (3, uris[1]))]
    ids.configure(RTCRtpReceiveParameters(codecs=[], headerExtensions=extensions))
    return ids


def test_packets_parse_with_their_frames_and_mid() -> None:
    stream = H264Stream(7, 102, SHAPE, b"0", 1, 3)
    packets = [rtp.RtpPacket.parse(stream.packet(k), extension_ids()) for k in range(100)]
    assert {p.ssrc for p in packets} == {7}
    assert {p.extensions.mid for p in packets} == {"0"}
    assert all(b.sequence_number == a.sequence_number + 1 for a, b in pairwise(packets))
    assert [p.marker for p in packets] == ([0] * 9 + [1]) * 10
    assert len({p.timestamp for p in packets}) == 10
    assert packets[10].timestamp - packets[0].timestamp == 3600
    assert {len(p.payload) for p in packets[1:]} >= {BODY + 14}


def test_a_keyframe_comes_when_due_and_when_asked() -> None:
    stream = H264Stream(7, 102, SHAPE, b"0", 1)
    frames = [[rtp.RtpPacket.parse(stream.packet(0)).payload for _ in range(10)] for _ in range(4)]
    stream.keyframe_soon = True
    frames += [[rtp.RtpPacket.parse(stream.packet(0)).payload for _ in range(10)] for _ in range(3)]
    begins_with_parameter_sets = [frame[0][0] & 31 == 24 and frame[0][3] & 31 == 7 for frame in frames]
    assert begins_with_parameter_sets == [True, False, False, False, True, True, False]
    assert [frame[1][1] & 31 for frame in frames] == [5, 1, 1, 1, 5, 5, 1]
    descriptor, _ = H264PayloadDescriptor.parse(frames[0][1])
    assert descriptor.first_fragment


def test_each_packet_tells_when_it_was_sent_even_padded() -> None:
    stream = H264Stream(7, 102, SHAPE, b"0", 1)
    for k in range(12):
        packet = stream.packet(1_000_000 + k)
        assert read_sent(packet) == (k, 1_000_000 + k)
        assert read_sent(bytes([packet[0] | 0x20]) + packet[1:] + b"\0\0\x03") == (k, 1_000_000 + k)
        assert not is_rtcp(packet)


def test_a_receiver_report_is_one() -> None:
    data = receiver_report(1, 7, 123)
    assert is_rtcp(data)
    (report,) = rtp.RtcpPacket.parse(data)
    assert isinstance(report, rtp.RtcpRrPacket)
    assert (report.ssrc, report.reports[0].ssrc, report.reports[0].highest_sequence) == (1, 7, 123)


def test_layers_name_themselves_and_share_their_transport_wide_numbers() -> None:
    numbers = itertools.count(65_534)
    low, high = (
        H264Stream(7 + k, 102, SHAPE, b"0", 1, 3, layer=(rid, 5), transport=numbers)
        for k, rid in enumerate((b"l", b"h"))
    )
    packets = [stream.packet(0) for stream in (low, high, low, high)]
    assert [transport_number(packet, 3) for packet in packets] == [65_534, 65_535, 0, 1]
    assert [b"\x50l" in packet[:32] for packet in packets] == [True, False, True, False]
    assert transport_number(H264Stream(7, 102, SHAPE, b"0", 1).packet(0), 3) == -1


def test_feedback_says_when_each_packet_came() -> None:
    arrivals = [64_000_000 * 1000 + 250_000 * tick for tick in (0, 4, 4, 404)]
    data = transport_feedback(1, 5000, 9, 65_534, arrivals)
    assert len(data) == 4 * (int.from_bytes(data[2:4], "big") + 1)
    assert data[:2] == b"\x8f\xcd"
    assert struct.unpack_from("!LLHHLH4h", data, 4) == (
        1,
        5000,
        65_534,
        4,
        1000 << 8 | 9,
        2 << 13 | 4,
        0,
        4,
        0,
        400,
    )
