"""The last stage of a weak line: single pictures out of the ring."""

from __future__ import annotations

from server.media.relay.tables import EventKind
from tests.unit.media.relay.loopback import (
    Camera,
    Wire,
    build_nack,
    build_pli,
    number_of,
    video_down,
    video_up,
)


def keyframe(camera: Camera, packets: int) -> list[int]:
    """One keyframe of that many packets; the numbers in their payloads."""
    first, timestamp = camera.sequence, camera.timestamp
    for place in range(packets):
        camera.timestamp = timestamp
        camera.far.send_rtp(camera.packet(key=place == 0, marker=place == packets - 1))
    return list(range(first, first + packets))


def test_a_still_is_the_newest_keyframe_alone_and_nobody_is_asked_for_it(wire: Wire) -> None:
    camera, viewer = Camera(wire.far()), wire.far()
    up = wire.relay.add_up(camera.far.handle, video_up())
    down = wire.relay.add_down(viewer.handle, video_down())
    assert wire.relay.point(down, up)
    camera.send(5, key=True)
    wire.run()
    shown = keyframe(camera, 6)
    wire.run()
    before = viewer.packets()
    wire.events.clear()
    assert wire.relay.still(down, up, 0, 1_000_000)
    wire.tick_until(lambda: not wire.relay.pressing())
    camera.send(10)
    wire.run()
    wire.tick()
    got = viewer.packets()
    assert [number_of(packet) for packet in got] == shown
    assert got[0].sequence == (before[-1].sequence + 1) & 0xFFFF
    assert len({packet.timestamp for packet in got}) == 1
    assert wire.told(EventKind.KEYFRAME_WANTED) == []

    viewer.send_rtcp(build_nack(5000, [got[2].sequence]))
    wire.run()
    (again,) = viewer.packets()
    assert (again.ssrc, number_of(again)) == (5001, shown[2])

    assert wire.relay.still(down, up, 0, 1_000_000), "the same one again: it is shown already"
    wire.tick()
    assert viewer.packets() == []
    viewer.send_rtcp(build_pli(5000))
    wire.run()
    assert wire.told(EventKind.KEYFRAME_WANTED) == []
    assert wire.relay.still(down, up, 0, 1_000_000)
    wire.tick_until(lambda: not wire.relay.pressing())
    assert [number_of(packet) for packet in viewer.packets()] == shown, "its viewer asked"


def test_a_still_goes_over_into_the_moving_picture(wire: Wire) -> None:
    camera, viewer = Camera(wire.far()), wire.far()
    up = wire.relay.add_up(camera.far.handle, video_up())
    down = wire.relay.add_down(viewer.handle, video_down())
    keyframe(camera, 2)
    wire.run()
    assert wire.relay.still(down, up, 0, 1_000_000)
    wire.tick_until(lambda: not wire.relay.pressing())
    still = viewer.packets()
    assert wire.relay.point(down, up)
    camera.send(2)
    camera.send(3, key=True)
    wire.run()
    moving = viewer.packets()
    assert len(moving) == 3
    assert moving[0].sequence == (still[-1].sequence + 1) & 0xFFFF


def test_there_is_no_still_without_a_whole_keyframe(wire: Wire) -> None:
    camera, viewer = Camera(wire.far()), wire.far()
    up = wire.relay.add_up(camera.far.handle, video_up())
    down = wire.relay.add_down(viewer.handle, video_down())
    assert not wire.relay.still(down, up, 0, 1_000_000)
    camera.far.send_rtp(camera.packet(key=True, marker=False))
    wire.run()
    assert not wire.relay.still(down, up, 0, 1_000_000)


def test_a_still_goes_with_its_track(wire: Wire) -> None:
    camera, viewer = Camera(wire.far()), wire.far()
    up = wire.relay.add_up(camera.far.handle, video_up())
    down = wire.relay.add_down(viewer.handle, video_down())
    keyframe(camera, 40)
    wire.run()
    assert wire.relay.still(down, up, 0, 10_000)
    assert wire.relay.pressing()
    wire.relay.remove_up(up)
    assert not wire.relay.pressing()
    wire.tick()
