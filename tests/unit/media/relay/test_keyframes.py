"""How a keyframe is known: H.264 by its NAL units (RFC 6184), VP8, VP9 and AV1 by their first octets."""

from __future__ import annotations

import pytest

from server.media.relay.tables import CodecNumber, CodecRow
from tests.unit.media.relay.loopback import Wire, build_rtp, video_up


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        (b"\x67sps", True),
        (b"\x65idr", True),
        (b"\x41slice", False),
        (b"\x06sei", False),
        (b"\x78\x00\x03\x67ab\x00\x02\x68c", True),  # STAP-A: SPS, PPS
        (b"\x78\x00\x02\x06a\x00\x02\x65b", True),
        (b"\x78\x00\x02\x06a\x00\x02\x41b", False),
        (b"\x78\x00\xff", False),
        (b"\x7c\x85idr", True),  # FU-A: first fragment of an IDR
        (b"\x7c\x05idr", False),  # a later one
        (b"\x7c\x81slice", False),
        (b"\x7c", False),
    ],
)
def test_h264_keyframes_are_known_by_their_nal_units(wire: Wire, payload: bytes, key: bool) -> None:
    sender = wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    sender.send_rtp(build_rtp(1, 1, payload, ssrc=1111, payload_type=102))
    wire.run()
    assert wire.relay.layer_figures(up).keyframes == key


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        (b"\x10\x00key", True),
        (b"\x10\x01delta", False),
        (b"\x00\x00inner", False),
        (b"\x11\x00second partition", False),
        (b"\x90\xe0\x81\x02\x03\x04\x00key", True),
        (b"\x90\xe0\x01\x03\x04\x00key", True),
        (b"\x90\xe0\x81\x02\x03\x04\x01delta", False),
        (b"\x90", False),
        (b"\x90\x80", False),
        (b"\x10", False),
    ],
)
def test_vp8_keyframes_are_known_by_their_first_octets(wire: Wire, payload: bytes, key: bool) -> None:
    sender = wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    sender.send_rtp(build_rtp(1, 1, payload, ssrc=1111, payload_type=104))
    wire.run()
    assert wire.relay.layer_figures(up).keyframes == key


OTHERS = (*video_up().codecs, CodecRow(CodecNumber.VP9, 106), CodecRow(CodecNumber.AV1, 108))


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        (b"\x8a\x81\x02ss..key", True),  # I, B, V: a picture id and a scalability structure
        (b"\x88\x05key", True),
        (b"\xc8\x81\x02delta", False),
        (b"\x80\x81\x02key goes on", False),  # not its first packet
        (b"\xa8\x81\x02\x00\x07key", True),  # layer indices: spatial layer 0, TL0PICIDX
        (b"\xa8\x81\x02\x02\x07upper", False),  # spatial layer 1 of the same picture
        (b"\xb8\x81\x02\x02upper", False),  # the same in flexible mode
        (b"\x88", False),
        (b"\xa8\x81", False),
    ],
)
def test_vp9_keyframes_are_known_by_their_descriptor(wire: Wire, payload: bytes, key: bool) -> None:
    sender = wire.far()
    up = wire.relay.add_up(sender.handle, video_up(codecs=OTHERS))
    sender.send_rtp(build_rtp(1, 1, payload, ssrc=1111, payload_type=106))
    wire.run()
    assert wire.relay.layer_figures(up).keyframes == key


@pytest.mark.parametrize(
    ("payload", "key"),
    [(b"\x18sequence", True), (b"\x10delta", False), (b"\x98goes on", False), (b"\x00x", False)],
)
def test_av1_keyframes_are_known_by_their_aggregation_header(wire: Wire, payload: bytes, key: bool) -> None:
    sender = wire.far()
    up = wire.relay.add_up(sender.handle, video_up(codecs=OTHERS))
    sender.send_rtp(build_rtp(1, 1, payload, ssrc=1111, payload_type=108))
    wire.run()
    assert wire.relay.layer_figures(up).keyframes == key


def test_one_keyframe_of_many_packets_counts_once(wire: Wire) -> None:
    sender = wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    for sequence, payload in enumerate([b"\x67s", b"\x68p", b"\x65i", b"\x65i"]):
        sender.send_rtp(build_rtp(sequence, 5, payload, ssrc=1111, payload_type=102))
    wire.run()
    figures = wire.relay.layer_figures(up)
    assert (figures.keyframes, figures.gop_packets, figures.gop_complete) == (1, 4, True)
