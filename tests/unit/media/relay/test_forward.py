"""A packet to a viewer: its header is the slot's own, its numbers only rise, its times go on."""

from __future__ import annotations

import socket
import struct
import time
from itertools import pairwise
from typing import Any

import pytest

from server.media.relay.tables import CodecNumber, EventKind
from tests.unit.media.relay.loopback import (
    VIEWER_OPUS,
    Camera,
    Far,
    Rtp,
    Wire,
    audio_down,
    audio_up,
    build_rtp,
    number_of,
    video_down,
    video_up,
)


def assert_continuous(packets: list[Rtp]) -> None:
    """Without a gap, a repeat or a step back."""
    first = packets[0].sequence
    assert [p.sequence for p in packets] == [(first + i) & 0xFFFF for i in range(len(packets))]


def assert_times_rise(packets: list[Rtp]) -> None:
    for before, after in pairwise(packets):
        assert 0 < (after.timestamp - before.timestamp) & 0xFFFFFFFF < 1 << 31


def road(wire: Wire, **slot: Any) -> tuple[Camera, Far, int, int]:
    """A camera, a viewer, the up track and the slot that shows it."""
    sender, viewer = wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    down = wire.relay.add_down(viewer.handle, video_down(**slot))
    assert wire.relay.point(down, up)
    return Camera(sender), viewer, up, down


def test_the_header_is_the_slots_own(wire: Wire) -> None:
    camera, viewer, _, down = road(wire, mid_id=9, abs_send_time_id=2, transport_cc_id=5)
    camera.send(3, key=True, extensions={3: b"\0\1", 7: b"secret"})
    camera.send(1, marker=False)
    wire.run()
    packets = viewer.packets()
    assert {(p.ssrc, p.payload_type) for p in packets} == {(5000, 96)}
    assert [p.marker for p in packets] == [True, True, True, False]
    assert [number_of(p) for p in packets] == [100, 101, 102, 103]
    assert packets[0].payload[:1] == b"\x65"
    assert_continuous(packets)
    assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(packets)} == {3000}
    for index, packet in enumerate(packets):
        assert set(packet.extensions) == {9, 2, 5}
        assert packet.extensions[9] == b"stage"
        assert int.from_bytes(packet.extensions[5], "big") == index + 1
    figures = wire.relay.down_figures(down)
    assert (figures.packets, figures.octets, figures.sequence & 0xFFFF) == (4, 20, packets[-1].sequence)


def test_abs_send_time_is_our_clock(wire: Wire) -> None:
    camera, viewer, _, _ = road(wire, abs_send_time_id=2)
    before = time.monotonic()
    camera.send(key=True)
    wire.run()
    (packet,) = viewer.packets()
    sent = int.from_bytes(packet.extensions[2], "big") / (1 << 18)
    assert (sent - before) % 64 < 1


def test_transport_wide_numbers_run_over_all_slots_of_a_viewer(wire: Wire) -> None:
    camera, viewer, up, _ = road(wire, transport_cc_id=5)
    second = wire.relay.add_down(viewer.handle, video_down(6000, transport_cc_id=5))
    wire.relay.point(second, up)
    camera.send(2, key=True)
    wire.run()
    assert sorted(int.from_bytes(p.extensions[5], "big") for p in viewer.packets()) == [1, 2, 3, 4]


def test_video_begins_at_a_keyframe_and_is_told_once(wire: Wire) -> None:
    camera, viewer, up, down = road(wire)
    assert [(e.handle, e.value) for e in wire.tick() if e.kind is EventKind.KEYFRAME_WANTED] == [(up, 0)]
    camera.send(3)
    wire.run()
    assert viewer.packets() == []
    camera.send(3, key=True)
    wire.run()
    assert [number_of(p) for p in viewer.packets()] == [103, 104, 105]
    assert [e.handle for e in wire.told(EventKind.SLOT_STARTED)] == [down]
    assert [(e.handle, e.value) for e in wire.told(EventKind.UP_LIVE)] == [(up, CodecNumber.H264)]
    assert len(wire.told(EventKind.KEYFRAME_SEEN)) == 1


