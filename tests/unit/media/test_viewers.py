"""The shell over a real relay: viewers come and go, hints count, held slots let nothing through."""

from __future__ import annotations

import struct

import pytest

from server.media.allocation import OFF, STILL
from server.media.contract import Reason, SlotViewing, TrackName
from server.media.estimate import START_BPS, Burst, Cause, pack
from server.media.forwarding import Forwarding
from server.media.keyframes import KeyframeRequests
from server.media.relay.relay import Relay
from server.media.rtcp import read_remb
from server.media.viewers import AT_ONCE, Viewers
from server.protocol.parameters import Codec, CodecName, DownSlot, Extensions, Kind, Source, UpTrack

H264 = Codec(CodecName.H264, 102, 90_000, rtx=103, nack=True, pli=True)
CAMERA = UpTrack("1", Source.CAMERA, Kind.VIDEO, [H264], Extensions(mid=4, rid=5), rids=["l", "m", "h"])
STAGE = DownSlot("stage", "0", Kind.VIDEO, [H264], Extensions(transport_cc=3), 21, 22)
NAME = TrackName("up", "1")


class Room:
    """A camera of three layers and its viewers."""

    def __init__(self) -> None:
        self.relay = Relay()
        self.tables = Forwarding(self.relay, KeyframeRequests())
        self.viewers = Viewers(self.tables)
        self.now = 100.0
        handle = self.relay.add_peer(b"ufrag-up")
        self.tables.set_up_tracks("up", "L", handle, [CAMERA])
        self.tables.ups[NAME].live = True

    def watch(self, name: str) -> None:
        handle = self.relay.add_peer(b"ufrag-" + name.encode())
        self.tables.set_down_slots(name, "L", handle, [STAGE])
        self.tables.point(name, "stage", NAME)
        self.tables.peer_ready(name)
        self.viewers.joined(name, handle, self.now)

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now += 0.01
            self.viewers.round(self.now)

    def given(self, name: str) -> int:
        return self.viewers.by_name[name].given["stage"]

    def lower(self, name: str, bps: float) -> None:
        """Its line carries this much from now on."""
        estimate = self.viewers.by_name[name].estimate
        estimate.bps, estimate.cause, estimate.fell_at = (
            bps,
            Cause.DELAY,
            self.now + 1e6,
        )  # no probe raises it


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_viewer_begins_at_the_top_and_gets_what_its_line_carries(room: Room) -> None:
    room.watch("a")
    room.watch("b")
    room.pass_time(0.3)
    assert (room.given("a"), room.given("b")) == (2, 2)
    room.lower("a", 900_000)
    room.pass_time(0.3)
    assert (room.given("a"), room.given("b")) == (1, 2)
    down = room.tables.downs["a"]["stage"]
    assert (down.selected, down.reason, down.estimate_bps) == (1, Reason.LINE, 900_000)
    assert room.tables.downs["b"]["stage"].reason is Reason.NONE
    assert room.viewers.totals()["viewers_weak"] == 1.0


def test_a_line_that_loses_has_its_sound_repeated_until_it_is_well(room: Room) -> None:
    room.watch("a")
    viewer = room.viewers.by_name["a"]
    viewer.estimate.losses.share = 0.1
    room.pass_time(0.3)
    assert (viewer.repeats, room.viewers.totals()["viewers_repeated"]) == (2, 1.0)
    viewer.estimate.losses.share = 0.0
    room.pass_time(11.0)
    assert viewer.repeats == 0


def test_the_last_stage_holds_the_slot_and_a_better_line_lets_it_go(room: Room) -> None:
    room.watch("a")
    room.lower("a", 50_000)
    room.pass_time(1.0)
    assert room.given("a") == 0, "the smallest picture, in case it was a stall"
    room.pass_time(2.0)
    down = room.tables.downs["a"]["stage"]
    assert room.given("a") == STILL
    assert (down.held, down.pointed) == (True, None)
    room.lower("a", 5_000_000)
    room.pass_time(0.3)
    assert (room.given("a"), down.held, down.pointed) == (2, False, NAME)


