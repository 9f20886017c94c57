"""How a slot begins out of the ring: the whole GOP, paced, then live without a gap or a repeat."""

from __future__ import annotations

import time
from typing import Any

from server.media.relay.tables import EventKind, Join
from tests.unit.media.relay.loopback import Camera, Far, Wire, build_nack, number_of, video_down, video_up
from tests.unit.media.relay.test_forward import assert_continuous, assert_times_rise


def screen(wire: Wire, **changes: Any) -> tuple[Camera, int]:
    sender = wire.far()
    up = wire.relay.add_up(sender.handle, video_up(keep_gop=True, **changes))
    return Camera(sender), up


def slot(wire: Wire) -> tuple[Far, int]:
    viewer = wire.far()
    return viewer, wire.relay.add_down(viewer.handle, video_down())


def test_a_joiner_gets_the_whole_gop_and_then_what_comes(wire: Wire) -> None:
    camera, up = screen(wire)
    camera.send(5, key=True)
    camera.send(600, key=True)
    wire.run()
    viewer, down = slot(wire)
    began = time.monotonic()
    assert wire.relay.point(down, up, 0, Join.RING)
    packets = viewer.packets()
    assert 1 <= len(packets) <= 32  # a burst, not the whole
    live = 0

    def whole() -> bool:
        nonlocal live
        if live < 50:
            camera.send()
            live += 1
        packets.extend(viewer.packets())
        return len(packets) >= 650

    wire.tick_until(whole)
    assert time.monotonic() - began < 2.5  # 0.8 s and the machine's other work
    camera.send(3)
    wire.run()
    packets += viewer.packets()
    assert [number_of(p) for p in packets] == list(range(105, 758))
    assert_continuous(packets)
    assert_times_rise(packets)
    assert wire.told(EventKind.KEYFRAME_WANTED) == []


def test_a_ring_with_a_hole_wants_a_keyframe(wire: Wire) -> None:
    camera, up = screen(wire)
    camera.send(5, key=True)
    camera.packet()
    camera.send(5)
    wire.run()
    assert wire.relay.layer_figures(up).gop_complete is False
    viewer, down = slot(wire)
    assert wire.relay.point(down, up, 0, Join.RING)
    assert [e.handle for e in wire.tick() if e.kind is EventKind.KEYFRAME_WANTED] == [up]
    assert viewer.packets() == []
    camera.send(2, key=True)
    wire.run()
    assert [number_of(p) for p in viewer.packets()] == [111, 112]


def test_a_repaired_gop_is_whole_again(wire: Wire) -> None:
    camera, up = screen(wire)
    camera.send(3, key=True)
    camera.packet()
    camera.send(2)
    camera.resend(103, rtx_sequence=1, timestamp=0)
    camera.send_padding()
    camera.send(1)
    wire.run()
    assert wire.relay.layer_figures(up).gop_complete is True
    viewer, down = slot(wire)
    wire.relay.point(down, up, 0, Join.RING)
    wire.tick_until(lambda: wire.relay.down_figures(down).packets == 7)
    packets = viewer.packets()
    assert [number_of(p) for p in packets] == [100, 101, 102, 103, 104, 105, 107]
    assert_continuous(packets)


def test_a_gop_that_outgrew_the_ring_is_not_joined(wire: Wire) -> None:
    camera, up = screen(wire, ring_bytes=(16 << 10,))
    camera.send(1, key=True)
    wire.run()
    for _ in range(40):
        camera.send(100)
        wire.run()
    assert wire.relay.layer_figures(up).gop_complete is False
    _, down = slot(wire)
    wire.relay.point(down, up, 0, Join.RING)
    assert [e.kind for e in wire.tick()] == [EventKind.KEYFRAME_WANTED]


def test_a_gop_overwritten_while_it_is_replayed_falls_back_to_live(wire: Wire) -> None:
    camera, up = screen(wire, ring_bytes=(16 << 10,))
    camera.send(60, key=True)
    wire.run()
    viewer, down = slot(wire)
    wire.relay.point(down, up, 0, Join.RING)
    for _ in range(40):
        camera.send(100)
        wire.run()
    viewer.packets()
    wire.tick()
    assert wire.told(EventKind.KEYFRAME_WANTED)
    camera.send(2, key=True)
    wire.run()
    assert [number_of(p) for p in viewer.packets()] == [4160, 4161]


def test_nacks_are_answered_while_the_ring_is_replayed(wire: Wire) -> None:
    camera, up = screen(wire)
    camera.send(300, key=True)
    wire.run()
    viewer, down = slot(wire)
    wire.relay.point(down, up, 0, Join.RING)
    packets = viewer.packets()
    viewer.send_rtcp(build_nack(5000, [packets[2].sequence, packets[-1].sequence + 1]))
    wire.run()
    again = [p for p in viewer.packets() if p.ssrc == 5001]
    assert [number_of(p) for p in again] == [102]


def test_a_slot_repointed_out_of_the_ring_goes_on_under_its_numbers(wire: Wire) -> None:
    first, up_first = screen(wire)
    second, up_second = screen(wire)
    first.send(10, key=True)
    second.send(30, key=True)
    wire.run()
    viewer, down = slot(wire)
    wire.relay.point(down, up_first, 0, Join.RING)
    wire.tick_until(lambda: wire.relay.down_figures(down).packets == 10)
    wire.relay.point(down, up_second, 0, Join.RING)
    wire.tick_until(lambda: wire.relay.down_figures(down).packets == 40)
    packets = viewer.packets()
    assert_continuous(packets)
    assert_times_rise(packets)


def test_a_joiner_whose_source_goes_while_replaying_is_left_alone(wire: Wire) -> None:
    camera, up = screen(wire)
    camera.send(300, key=True)
    wire.run()
    _, down = slot(wire)
    wire.relay.point(down, up, 0, Join.RING)
    wire.relay.remove_up(up)
    wire.tick()
    sent = wire.relay.down_figures(down).packets
    wire.tick()
    assert wire.relay.down_figures(down).packets == sent
