"""Loss: publishers are asked again, viewers are answered, nothing is encrypted twice."""

from __future__ import annotations

import struct
import time

from server.media.relay.tables import EventKind
from tests.unit.media.relay.loopback import (
    VIEWER_OPUS,
    Camera,
    Far,
    Wire,
    audio_down,
    audio_up,
    build_nack,
    build_rtp,
    nacked,
    number_of,
    video_down,
    video_up,
)


def road(wire: Wire, **changes: object) -> tuple[Camera, Far, int, int]:
    sender, viewer = wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    down = wire.relay.add_down(viewer.handle, video_down(**changes))
    wire.relay.point(down, up)
    return Camera(sender), viewer, up, down


def asked(far: Far) -> list[int]:
    return [number for report in far.received()[1] for number in nacked(report)]


def test_a_lost_packet_is_asked_again_and_its_rtx_forwarded_in_place(wire: Wire) -> None:
    camera, viewer, up, _ = road(wire)
    camera.send(3, key=True)
    lost = camera.timestamp
    camera.packet()
    camera.send(3)
    wire.run()
    wire.tick()
    assert asked(camera.far) == [103]
    camera.resend(103, rtx_sequence=9, timestamp=lost)
    wire.run()
    packets = viewer.packets()
    assert [number_of(p) for p in packets] == [100, 101, 102, 104, 105, 106, 103]
    base = packets[0].sequence
    assert [(p.sequence - base) & 0xFFFF for p in packets] == [0, 1, 2, 4, 5, 6, 3]
    assert packets[-1].payload_type == 96
    figures = wire.relay.layer_figures(up)
    assert (figures.lost, figures.recovered) == (0, 1)


def test_a_gap_is_pressing_until_it_is_closed(wire: Wire) -> None:
    camera, _, _, _ = road(wire)
    camera.send(1, key=True)
    wire.run()
    assert not wire.relay.pressing()
    lost = camera.timestamp
    camera.packet()
    camera.send(1)
    wire.run()
    assert wire.relay.pressing()
    camera.resend(101, rtx_sequence=9, timestamp=lost)
    wire.run()
    wire.tick()
    assert not wire.relay.pressing()


def test_what_came_is_not_taken_a_second_time_by_rtx(wire: Wire) -> None:
    camera, viewer, _, _ = road(wire)
    camera.send(3, key=True)
    camera.resend(101, rtx_sequence=9, timestamp=0)
    wire.run()
    assert len(viewer.packets()) == 3
    assert wire.relay.totals()["dropped_duplicate"] == 1


def test_rtx_padding_is_dropped(wire: Wire) -> None:
    camera, viewer, up, _ = road(wire)
    camera.send(1, key=True)
    camera.far.send_rtp(build_rtp(5, 0, b"", ssrc=2222, payload_type=103, padding=255))
    wire.run()
    assert len(viewer.packets()) == 1
    assert wire.relay.layer_figures(up).packets == 1


def test_a_publisher_is_asked_once_a_round_trip_and_not_for_ever(wire: Wire) -> None:
    camera, _, up, _ = road(wire)
    wire.relay.set_round_trip(camera.far.handle, 40_000)
    camera.send(2, key=True)
    camera.packet()
    camera.send(1)
    wire.run()
    wire.events.clear()
    numbers: list[int] = []
    began = time.monotonic()

    def given_up() -> bool:
        numbers.extend(asked(camera.far))
        return bool(wire.told(EventKind.KEYFRAME_WANTED))

    wire.tick_until(given_up)
    assert numbers == [102] * len(numbers)
    assert 2 <= len(numbers) <= 10
    assert time.monotonic() - began > 0.04 * (len(numbers) - 1)
    assert wire.told(EventKind.KEYFRAME_WANTED)[0].handle == up
    assert wire.relay.totals()["unrepaired"] == 1
    assert wire.relay.layer_figures(up).lost == 1


def test_a_burst_too_long_to_repair_wants_a_keyframe_instead(wire: Wire) -> None:
    camera, _, up, _ = road(wire)
    camera.send(1, key=True)
    for _ in range(600):
        camera.packet()
    camera.send(1)
    wire.run()
    wire.tick()
    assert asked(camera.far) == []
    assert (up, 0) in [(e.handle, e.value) for e in wire.told(EventKind.KEYFRAME_WANTED)][1:]