def test_padding_only_packets_leave_no_gap(wire: Wire) -> None:
    camera, viewer, up, _ = road(wire)
    camera.send(2, key=True)
    camera.send_padding()
    camera.send_padding()
    camera.send(2)
    camera.send_padding()
    camera.send(1)
    wire.run()
    packets = viewer.packets()
    assert [number_of(p) for p in packets] == [100, 101, 104, 105, 107]
    assert_continuous(packets)
    assert wire.relay.layer_figures(up).lost == 0
    assert wire.relay.totals()["dropped_padding"] == 3


def test_padding_that_comes_late_closes_the_number_left_open_for_it(wire: Wire) -> None:
    camera, viewer, _, _ = road(wire)
    camera.send(1, key=True)
    late = build_rtp(camera.sequence, camera.timestamp, b"", ssrc=1111, payload_type=102, padding=9)
    camera.sequence += 1
    camera.send(1)
    camera.far.send_rtp(late)
    wire.run()
    packets = viewer.packets()
    assert_continuous(sorted(packets, key=lambda p: p.sequence))
    assert [len(p.payload) for p in packets] == [5, 5, 0]


def test_padding_behind_a_payload_is_not_forwarded(wire: Wire) -> None:
    camera, viewer, _, _ = road(wire)
    camera.send(1, key=True, padding=40)
    wire.run()
    (packet,) = viewer.packets()
    assert (packet.padding, len(packet.payload)) == (0, 5)


def test_the_packets_of_a_frame_are_made_equally_long(wire: Wire) -> None:
    camera, viewer, _, _ = road(wire)
    camera.send(1, key=True)
    wire.run()
    sizes = [900, 900, 901, 903, 950, 200]
    for index, size in enumerate(sizes):
        payload = b"\x41" + bytes(size - 1)
        packet = build_rtp(camera.sequence + index, 77, payload, ssrc=1111, payload_type=102)
        camera.far.send_rtp(packet)
    wire.run()
    packets = viewer.packets()
    assert [len(p.payload) for p in packets] == [5, *sizes]
    assert [p.padding for p in packets] == [0, 3, 3, 2, 0, 0, 0]
    assert_continuous(packets)


def test_reordered_packets_keep_their_places(wire: Wire) -> None:
    camera, viewer, up, _ = road(wire)
    built = [camera.packet(key=i == 0) for i in range(6)]
    for index in (0, 2, 1, 5, 3, 4):
        camera.far.send_rtp(built[index])
    wire.run()
    packets = viewer.packets()
    assert [number_of(p) for p in packets] == [100, 102, 101, 105, 103, 104]
    assert_continuous(sorted(packets, key=number_of))
    assert wire.relay.layer_figures(up).lost == 0


