"""The map between a source's numbers and a slot's: rising, without repeats, and invertible.

Each example is a script of what happens on two cameras and one slot; the viewer decrypts everything
it gets with a session that refuses a number seen before.
"""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from server.media.relay.tables import Join
from tests.unit.media.relay.loopback import (
    Camera,
    Far,
    Rtp,
    Wire,
    build_nack,
    number_of,
    video_down,
    video_up,
    wired,
)

steps = st.lists(
    st.sampled_from(
        ["send"] * 6
        + ["key", "lose", "padding", "hold", "release", "other", "other key"]
        + ["first", "second", "ring", "nothing", "tick", "nack"]
    ),
    min_size=5,
    max_size=80,
)


class Stage:
    """Two cameras, one slot, and everything the viewer got."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.viewer = wire.far()
        self.down = wire.relay.add_down(self.viewer.handle, video_down())
        self.cameras = [Camera(wire.far(), sequence=65_530), Camera(wire.far(), sequence=1000)]
        self.ups = [wire.relay.add_up(camera.far.handle, video_up()) for camera in self.cameras]
        self.held: list[tuple[Far, bytes]] = []
        self.got: list[Rtp] = []
        self.repeated: list[Rtp] = []
        wire.relay.set_round_trip(self.viewer.handle, 1000)

    def play(self, step: str) -> None:
        camera, other = self.cameras
        match step:
            case "send":
                camera.send()
            case "key":
                camera.send(key=True)
            case "lose":
                camera.packet()
            case "padding":
                camera.send_padding()
            case "hold":
                self.held.append((camera.far, camera.far.encrypts.protect(camera.packet())))
            case "release" if self.held:
                far, datagram = self.held.pop(0)
                far.send(datagram)
            case "other":
                other.send()
            case "other key":
                other.send(key=True)
            case "first" | "second":
                self.wire.relay.point(self.down, self.ups[step == "second"])
            case "ring":
                self.wire.relay.point(self.down, self.ups[0], 0, Join.RING)
            case "nothing":
                self.wire.relay.point(self.down, -1)
            case "tick":
                self.wire.tick()
            case "nack" if self.got:
                self.viewer.send_rtcp(build_nack(5000, [p.sequence for p in self.got[-20:]]))
        self.wire.run()
        for packet in self.viewer.packets():
            (self.got if packet.ssrc == 5000 else self.repeated).append(packet)


def assert_rising(packets: list[Rtp]) -> None:
    """No number twice; the newest only goes up, and with it the time."""
    assert len({p.sequence for p in packets}) == len(packets)
    newest = packets[0] if packets else None
    for packet in packets[1:]:
        assert newest is not None
        if (packet.sequence - newest.sequence) & 0xFFFF < 1 << 15:
            assert 0 < (packet.timestamp - newest.timestamp) & 0xFFFFFFFF < 1 << 31
            newest = packet


@settings(max_examples=150)
@given(script=steps)
def test_numbers_only_rise_and_lead_back_to_what_was_sent(script: list[str]) -> None:
    with wired() as wire:
        stage = Stage(wire)
        stage.play("first")
        stage.play("key")
        for step in script:
            stage.play(step)
        assert_rising(stage.got)
        sent = {p.sequence: p for p in stage.got}
        for again in stage.repeated:
            (number,) = struct.unpack_from("!H", again.payload)
            assert sent[number].payload == again.payload[2:]
            assert sent[number].timestamp == again.timestamp
        assert wire.relay.totals()["protect_failed"] == 0


@settings(max_examples=60)
@given(
    script=st.lists(st.sampled_from(["send", "send", "key", "padding"]), min_size=1, max_size=120),
    first=st.integers(0, 65535),
)
def test_without_loss_the_viewer_sees_no_gap(script: list[str], first: int) -> None:
    with wired() as wire:
        stage = Stage(wire)
        stage.cameras[0].sequence = first
        for step in ["first", "key", *script]:
            stage.play(step)
        numbers = [p.sequence for p in stage.got]
        assert numbers == [(numbers[0] + i) & 0xFFFF for i in range(len(numbers))]
        assert len(numbers) == 1 + len(script) - script.count("padding")
        assert [number_of(p) for p in stage.got] == sorted(number_of(p) for p in stage.got)
