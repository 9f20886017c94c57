"""The tables over a real relay: said twice nothing changes, said early it waits, other rooms never."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from server.media.contract import TrackName
from server.media.forwarding import MAX_SLOTS, MAX_TRACKS, Forwarding, Problem
from server.media.keyframes import KeyframeRequests
from server.media.relay.relay import Relay
from server.media.rows import up_row
from server.media.taps import Tap, TapSlot
from server.protocol.parameters import Codec, CodecName, DownSlot, Extensions, Kind, Source, UpTrack

VP8 = Codec(CodecName.VP8, 96, 90_000, rtx=97, nack=True, pli=True)
CAMERA = UpTrack("1", Source.CAMERA, Kind.VIDEO, [VP8], Extensions(mid=4), {11: 12})
STAGE = DownSlot("stage", "0", Kind.VIDEO, [VP8], Extensions(), 21, 22)
NAME = TrackName("up", "1")


@pytest.fixture
def tables() -> Forwarding:
    return Forwarding(Relay(), KeyframeRequests())


@pytest.fixture
def tap(tables: Forwarding) -> Iterator[Tap]:
    made = Tap.open(tables.relay, "L", 1 << 16)
    tables.taps["L"] = made
    yield made
    made.close()


def publish(tables: Forwarding, *tracks: UpTrack, peer: str = "up", room: str = "L") -> int:
    handle = tables.relay.add_peer(b"ufrag-" + peer.encode())
    tables.set_up_tracks(peer, room, handle, list(tracks))
    return handle


def watch(tables: Forwarding, *slots: DownSlot, peer: str = "down", room: str = "L") -> int:
    handle = tables.relay.add_peer(b"ufrag-" + peer.encode())
    tables.set_down_slots(peer, room, handle, list(slots))
    tables.peer_ready(peer)
    return handle


def test_a_slot_waits_for_its_track_and_for_its_return(tables: Forwarding) -> None:
    watch(tables, STAGE)
    down = tables.downs["down"]["stage"]
    tables.point("down", "stage", NAME)
    assert (down.wanted, down.pointed) == (NAME, None)
    handle = publish(tables, CAMERA)
    assert down.pointed == NAME
    tables.set_up_tracks("up", "L", handle, [])
    assert down.pointed is None
    tables.set_up_tracks("up", "L", handle, [CAMERA])
    assert down.pointed == NAME
    tables.point("down", "stage", None)
    assert down.pointed is None


def test_a_slot_forwards_nothing_before_its_peer_is_secured(tables: Forwarding) -> None:
    publish(tables, CAMERA)
    handle = tables.relay.add_peer(b"ufrag-down")
    tables.set_down_slots("down", "L", handle, [STAGE])
    tables.point("down", "stage", NAME)
    assert tables.downs["down"]["stage"].pointed is None
    tables.peer_ready("down")
    assert tables.downs["down"]["stage"].pointed == NAME


def test_tracks_and_slots_said_twice_keep_their_handles(tables: Forwarding) -> None:
    up, down = publish(tables, CAMERA), watch(tables, STAGE)
    before = tables.ups[NAME].handle, tables.downs["down"]["stage"].handle
    tables.set_up_tracks("up", "L", up, [CAMERA])
    tables.set_down_slots("down", "L", down, [STAGE])
    assert (tables.ups[NAME].handle, tables.downs["down"]["stage"].handle) == before


def test_a_changed_track_is_a_new_one_under_its_name(tables: Forwarding) -> None:
    handle = publish(tables, CAMERA)
    watch(tables, STAGE)
    tables.point("down", "stage", NAME)
    before = tables.ups[NAME].handle
    tables.set_up_tracks("up", "L", handle, [msgspec.structs.replace(CAMERA, ssrcs={13: 0})])
    assert tables.ups[NAME].handle != before
    assert tables.downs["down"]["stage"].pointed == NAME


def test_a_voice_whose_bitrate_changes_keeps_its_streams(tables: Forwarding) -> None:
    opus = Codec(CodecName.OPUS, 111, 48_000, nack=True)
    voice = UpTrack("0", Source.VOICE, Kind.AUDIO, [opus], Extensions(), {31: 0}, max_bitrate_bps=64_000)
    handle = publish(tables, voice)
    before = tables.ups[TrackName("up", "0")].handle
    music = msgspec.structs.replace(voice, max_bitrate_bps=128_000)
    tables.set_up_tracks("up", "L", handle, [music])
    assert tables.ups[TrackName("up", "0")].handle == before
    assert tables.ups[TrackName("up", "0")].track == music


def test_other_rooms_are_out_of_reach(tables: Forwarding, tap: Tap) -> None:
    publish(tables, CAMERA, room="elsewhere")
    watch(tables, STAGE)
    with pytest.raises(Problem, match="other_room"):
        tables.point("down", "stage", NAME)
    with pytest.raises(Problem, match="other_room"):
        tables.tap_track(tap, TapSlot(1, NAME, b"", 0.0))
    assert tables.downs["down"]["stage"].pointed is None


def test_a_waiting_slot_is_not_given_a_track_that_appears_in_another_room(tables: Forwarding) -> None:
    watch(tables, STAGE)
    tables.point("down", "stage", NAME)
    publish(tables, CAMERA, room="elsewhere")
    assert tables.downs["down"]["stage"].pointed is None


@pytest.mark.parametrize(
    ("slots", "code"),
    [
        ([], "slot_removed"),
        ([msgspec.structs.replace(STAGE, ssrc=99)], "slot_changed"),
        ([STAGE, msgspec.structs.replace(STAGE, name="screen", mid="1")], "ssrc_collision"),
        ([STAGE] * (MAX_SLOTS + 1), "too_many_slots"),
        ([STAGE, msgspec.structs.replace(STAGE, name="x", ssrc=0, rtx_ssrc=0)], "bad_slot"),
    ],
)
def test_slots_only_grow(tables: Forwarding, slots: list[DownSlot], code: str) -> None:
    handle = watch(tables, STAGE)
    with pytest.raises(Problem) as caught:
        tables.set_down_slots("down", "L", handle, slots)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("tracks", "code"),
    [
        ([CAMERA] * (MAX_TRACKS + 1), "too_many_tracks"),
        ([CAMERA, CAMERA], "duplicate_mid"),
        ([CAMERA, msgspec.structs.replace(CAMERA, mid="2")], "ssrc_collision"),
        ([msgspec.structs.replace(CAMERA, mid="m" * 99)], "bad_track"),
    ],
)
def test_bad_tracks_are_refused_by_code(tables: Forwarding, tracks: list[UpTrack], code: str) -> None:
    with pytest.raises(Problem) as caught:
        publish(tables, *tracks)
    assert caught.value.code == code


def test_a_peer_that_goes_leaves_no_row(tables: Forwarding) -> None:
    publish(tables, CAMERA)
    watch(tables, STAGE)
    tables.point("down", "stage", NAME)
    tables.remove_peer("up")
    tables.remove_peer("down")
    assert (tables.ups, tables.downs, tables.up_by_handle, tables.ready) == ({}, {}, {}, set())


def test_a_tap_ends_a_track_that_goes_and_begins_it_again(tables: Forwarding, tap: Tap) -> None:
    slot = TapSlot(1, NAME, b"note", 4.0)
    tables.tap_track(tap, slot)
    assert not slot.started
    handle = publish(tables, CAMERA)
    assert slot.started
    tables.set_up_tracks("up", "L", handle, [])
    assert not slot.started
    tables.set_up_tracks("up", "L", handle, [CAMERA])
    tables.tap_track(tap, TapSlot(1, NAME, b"note", 4.0))
    assert tap.slots[1] is slot
    tables.tap_track(tap, TapSlot(1, TrackName("up2", "1"), b"note", 4.0))
    assert not tap.slots[1].started


def test_sound_with_redundancy_is_asked_for_again_where_its_opus_is() -> None:
    red = Codec(CodecName.RED, 63, 48_000)
    for nack in (True, False):
        opus = Codec(CodecName.OPUS, 111, 48_000, nack=nack)
        track = UpTrack("0", Source.VOICE, Kind.AUDIO, [red, opus], Extensions())
        assert [codec.nack for codec in up_row(track).codecs] == [nack, nack]
