"""Viewers and recordings move between layers over a real relay, and never stand still on a dead one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from server.media import figures, forwarding, switching
from server.media.contract import TrackName
from server.media.forwarding import Forwarding, Problem
from server.media.keyframes import KeyframeRequests
from server.media.layers import LIVING_S
from server.media.relay.tables import EventKind
from server.media.taps import Tap, TapSlot
from server.protocol.parameters import Codec, CodecName, DownSlot, Extensions, Kind, Source, UpTrack
from tests.unit.media.relay.loopback import Camera, Far, Wire, number_of, wired
from tests.unit.media.test_taps import pictures

H264 = Codec(CodecName.H264, 102, 90_000, rtx=103, nack=True, pli=True)
VIEWER = Codec(CodecName.H264, 96, 90_000, rtx=97, nack=True, pli=True)
LAYERED = UpTrack(
    "v", Source.CAMERA, Kind.VIDEO, [H264], Extensions(mid=4, rid=5, repaired_rid=6), rids=["q", "h", "f"]
)
NAME = TrackName("up", "v")
RIDS = (b"q", b"h", b"f")


class Stage:
    """A publisher of three layers and a viewer with a stage and a tile."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.tables = Forwarding(wire.relay, KeyframeRequests())
        sender, self.viewer = wire.far(), wire.far()
        self.tables.set_up_tracks("up", "L", sender.handle, [LAYERED])
        slots = [
            DownSlot("stage", "0", Kind.VIDEO, [VIEWER], Extensions(), 5000, 5001),
            DownSlot("tile1", "1", Kind.VIDEO, [VIEWER], Extensions(), 6000, 6001),
        ]
        self.tables.set_down_slots("down", "L", self.viewer.handle, slots)
        self.tables.peer_ready("down")
        self.cameras = [Layer(sender, rid, 70 + k, 1000 * k) for k, rid in enumerate(RIDS)]

    def frames(self, *layers: int, key: bool = False) -> None:
        """One frame of each of these layers."""
        for layer in layers:
            self.cameras[layer].frame(key=key)
        self.wire.run()
        switching.observe(self.tables, time.monotonic())

    def seen(self) -> dict[int, list[int]]:
        """By slot SSRC: of which layers the packets that came were."""
        found: dict[int, list[int]] = {5000: [], 6000: []}
        for packet in self.viewer.packets():
            if packet.ssrc in found:
                found[packet.ssrc].append(number_of(packet) // 1000)
        return found

    def rest(self, *layers: int) -> None:
        """Frames of these layers alone, until the others count as dead."""
        began = time.monotonic()
        while time.monotonic() - began < LIVING_S + 0.1:
            self.frames(*layers)
            time.sleep(0.02)


class Layer(Camera):
    """One layer of a simulcast: named by its RID."""

    def __init__(self, far: Far, rid: bytes, ssrc: int, sequence: int) -> None:
        super().__init__(far, ssrc=ssrc, sequence=sequence, timestamp=sequence * 7)
        self.rid = rid

    def frame(self, *, key: bool) -> None:
        self.send(key=key, extensions={4: b"v", 5: self.rid})


@pytest.fixture
def stage() -> Iterator[Stage]:
    with wired() as wire:
        yield Stage(wire)


def test_a_stage_begins_at_the_highest_layer_and_a_tile_at_the_lowest(stage: Stage) -> None:
    stage.tables.point("down", "stage", NAME)
    stage.tables.point("down", "tile1", NAME)
    stage.frames(0, 1, 2, key=True)
    stage.frames(0, 1, 2)
    assert stage.seen() == {5000: [2, 2], 6000: [0, 0]}


def test_a_selected_layer_is_shown_from_its_keyframe_on(stage: Stage) -> None:
    stage.tables.point("down", "stage", NAME)
    stage.frames(0, 1, 2, key=True)
    stage.tables.select("down", "stage", 1)
    stage.frames(0, 1, 2)
    stage.frames(0, 1, 2, key=True)
    stage.frames(0, 1, 2)
    assert stage.seen()[5000] == [2, 2, 1, 1]
    assert (0, 1) in [(e.handle, e.value) for e in stage.wire.told(EventKind.KEYFRAME_WANTED)]


@pytest.mark.parametrize("newest_us", [0, 60_000_000])
def test_a_layer_that_is_cut_ends_at_once_and_the_lower_one_begins_as_early_as_it_can(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, newest_us: int
) -> None:
    """From the ring where its keyframe is new, else from the next one, which is asked for."""
    monkeypatch.setattr(forwarding, "NEWEST_US", newest_us)
    stage.tables.point("down", "stage", NAME)
    stage.frames(0, 1, 2, key=True)
    assert stage.seen()[5000] == [2]
    stage.wire.events.clear()
    stage.tables.select("down", "stage", 0, cut=True)
    stage.frames(0, 1, 2)
    assert stage.seen()[5000] == ([0, 0] if newest_us else [])
    stage.frames(0, 1, 2, key=True)
    assert stage.seen()[5000] == [0]


def test_a_selection_is_kept_for_the_next_track_and_a_tile_never_climbs(stage: Stage) -> None:
    stage.tables.select("down", "stage", 0)
    stage.tables.select("down", "tile1", 2)
    stage.tables.point("down", "stage", NAME)
    stage.tables.point("down", "tile1", NAME)
    stage.frames(0, 1, 2, key=True)
    stage.frames(0, 1, 2)
    assert stage.seen() == {5000: [0, 0], 6000: [0, 0]}
    with pytest.raises(Problem, match="unknown_slot"):
        stage.tables.select("down", "nowhere", 0)


def test_a_dead_layer_falls_back_to_the_best_living_one_and_comes_back_with_its_first_keyframe(
    stage: Stage,
) -> None:
    stage.tables.point("down", "stage", NAME)
    stage.frames(0, 1, 2, key=True)
    assert stage.seen()[5000] == [2]
    stage.rest(0, 1)
    stage.frames(0, 1, key=True)
    stage.frames(0, 1)
    assert stage.seen()[5000] == [1, 1]
    stage.frames(0, 1, 2, key=True)
    stage.frames(0, 1, 2)
    shown = stage.seen()[5000]
    assert shown[-1] == 2
    assert set(shown) <= {1, 2}


def test_a_layer_that_begins_is_joined_although_a_better_one_is_awaited(stage: Stage) -> None:
    stage.tables.point("down", "stage", NAME)
    stage.frames(0, key=True)
    stage.frames(0)
    assert 0 in stage.seen()[5000]


def test_bit_rates_are_told_by_layer(stage: Stage) -> None:
    assert stage.tables.layer_bitrates(TrackName("nobody", "v")) == ()
    assert stage.tables.layer_bitrates(NAME) == (0, 0, 0)
    began = time.monotonic()
    while time.monotonic() - began < 0.3:
        stage.frames(0, 1)
        time.sleep(0.01)
    low, middle, high = stage.tables.layer_bitrates(NAME)
    assert low > 0
    assert middle > 0
    assert high == 0


def test_only_layers_somebody_has_a_use_for_are_wanted(stage: Stage) -> None:
    def wanted(now: float) -> list[tuple[int, ...]]:
        return [layers for _, layers in switching.layers_to_send(stage.tables, now)]

    stage.frames(0, 1, 2, key=True)
    assert wanted(0.0) == []
    assert wanted(10.0) == [(0,)]
    stage.tables.point("down", "stage", NAME)
    assert wanted(10.1) == [(0, 2)]
    stage.rest(0)
    assert wanted(10.2) == [(0, 1, 2)], "the way up is kept open while the highest does not come"


def test_a_recording_writes_the_best_living_layer(stage: Stage) -> None:
    tap = Tap.open(stage.tables.relay, "L", 1 << 20)
    stage.tables.taps["L"] = tap
    try:
        stage.tables.tap_track(tap, TapSlot(1, NAME, b"note", 4.0))
        stage.frames(0, 1, 2, key=True)
        stage.frames(0, 1, 2, key=True)
        stage.rest(0, 1)
        stage.frames(0, 1, key=True)
        stage.frames(0, 1)
        layers = [number // 1000 for number in pictures(tap)]
        assert layers[0] in (0, 2)
        assert 2 in layers
        assert layers[-2:] == [1, 1]
        assert [layers for _, layers in switching.layers_to_send(stage.tables, 100.0)] == []
    finally:
        tap.close()


def test_figures_and_metrics_are_told_by_layer(stage: Stage) -> None:
    stage.tables.point("down", "stage", NAME)
    list(figures.measure(stage.tables, 1.0))
    for key in (True, False, False):
        stage.frames(0, 1, 2, key=key)
    (room,) = figures.measure(stage.tables, 1.0)
    (up,) = room.up
    assert [(each.rid, each.packets, each.living, each.viewers) for each in up.layers] == [
        ("q", 3, True, 0),
        ("h", 3, True, 0),
        ("f", 3, True, 1),
    ]
    assert up.packets == 9
    assert [down.layer for down in room.down] == [2]
    totals = figures.layer_totals(stage.tables)
    assert (totals["layer0_tracks"], totals["layer2_viewers"], totals["layer2_bitrate_bps"] > 0) == (
        1,
        1,
        True,
    )
