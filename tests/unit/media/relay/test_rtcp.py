"""RTCP: sender reports in the slot's own clocks, and what Python is told."""

from __future__ import annotations

import struct
import time

import pytest
from aiortc.rtp import RtcpPacket, RtcpSdesPacket, RtcpSrPacket

from server.media.relay.tables import EventKind
from tests.unit.media.relay.loopback import (
    Camera,
    Far,
    Wire,
    audio_down,
    audio_up,
    blocks_of,
    build_pli,
    build_rtp,
    build_sr,
    video_down,
    video_up,
)

NTP_EPOCH = 2_208_988_800


def ntp(seconds: float) -> int:
    return int(seconds * (1 << 32))


def reports_of(far: Far) -> list[tuple[int, int, int, int, int]]:
    """Sender reports a viewer got: SSRC, NTP, RTP time, packets, octets."""
    return [
        struct.unpack_from("!IQIII", body)
        for compound in far.received()[1]
        for kind, _, body in blocks_of(compound)
        if kind == 200
    ]


def test_a_sender_report_goes_to_the_slot_in_the_slots_clocks(wire: Wire) -> None:
    sender, viewer = wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    down = wire.relay.add_down(viewer.handle, video_down())
    wire.relay.point(down, up)
    camera = Camera(sender, timestamp=9000)
    camera.send(3, key=True)
    wire.run()
    packets = viewer.packets()
    offset = (packets[0].timestamp - 9000) & 0xFFFFFFFF
    sender.send_rtcp(build_sr(1111, ntp(1000.0), 18_000))
    wire.run()
    ((ssrc, told, timestamp, count, octets),) = reports_of(viewer)
    assert (ssrc, count, octets) == (5000, 3, 15)
    assert timestamp == (18_000 + offset) & 0xFFFFFFFF
    assert abs(told / (1 << 32) - NTP_EPOCH - time.time()) < 1
    figures = wire.relay.down_figures(down)
    assert figures.sr_ntp_mid == told >> 16 & 0xFFFFFFFF
    assert 0 <= figures.sr_sent_us_ago < 1_000_000
    layer = wire.relay.layer_figures(up)
    assert layer.sr_ntp_mid == ntp(1000.0) >> 16 & 0xFFFFFFFF


def test_picture_and_sound_stay_in_step_by_one_offset(wire: Wire) -> None:
    sender, viewer = wire.far(), wire.far()
    video, sound = wire.relay.add_up(sender.handle, video_up()), wire.relay.add_up(sender.handle, audio_up())
    stage = wire.relay.add_down(viewer.handle, video_down())
    main = wire.relay.add_down(viewer.handle, audio_down())
    wire.relay.point(stage, video)
    wire.relay.point(main, sound)
    Camera(sender).send(1, key=True)
    sender.send_rtp(build_rtp(1, 1, b"opus", ssrc=3333, payload_type=111))
    sender.send_rtcp(build_sr(1111, ntp(1000.0), 9000) + build_sr(3333, ntp(1000.5), 480))
    wire.run()
    told = {ssrc: at for ssrc, at, *_ in reports_of(viewer)}
    assert told[7000] - told[5000] == ntp(0.5)
    sender.send_rtcp(build_sr(1111, ntp(1002.0), 9000))
    wire.run()
    again = {ssrc: at for ssrc, at, *_ in reports_of(viewer)}
    assert again[5000] - told[5000] == ntp(2.0)  # by the publisher's clock, whenever it arrived


def test_a_sender_report_carries_the_connections_canonical_name(wire: Wire) -> None:
    sender, viewer, other = wire.far(), wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    for far, ssrc in ((viewer, 5000), (viewer, 6000), (other, 5000)):
        wire.relay.point(wire.relay.add_down(far.handle, video_down(ssrc)), up)
    Camera(sender).send(1, key=True)
    sender.send_rtcp(build_sr(1111, ntp(1000.0), 9000))
    wire.run()
    names = []
    for compound in viewer.received()[1] + other.received()[1]:
        report, description = RtcpPacket.parse(compound)
        assert isinstance(report, RtcpSrPacket)
        assert isinstance(description, RtcpSdesPacket)
        ((ssrc, items),) = [(chunk.ssrc, chunk.items) for chunk in description.chunks]
        assert ssrc == report.ssrc
        ((item, name),) = items
        assert item == 1
        names.append(name)
    assert names[0] == names[1] != names[2]
    assert len(names[0]) == 16


def test_a_repointed_slot_is_told_the_new_clock_at_once(wire: Wire) -> None:
    first, second, viewer = wire.far(), wire.far(), wire.far()
    down = wire.relay.add_down(viewer.handle, video_down())
    ups = [wire.relay.add_up(far.handle, video_up()) for far in (first, second)]
    wire.relay.point(down, ups[0])
    Camera(first).send(1, key=True)
    other = Camera(second, timestamp=500_000)
    other.send(1)
    second.send_rtcp(build_sr(1111, ntp(77.0), 500_000))
    wire.run()
    wire.relay.point(down, ups[1])
    viewer.received()
    other.send(1, key=True)
    wire.run()
    packets, compounds = viewer.received()
    (kind, _, body), _ = [block for compound in compounds for block in blocks_of(compound)]
    assert kind == 200
    assert struct.unpack_from("!I", body, 12)[0] == (packets[0].timestamp - 3000) & 0xFFFFFFFF