def test_numbers_rise_over_the_wrap_of_both_sides(wire: Wire) -> None:
    sender, viewer = wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    wire.relay.point(wire.relay.add_down(viewer.handle, video_down()), up)
    camera = Camera(sender, sequence=65_500, timestamp=0xFFFFFF00)
    packets = []
    for _ in range(60):
        camera.send(100, key=True)
        camera.sequence += 3900  # a long loss
        wire.run()
        packets += viewer.packets()
    assert len(packets) == 6000
    steps = {(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(packets)}
    assert steps == {1, 3901}
    assert_times_rise(packets)
    assert wire.relay.layer_figures(up).lost == 59 * 3900


def test_a_hole_too_long_for_srtp_is_closed(wire: Wire) -> None:
    camera, viewer, _, _ = road(wire)
    camera.send(2, key=True)
    camera.sequence += 20_000
    camera.send(2)
    wire.run()
    assert_continuous(viewer.packets())


def test_a_repointed_slot_goes_on_under_its_numbers_and_times(wire: Wire) -> None:
    camera, viewer, _, down = road(wire)
    other = wire.far()
    second = wire.relay.add_up(other.handle, video_up())
    board = Camera(other, sequence=60_000, timestamp=77)
    camera.send(3, key=True)
    board.send(3)
    wire.run()
    assert wire.relay.point(down, second)
    camera.send(2)  # until the other one has a keyframe the old picture goes on
    wire.run()
    board.send(2, key=True)
    camera.send(2)
    wire.run()
    packets = viewer.packets()
    assert [number_of(p) for p in packets] == [100, 101, 102, 103, 104, 60_003, 60_004]
    assert_continuous(packets)
    assert_times_rise(packets)
    assert packets[5].timestamp - packets[4].timestamp >= 3000  # one frame at least
    assert {p.ssrc for p in packets} == {5000}
    assert len(wire.told(EventKind.SLOT_STARTED)) == 2


def test_times_continue_by_what_passed_since_the_last_packet(wire: Wire) -> None:
    camera, viewer, up, down = road(wire)
    camera.send(1, key=True)
    wire.run()
    began = time.monotonic()
    wire.relay.point(down, -1)
    wire.tick_until(lambda: time.monotonic() - began > 0.25)
    wire.relay.point(down, up)
    camera.send(1, key=True)
    wire.run()
    passed = time.monotonic() - began
    first, second = viewer.packets()
    elapsed = ((second.timestamp - first.timestamp) & 0xFFFFFFFF) / 90_000
    assert 0.24 < elapsed < passed + 0.05


def test_a_slot_that_points_at_nothing_is_sent_nothing(wire: Wire) -> None:
    camera, viewer, up, down = road(wire)
    camera.send(2, key=True)
    wire.run()
    wire.relay.point(down, -1)
    camera.send(2, key=True)
    wire.run()
    assert len(viewer.packets()) == 2
    wire.relay.remove_up(up)
    with pytest.raises(KeyError):
        wire.relay.point(down, up)


def test_pointing_twice_at_the_same_changes_nothing(wire: Wire) -> None:
    camera, viewer, up, down = road(wire)
    assert wire.relay.point(down, up)
    camera.send(2, key=True)
    wire.run()
    assert wire.relay.point(down, up)
    camera.send(2)
    wire.run()
    assert [number_of(p) for p in viewer.packets()] == [100, 101, 102, 103]
    assert len(wire.told(EventKind.KEYFRAME_WANTED)) == 1


def test_a_layer_is_changed_at_its_keyframe(wire: Wire) -> None:
    sender, viewer = wire.far(), wire.far()
    row = video_up(layers=(b"l", b"h"), ssrcs=((0, 71, 0), (1, 72, 0)))
    up = wire.relay.add_up(sender.handle, row)
    down = wire.relay.add_down(viewer.handle, video_down())
    low, high = Camera(sender, ssrc=71, sequence=10), Camera(sender, ssrc=72, sequence=2000)
    wire.relay.point(down, up, 0)
    low.send(2, key=True)
    high.send(2, key=True)
    wire.run()
    wire.relay.point(down, up, 1)
    low.send()
    high.send()
    high.send(key=True)
    wire.run()
    low.send()
    wire.run()
    packets = viewer.packets()
    assert [number_of(p) for p in packets] == [10, 11, 12, 2003]
    assert_continuous(packets)


def test_a_publisher_that_begins_anew_is_followed_at_its_keyframe(wire: Wire) -> None:
    camera, viewer, up, _ = road(wire)
    camera.send(3, key=True)
    wire.run()
    began = time.monotonic()
    wire.tick_until(lambda: time.monotonic() - began > 0.6)
    again = Camera(camera.far, ssrc=1212, sequence=5)
    again.send(2, extensions={4: b"v"})
    again.send(2, key=True)
    wire.run()
    packets = viewer.packets()
    assert [number_of(p) for p in packets] == [100, 101, 102, 7, 8]
    assert_continuous(packets)
    assert_times_rise(packets)
    figures = wire.relay.layer_figures(up)
    assert (figures.ssrc, figures.lost, figures.highest_sequence) == (1212, 0, 8)


def test_vp8_picture_ids_go_on_over_a_switch(wire: Wire) -> None:
    sender, other, viewer = wire.far(), wire.far(), wire.far()
    down = wire.relay.add_down(viewer.handle, video_down())
    ups = [wire.relay.add_up(far.handle, video_up()) for far in (sender, other)]

    def send(far: Far, sequence: int, picture: int, tl0: int, *, key: bool) -> None:
        payload = struct.pack("!BBHBB", 0x90, 0xC0, 0x8000 | picture, tl0, 0 if key else 1) + b"frame"
        far.send_rtp(build_rtp(sequence, sequence * 3000, payload, ssrc=1111, payload_type=104))

    wire.relay.point(down, ups[0])
    send(sender, 1, 32_766, 254, key=True)
    send(sender, 2, 32_767, 255, key=False)
    wire.run()
    wire.relay.point(down, ups[1])
    send(other, 900, 5, 9, key=True)
    send(other, 901, 6, 10, key=False)
    wire.run()
    found = [struct.unpack_from("!HB", p.payload, 2) for p in viewer.packets()]
    assert [(picture & 0x7FFF, tl0) for picture, tl0 in found] == [
        (32_766, 254),
        (32_767, 255),
        (0, 0),
        (1, 1),
    ]


def test_a_codec_the_slot_has_not_is_dropped_and_the_rest_goes_on(wire: Wire) -> None:
    camera, viewer, _, down = road(wire, codecs=(video_down().codecs[0],))
    camera.send(1, key=True)
    camera.far.send_rtp(
        build_rtp(camera.sequence, camera.timestamp, b"\x10\x01x", ssrc=1111, payload_type=104)
    )
    wire.run()
    assert len(viewer.packets()) == 1
    assert wire.relay.down_figures(down).dropped == 1


def test_unknown_payload_types_are_dropped_and_counted(wire: Wire) -> None:
    camera, viewer, _, _ = road(wire)
    camera.send(1, key=True, payload_type=50)
    wire.run()
    assert viewer.packets() == []
    assert wire.relay.totals()["dropped_unknown_payload"] == 1


def test_a_destination_that_fails_costs_nobody_else_a_packet(wire: Wire) -> None:
    camera, viewer, up, _ = road(wire)
    unreachable = wire.far(secure=False)
    wire.relay.validate(unreachable.handle, wire.number, ("255.255.255.255", 9))  # EACCES: no broadcast
    wire.relay.secure(unreachable.handle, unreachable._opens, unreachable._seals)
    last = wire.far()
    for far in (unreachable, last):
        down = wire.relay.add_down(far.handle, video_down())
        wire.relay.point(down, up)
    camera.send(4, key=True)
    wire.run()
    assert len(viewer.packets()) == len(last.packets()) == 4
    assert wire.relay.totals()["send_failed"] == 4


def test_where_the_kernel_refuses_runs_packets_go_one_by_one(wire: Wire) -> None:
    camera, viewer, _, _ = road(wire)
    wire.door.setsockopt(socket.SOL_SOCKET, 11, 1)  # SO_NO_CHECK: UDP GSO needs checksums
    for _ in range(2):
        camera.send(8, key=True)
        wire.run()
    packets = viewer.packets()
    assert len(packets) == 16
    assert_continuous(packets)
    assert wire.relay.totals()["send_failed"] == 0


def test_levels_are_read_and_passed_on(wire: Wire) -> None:
    sender, viewer = wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, audio_up())
    down = wire.relay.add_down(viewer.handle, audio_down(audio_level_id=6, codecs=(VIEWER_OPUS,)))
    assert wire.relay.point(down, up)
    for sequence, level in enumerate([0x80 | 40, 25, 90]):
        packet = build_rtp(
            sequence, sequence * 960, b"opus", ssrc=3333, payload_type=111, extensions={1: bytes([level])}
        )
        sender.send_rtp(packet)
    wire.run()
    packets = viewer.packets()
    assert [p.extensions[6][0] for p in packets] == [0x80 | 40, 25, 90]
    assert {p.payload_type for p in packets} == {120}
    assert wire.relay.layer_figures(up).level_dbov == -25
    assert wire.relay.layer_figures(up).level_dbov == -127  # loudest since last asked


def test_jitter_and_loss_are_counted(wire: Wire) -> None:
    camera, _, up, _ = road(wire)
    camera.send(5, key=True)
    camera.packet()
    camera.packet()
    camera.send(5)
    wire.run()
    figures = wire.relay.layer_figures(up)
    assert (figures.packets, figures.lost, figures.highest_sequence) == (10, 2, 111)
    assert figures.jitter > 0  # sent at once, with times of 30 pictures a second