def test_a_track_without_nack_is_not_asked(wire: Wire) -> None:
    sender = wire.far()
    plain = video_up().codecs[0]._replace(nack=False)
    wire.relay.add_up(sender.handle, video_up(codecs=(plain,)))
    camera = Camera(sender)
    camera.send(1, key=True)
    camera.packet()
    camera.send(1)
    wire.run()
    wire.tick()
    assert asked(sender) == []


# -- viewers ask


def test_a_viewer_is_answered_by_rtx(wire: Wire) -> None:
    camera, viewer, _, down = road(wire)
    camera.send(5, key=True)
    wire.run()
    sent = viewer.packets()
    viewer.send_rtcp(build_nack(5000, [sent[1].sequence, sent[3].sequence]))
    wire.run()
    again = viewer.packets()
    assert {(p.ssrc, p.payload_type) for p in again} == {(5001, 97)}
    assert [p.payload for p in again] == [
        struct.pack("!H", sent[i].sequence) + sent[i].payload for i in (1, 3)
    ]
    assert [p.timestamp for p in again] == [sent[1].timestamp, sent[3].timestamp]
    assert again[1].sequence == (again[0].sequence + 1) & 0xFFFF
    assert (wire.relay.down_figures(down).resent, wire.relay.down_figures(down).nacked) == (2, 2)


def test_rtx_names_its_mid_each_time_for_some_browsers_take_it_by_that_alone(wire: Wire) -> None:
    camera, viewer, _, _ = road(wire, mid_id=9)
    camera.send(90, key=True)
    wire.run()
    sent = viewer.packets()
    viewer.send_rtcp(build_nack(5000, [packet.sequence for packet in sent[70:74]]))
    wire.run()
    wire.relay.probe(viewer.handle, 500_000, 100)
    again = viewer.packets()
    wire.tick_until(lambda: not wire.relay.pressing())
    again += viewer.packets()
    assert {(packet.ssrc, packet.extensions.get(9)) for packet in again} == {(5001, b"stage")}
    assert any(packet.padding for packet in again), "a probe's, too"
    assert len(again) > 4


def test_not_twice_within_a_round_trip(wire: Wire) -> None:
    camera, viewer, _, _ = road(wire)
    wire.relay.set_round_trip(viewer.handle, 100_000)
    camera.send(3, key=True)
    wire.run()
    number = viewer.packets()[1].sequence
    began = time.monotonic()
    for _ in range(5):
        viewer.send_rtcp(build_nack(5000, [number]))
    wire.run()
    assert len(viewer.packets()) == 1
    wire.tick_until(lambda: time.monotonic() - began > 0.15)
    viewer.send_rtcp(build_nack(5000, [number]))
    wire.run()
    (again,) = viewer.packets()
    assert again.ssrc == 5001


def test_numbers_are_mapped_back_through_padding_and_loss(wire: Wire) -> None:
    camera, viewer, _, _ = road(wire)
    for index in range(12):
        camera.send(2, key=index == 0)
        camera.send_padding()
        if index == 5:
            camera.packet()
    wire.run()
    sent = viewer.packets()
    viewer.send_rtcp(build_nack(5000, [p.sequence for p in sent]))
    wire.run()
    again = {struct.unpack("!H", p.payload[:2])[0]: p.payload[2:] for p in viewer.packets()}
    assert again == {p.sequence: p.payload for p in sent}


def test_what_was_never_sent_or_is_gone_is_not_answered(wire: Wire) -> None:
    sender, viewer = wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, video_up(ring_bytes=(16 << 10,)))
    wire.relay.point(wire.relay.add_down(viewer.handle, video_down()), up)
    for sequence in range(40):
        payload = (b"\x65" if sequence == 0 else b"\x41") + bytes(999)
        sender.send_rtp(build_rtp(sequence, sequence * 3000, payload, ssrc=1111, payload_type=102))
    wire.run()
    sent = viewer.packets()
    viewer.send_rtcp(build_nack(5000, [sent[0].sequence, sent[-1].sequence + 1, sent[-1].sequence + 30_000]))
    viewer.send_rtcp(build_nack(4999, [sent[-1].sequence]))
    wire.run()
    assert viewer.packets() == []
    assert wire.relay.totals()["nacks_unanswered"] == 3