def test_byes_and_estimates_go_to_python(wire: Wire) -> None:
    far = wire.far()
    rr = struct.pack("!BBHI", 0x81, 201, 7, 1) + bytes(24)
    remb = struct.pack("!BBHII4sI", 0x8F, 206, 4, 1, 0, b"REMB", 0)
    bye = struct.pack("!BBHI", 0x81, 203, 1, 9)
    xr = struct.pack("!BBHI", 0x80, 207, 1, 1)
    sdes = struct.pack("!BBHIBB2s", 0x81, 202, 2, 1, 1, 0, b"\0\0")
    twcc = struct.pack("!BBHII", 0x8F, 205, 2, 1, 0)
    far.send_rtcp(rr + sdes + remb + twcc + bye + xr)
    (event,) = wire.run()
    assert (event.kind, event.handle) == (EventKind.RTCP, far.handle)
    assert event.data == remb + bye + xr


def build_rr(ssrc: int, lost_256: int, last_sr: int, delay: int) -> bytes:
    return struct.pack("!BBHI6I", 0x81, 201, 7, 1, ssrc, lost_256 << 24, 0, 0, last_sr, delay)


def test_a_viewers_report_tells_its_loss_and_the_round_trip(wire: Wire) -> None:
    sender, viewer, other = wire.far(), wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    down = wire.relay.add_down(viewer.handle, video_down())
    wire.relay.point(down, up)
    Camera(sender).send(1, key=True)
    sender.send_rtcp(build_sr(1111, ntp(1000.0), 9000))
    wire.run()
    assert (wire.relay.down_figures(down).loss, wire.relay.down_figures(down).round_trip_us) == (0.0, -1)
    told = wire.relay.down_figures(down).sr_ntp_mid
    other.send_rtcp(build_rr(5000, 200, told, 0))
    viewer.send_rtcp(build_rr(4999, 200, told, 0) + build_rr(5000, 64, told, 0))
    assert wire.run() == []
    figures = wire.relay.down_figures(down)
    assert figures.loss == 0.25
    assert 0 <= figures.round_trip_us < 1_000_000


@pytest.mark.parametrize(("moved", "delay"), [(1, 0), (0, 10 << 16)], ids=["another report", "before it"])
def test_a_round_trip_counts_only_from_the_report_answered(wire: Wire, moved: int, delay: int) -> None:
    sender, viewer = wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    down = wire.relay.add_down(viewer.handle, video_down())
    wire.relay.point(down, up)
    Camera(sender).send(1, key=True)
    sender.send_rtcp(build_sr(1111, ntp(1000.0), 9000))
    wire.run()
    viewer.send_rtcp(build_rr(5000, 64, wire.relay.down_figures(down).sr_ntp_mid + moved, delay))
    wire.run()
    assert wire.relay.down_figures(down).round_trip_us == -1


def test_an_empty_receiver_report_is_nobodys_news(wire: Wire) -> None:
    wire.far().send_rtcp(struct.pack("!BBHI", 0x80, 201, 1, 1))
    wire.far().send_rtcp(struct.pack("!BBHI", 0x9F, 201, 1, 1))  # says it has 31 blocks
    assert wire.run() == []


@pytest.mark.parametrize("form", ["pli", "fir"])
def test_a_viewer_that_wants_a_keyframe_is_heard_for_its_own_slot_only(wire: Wire, form: str) -> None:
    sender, viewer, other = wire.far(), wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    wire.relay.point(wire.relay.add_down(viewer.handle, video_down()), up)
    wire.relay.point(wire.relay.add_down(other.handle, video_down(8000)), up)
    wire.tick()
    request = build_pli(5000)
    if form == "fir":
        request = struct.pack("!BBHIIIB3x", 0x84, 206, 4, 1, 0, 5000, 1)
    viewer.send_rtcp(request)
    assert [(e.kind, e.handle, e.value) for e in wire.run()] == [(EventKind.KEYFRAME_WANTED, up, 0)]
    other.send_rtcp(request)
    assert wire.run() == []


def test_a_flood_of_keyframe_requests_is_told_once(wire: Wire) -> None:
    sender, viewer = wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    wire.relay.point(wire.relay.add_down(viewer.handle, video_down()), up)
    wire.tick()
    for _ in range(20):
        viewer.send_rtcp(build_pli(5000) * 50)
    assert len(wire.run()) == 1


def test_a_sender_report_touches_the_peers_own_tracks_only(wire: Wire) -> None:
    sender, other = wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    other.send_rtcp(build_sr(1111, ntp(5.0), 5))
    wire.run()
    assert wire.relay.layer_figures(up).sr_ntp_mid == 0


def test_python_sends_rtcp_through_the_relay(wire: Wire) -> None:
    far = wire.far()
    assert wire.relay.send_rtcp(far.handle, build_pli(7))
    assert far.received()[1] == [build_pli(7)]
    with pytest.raises(ValueError, match="bytes"):
        wire.relay.send_rtcp(far.handle, bytes(1201))
    assert wire.relay.send_rtcp(wire.far(secure=False).handle, build_pli(7)) is False


def test_broken_compounds_are_dropped_and_counted(wire: Wire) -> None:
    far = wire.far()
    far.send_rtcp(build_pli(5)[:4] + bytes(4))  # says it is longer than it is
    far.send_rtcp(struct.pack("!BBHI", 0x81, 205, 1, 1))
    assert wire.run() == []
    assert wire.relay.totals()["dropped_malformed"] == 1