def test_a_held_slot_stays_so_when_it_is_pointed_again(room: Room) -> None:
    room.watch("a")
    room.lower("a", 50_000)
    room.pass_time(3.0)
    room.tables.point("a", "stage", None)
    room.pass_time(0.3)
    assert room.viewers.by_name["a"].given == {}
    room.tables.point("a", "stage", NAME)
    room.pass_time(3.0)
    assert room.given("a") in (OFF, STILL)
    assert room.tables.downs["a"]["stage"].pointed is None


def test_the_size_a_picture_is_shown_in_limits_its_layer_for_a_while(room: Room) -> None:
    room.watch("a")
    room.viewers.viewing("a", [SlotViewing("stage", 200, 0.0), SlotViewing("unknown", 1, 1.0)], room.now)
    room.pass_time(0.3)
    assert room.given("a") == 0
    assert room.tables.downs["a"]["stage"].reason is Reason.PAGE
    room.pass_time(11)
    assert room.given("a") == 2, "the page says nothing any more"


def test_viewers_come_and_go_and_a_publisher_is_none(room: Room) -> None:
    room.viewers.joined("up", 0, room.now)
    room.watch("a")
    assert set(room.viewers.by_name) == {"a"}
    room.viewers.left("a")
    room.pass_time(0.5)
    assert room.viewers.totals()["viewers"] == 0.0
    room.viewers.viewing("a", [SlotViewing("stage", 200, 0.0)], room.now)
    room.viewers.rtcp("a", b"", room.now)


def test_a_round_serves_a_few_and_asks_to_be_called_again(room: Room) -> None:
    for number in range(3 * AT_ONCE):
        room.watch(f"v{number}")
    room.now += 0.21
    room.viewers.round(room.now)
    assert sum(bool(viewer.given) for viewer in room.viewers.by_name.values()) == AT_ONCE
    assert room.viewers.pressing
    room.viewers.round(room.now)
    room.viewers.round(room.now)
    assert not room.viewers.pressing
    assert all(viewer.given for viewer in room.viewers.by_name.values())


def test_a_queue_that_is_being_emptied_holds_no_picture_and_one_that_stays_does(room: Room) -> None:
    room.watch("a")
    estimate = room.viewers.by_name["a"].estimate
    room.lower("a", 100_000)
    estimate.capacity_bps, estimate._draining = 500_000.0, (room.now, 900.0)
    room.pass_time(4.0)
    assert room.given("a") == 0
    estimate._draining = None
    room.pass_time(3.0)
    assert room.given("a") == STILL


def test_a_viewer_whose_packets_are_numbered_is_never_judged_by_remb_too(room: Room) -> None:
    room.watch("a")
    blocks = struct.pack("!BBHII", 0x8F, 206, 5, 1, 0) + b"REMB" + struct.pack("!BBHI", 1, 0, 50_000, 21)
    assert read_remb(blocks) == 50_000
    for _ in range(5):
        room.viewers.rtcp("a", blocks, room.now)
        room.pass_time(0.3)
    assert room.given("a") == 2
    assert room.viewers.by_name["a"].bps == START_BPS


def test_lines_in_which_packets_wait_are_told_until_they_do_not(room: Room) -> None:
    def fed(delay_us: int) -> bool:
        at = int(room.now * 1e6)
        came = [Burst(at + k * 40_000, at + k * 40_000 + delay_us, 5_000, 5, 0) for k in range(5)]
        room.viewers.by_name["a"].estimate.feed(pack(came), room.now)
        room.pass_time(0.3)
        return "a" in room.viewers.full

    room.watch("a")
    assert [fed(10_000), fed(90_000), fed(10_000), fed(90_000)] == [False, True, False, True]
    room.viewers.left("a")
    assert not room.viewers.full
