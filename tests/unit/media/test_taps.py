"""Nothing that came before a tap began is ever in its ring, whatever the relay still remembers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from recorder.assemble.records import read_records
from recorder.contract import RecordKind
from recorder.ring import Ring
from server.media.contract import TrackName
from server.media.forwarding import Forwarding
from server.media.keyframes import KeyframeRequests
from server.media.taps import Tap, TapSlot
from server.protocol.parameters import Codec, CodecName, Extensions, Kind, Source, UpTrack
from tests.unit.media.relay.loopback import Camera, Wire, build_rtp, number_of, parse_rtp, wired
from tests.unit.media.relay.test_red import opus, red

H264 = Codec(CodecName.H264, 102, 90_000, rtx=103, nack=True, pli=True)
SOUND = [Codec(CodecName.OPUS, 111, 48_000), Codec(CodecName.RED, 63, 48_000)]
NAME = TrackName("up", "v")


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired() as made:
        yield made


@pytest.fixture
def tables(wire: Wire) -> Forwarding:
    return Forwarding(wire.relay, KeyframeRequests())


@pytest.fixture
def tap(tables: Forwarding) -> Iterator[Tap]:
    made = Tap.open(tables.relay, "L", 1 << 20)
    tables.taps["L"] = made
    yield made
    made.close()


def publish(wire: Wire, tables: Forwarding, source: Source) -> Camera:
    far = wire.far()
    track = UpTrack("v", source, Kind.VIDEO, [H264], Extensions(mid=4), {1111: 2222})
    tables.set_up_tracks("up", "L", far.handle, [track])
    return Camera(far)


def written(tap: Tap) -> list[bytes]:
    ring = Ring(tap.fd)
    try:
        batch = ring.read()
        assert batch is not None
        return [record.data for record in read_records(batch.span) if record.kind == RecordKind.RTP]
    finally:
        ring.close()


def pictures(tap: Tap) -> list[int]:
    return [number_of(parse_rtp(data)) for data in written(tap)]


@pytest.mark.parametrize("source", [Source.CAMERA, Source.SCREEN])
def test_a_picture_is_written_from_the_first_keyframe_after_the_tap_began(
    wire: Wire, tables: Forwarding, tap: Tap, source: Source
) -> None:
    camera = publish(wire, tables, source)
    camera.send(5, key=True)
    wire.run()
    assert wire.relay.layer_figures(0).gop_complete
    tables.tap_track(tap, TapSlot(1, NAME, b"note", 0.0))
    assert list(tables.keyframes.due(100.0)) == [(0, 0)], "the publisher is asked once"
    assert list(tables.keyframes.due(100.1)) == []
    camera.send(3)
    wire.run()
    wire.tick()
    assert pictures(tap) == []
    camera.send(2, key=True)
    wire.run()
    assert pictures(tap) == [108, 109]


def test_a_keyframe_that_is_repaired_late_does_not_bring_what_came_before(
    wire: Wire, tables: Forwarding, tap: Tap
) -> None:
    camera = publish(wire, tables, Source.SCREEN)
    camera.send(2, key=True)
    late = camera.packet(key=True)
    camera.send(3)
    wire.run()
    tables.tap_track(tap, TapSlot(1, NAME, b"note", 0.0))
    camera.far.send_rtp(late)
    camera.send(1)
    wire.run()
    for _ in range(3):
        wire.tick()
    assert pictures(tap) == []
    camera.send(2, key=True)
    wire.run()
    assert pictures(tap) == [107, 108]


def test_a_track_untapped_and_tapped_again_leaves_out_what_came_between(
    wire: Wire, tables: Forwarding, tap: Tap
) -> None:
    camera = publish(wire, tables, Source.SCREEN)
    tables.tap_track(tap, TapSlot(1, NAME, b"note", 0.0))
    camera.send(2, key=True)
    wire.run()
    tables.untap_track(tap, 1)
    camera.send(3)
    camera.send(3, key=True)
    wire.run()
    tables.tap_track(tap, TapSlot(1, NAME, b"note", 0.0))
    camera.send(1)
    camera.send(1, key=True)
    wire.run()
    assert pictures(tap) == [100, 101, 109]


def test_a_voice_is_written_from_the_first_packet_after_the_tap_began(
    wire: Wire, tables: Forwarding, tap: Tap
) -> None:
    far = wire.far()
    track = UpTrack("a", Source.VOICE, Kind.AUDIO, SOUND, Extensions(), {3333: 0})
    tables.set_up_tracks("up", "L", far.handle, [track])
    for number in (20, 21, 22):
        far.send_rtp(build_rtp(number, number * 960, opus(number), ssrc=3333, payload_type=111))
    wire.run()
    tables.tap_track(tap, TapSlot(4, TrackName("up", "a"), b"note", 0.0))
    for number in (23, 24):
        far.send_rtp(build_rtp(number, number * 960, red(number), ssrc=3333, payload_type=63))
    wire.run()
    assert [parse_rtp(data).payload for data in written(tap)] == [opus(23), opus(24)]
