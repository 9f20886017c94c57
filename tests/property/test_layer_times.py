"""A viewer moved between layers: numbers without a gap, times as if it had been one stream all along.

Each layer of an example has numbers, times and picture ids of its own; what joins them are sender reports.
The frames say in their payload which they are, so that the viewer's times can be held against the capture's.
"""

from __future__ import annotations

import struct
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.media.relay.loopback import (
    Far,
    Rtp,
    Wire,
    build_nack,
    build_rtp,
    build_sr,
    video_down,
    video_up,
    wired,
)

FRAME = 3_600  # ticks of 90 kHz at 25 frames a second
NTP = 0xE000_0000 << 32
H264, VP8, VP9 = 102, 104, 106
RIDS = (b"l", b"m", b"h")


class Encoding:
    """One layer. Frame k was captured at k / 25 s, whatever the layer's own clock says."""

    def __init__(self, far: Far, number: int, codec: int, base: tuple[int, int, int]) -> None:
        self.far, self.number, self.codec = far, number, codec
        self.sequence, self.start, self.picture = base

    def frame(self, k: int, *, key: bool) -> None:
        self.picture += 1
        for part in range(2):
            self.far.send_rtp(
                build_rtp(
                    self.sequence,
                    self.start + k * FRAME,
                    self.payload(k, part, key=key),
                    ssrc=70 + self.number,
                    payload_type=self.codec,
                    marker=part == 1,
                    extensions={5: RIDS[self.number]},
                )
            )
            self.sequence += 1

    def payload(self, k: int, part: int, *, key: bool) -> bytes:
        names = struct.pack("!IB", k, self.number)
        picture = 0x8000 | self.picture & 0x7FFF
        if self.codec == VP8:
            first = 0x90 if part == 0 else 0x80
            return struct.pack("!BBHBB", first, 0xC0, picture, self.picture & 255, not key) + names
        if self.codec == VP9:
            first = 0xA0 | (0 if key else 0x40) | (0x08 if part == 0 else 0)
            return struct.pack("!BHBB", first, picture, 0, self.picture & 255) + b"." + names
        return (b"\x65" if key else b"\x41") + names

    def report(self, k: int) -> None:
        ntp = NTP + ((k << 32) // 25)
        self.far.send_rtcp(build_sr(70 + self.number, ntp, self.start + k * FRAME))


def frame_of(packet: Rtp) -> int:
    number: int = struct.unpack("!I", packet.payload[-5:-1])[0]
    return number


def layer_of(packet: Rtp) -> int:
    return packet.payload[-1]


bases = st.tuples(st.integers(0, 65_535), st.integers(0, (1 << 32) - 1), st.integers(0, 32_767))
moves = st.lists(
    st.tuples(st.integers(0, 2), st.permutations([0, 1, 2]), st.booleans()), min_size=8, max_size=40
)


@settings(max_examples=40)
@given(st.tuples(bases, bases, bases), moves, st.sampled_from([H264, VP8, VP9]))
def test_times_and_numbers_go_on_whatever_layers_a_viewer_is_moved_through(
    base: tuple[tuple[int, int, int], ...],
    moves: list[tuple[int, list[int], bool]],
    codec: int,
) -> None:
    with wired() as wire:
        packets = play(wire, base, moves, codec)
        assert {layer_of(packet) for packet in packets} <= {0, 1, 2}
        first = packets[0].sequence
        assert [p.sequence for p in packets] == [(first + i) & 0xFFFF for i in range(len(packets))]
        for before, after in pairwise(packets):
            passed = (after.timestamp - before.timestamp) & 0xFFFFFFFF
            frames = frame_of(after) - frame_of(before)
            assert passed < 1 << 31, "never back"
            # A frame of the new layer may be one whose twin was sent already: then it is one tick later.
            assert abs(passed - frames * FRAME) <= len(moves)
        if codec != H264:
            pictures = [picture_of(packet, codec) for packet in packets if packet.payload]
            for earlier, later in pairwise(pictures):
                assert (later - earlier) & 0x7FFF in (0, 1), "no picture is missed by its name"


def play(
    wire: Wire, base: tuple[tuple[int, int, int], ...], moves: list[tuple[int, list[int], bool]], codec: int
) -> list[Rtp]:
    """Each move: the layer wanted from now on, the order in which the layers come, a keyframe or not."""
    sender, viewer = wire.far(), wire.far()
    codecs = (*video_up().codecs, video_up().codecs[0]._replace(codec=5, payload_type=VP9, rtx=107))
    row = video_up(codecs=codecs, layers=RIDS, ssrcs=(), rid_id=5)
    up = wire.relay.add_up(sender.handle, row)
    slot = video_down()
    vp9 = slot.codecs[0]._replace(codec=5, payload_type=100, rtx=101)
    down = wire.relay.add_down(viewer.handle, slot._replace(codecs=(*slot.codecs, vp9)))
    layers = [Encoding(sender, number, codec, base[number]) for number in range(3)]
    wire.relay.point(down, up, 0)
    for k, (wanted, order, key) in enumerate(moves):
        wire.relay.point(down, up, wanted)
        for number in order:
            layers[number].frame(k, key=key or k == 0)
        if k == 0:
            for layer in layers:
                layer.report(k)
        wire.run()
    return viewer.packets()


def picture_of(packet: Rtp, codec: int) -> int:
    at = 2 if codec == VP8 else 1
    picture: int = struct.unpack_from("!H", packet.payload, at)[0]
    return picture & 0x7FFF


def test_what_is_asked_again_is_found_in_the_layer_it_came_from() -> None:
    with wired() as wire:
        packets = play(wire, ((10, 0, 0), (500, 7, 0), (900, 9, 0)), [(0, [0, 1, 2], True)] * 3, H264)
        sender, viewer = wire.peers
        del sender
        wire.relay.point(0, 0, 2)
        first = [packet for packet in packets if layer_of(packet) == 0][-1]
        assert wire.relay.showing(0, 0) == (0, 2)
        layer = Encoding(wire.peers[0], 2, H264, (906, 9, 0))
        layer.frame(3, key=True)
        wire.run()
        assert wire.relay.showing(0, 0) == (2, -1)
        assert {layer_of(packet) for packet in viewer.packets()} == {2}
        viewer.send_rtcp(build_nack(5000, [first.sequence]))
        wire.run()
        (again,) = viewer.packets()
        assert again.ssrc == 5001
        assert again.payload[2:] == first.payload