def test_a_viewer_cannot_ask_for_another_viewers_packets(wire: Wire) -> None:
    camera, viewer, up, _ = road(wire)
    other = wire.far()
    wire.relay.point(wire.relay.add_down(other.handle, video_down(8000)), up)
    camera.send(3, key=True)
    wire.run()
    number = viewer.packets()[0].sequence
    other.datagrams()
    other.send_rtcp(build_nack(5000, [number]))
    wire.run()
    assert viewer.datagrams() == other.datagrams() == []


def test_resending_is_bounded_by_what_was_sent(wire: Wire) -> None:
    camera, viewer, _, down = road(wire)
    wire.relay.set_round_trip(viewer.handle, 1000)
    camera.send(20, key=True)
    wire.run()
    numbers = [p.sequence for p in viewer.packets()]
    for _ in range(60):
        began = time.monotonic()
        viewer.send_rtcp(build_nack(5000, numbers))
        wire.run()
        wire.tick_until(lambda began=began: time.monotonic() - began > 0.001)
    assert wire.relay.down_figures(down).resent <= 520


def test_sound_without_rtx_is_resent_as_the_same_bytes(wire: Wire) -> None:
    sender, viewer = wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, audio_up())
    down = wire.relay.add_down(viewer.handle, audio_down(codecs=(VIEWER_OPUS,), transport_cc_id=2))
    wire.relay.point(down, up)
    for sequence in range(100):
        sender.send_rtp(
            build_rtp(sequence, sequence * 960, b"opus%d" % sequence, ssrc=3333, payload_type=111)
        )
    wire.run()
    sent = viewer.datagrams()
    assert len(sent) == 100
    (last,) = struct.unpack_from("!H", sent[-1], 2)
    (old,) = struct.unpack_from("!H", sent[10], 2)
    viewer.send_rtcp(build_nack(7000, [last - 1, old]))
    wire.run()
    assert viewer.datagrams() == [sent[-2]]
    assert wire.relay.totals()["protect_failed"] == 0


def test_a_line_at_rest_is_not_filled_with_what_was_lost_but_for_sound(wire: Wire) -> None:
    camera, viewer, _, _ = road(wire)
    camera.send(4, key=True)
    wire.run()
    (_, lost, *_) = viewer.packets()
    wire.relay.rest(viewer.handle, 60_000)
    viewer.send_rtcp(build_nack(5000, [lost.sequence]))
    wire.run()
    assert viewer.packets() == []
    wire.relay.rest(viewer.handle, -1)
    viewer.send_rtcp(build_nack(5000, [lost.sequence]))
    wire.run()
    assert [number_of(packet) for packet in viewer.packets()] == [number_of(lost)]


def test_sound_that_came_behind_a_picture_leaves_before_it(wire: Wire) -> None:
    camera, viewer, _, _ = road(wire)
    voice = wire.relay.add_up(camera.far.handle, audio_up())
    main = wire.relay.add_down(viewer.handle, audio_down())
    wire.relay.point(main, voice)
    camera.send(3, key=True)
    camera.far.send_rtp(build_rtp(1, 960, b"opus", ssrc=3333, payload_type=111))
    wire.run()
    assert [packet.ssrc for packet in viewer.packets()] == [7000, 5000, 5000, 5000]


def test_what_came_before_a_slot_pointed_at_nothing_is_not_sent_again(wire: Wire) -> None:
    camera, viewer, up, down = road(wire)
    camera.send(4, key=True)
    wire.run()
    (_, lost, *_) = viewer.packets()
    wire.relay.point(down, -1)
    wire.relay.point(down, up)
    camera.send(2, key=True)
    wire.run()
    (_, late) = viewer.packets()
    viewer.send_rtcp(build_nack(5000, [lost.sequence, late.sequence]))
    wire.run()
    assert [number_of(packet) for packet in viewer.packets()] == [number_of(late)]
