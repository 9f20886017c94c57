"""What a lesson knows of its media without asking the worker."""

from __future__ import annotations

from server.live.connections import Connection, Direction
from server.live.room_media import BOX_SEAT, WHIP_SEAT, RoomMedia
from server.media.contract import TrackChanged, TrackName
from server.protocol.parameters import (
    Codec,
    CodecName,
    DownSlot,
    Extensions,
    Kind,
    LocalTransport,
    Source,
    UpTrack,
)

TRANSPORT = LocalTransport("u", "p", [], [])
VP8, H264 = Codec(CodecName.VP8, 96, 90_000), Codec(CodecName.H264, 102, 90_000)
CAMERA = UpTrack("1", Source.CAMERA, Kind.VIDEO, [H264, VP8], Extensions(), {11: 12})
SHOWN = {"stage": ("main", Source.CAMERA)}


def test_a_slot_lacks_the_codec_that_really_comes_not_one_that_might() -> None:
    media = RoomMedia("L", "main")
    media.connections["up"] = Connection("up", "main", Direction.UP, TRANSPORT, tracks=[CAMERA])
    slot = DownSlot("stage", "0", Kind.VIDEO, [VP8], Extensions(), 21, 22)
    viewer = Connection("down", "shahe", Direction.DOWN, TRANSPORT, slots=[slot])
    assert not media.lacks_codec(viewer, SHOWN, media.tracks()), "nothing comes yet"
    for codec, lacks in ((CodecName.H264, True), (CodecName.VP8, False)):
        media.track_changed(TrackChanged(TrackName("up", "1"), Source.CAMERA, True, codec), 1)
        assert media.lacks_codec(viewer, SHOWN, media.tracks()) is lacks
    assert not media.lacks_codec(viewer, {}, media.tracks())


def test_a_muted_main_rooms_voice_by_a_foreign_encoder_is_left_out_for_nobody_can_silence_it() -> None:
    media, origin = RoomMedia("L", "main"), ("main", Source.VOICE)
    voice = UpTrack("0", Source.VOICE, Kind.AUDIO, [Codec(CodecName.OPUS, 111, 48_000)], Extensions(), {1: 0})
    for seat, left in (("main", True), (BOX_SEAT + "camera", True), (WHIP_SEAT + "1", False)):
        media.connections = {"up": Connection("up", seat, Direction.UP, TRANSPORT, tracks=[voice, CAMERA])}
        media.muted = False
        assert origin in media.tracks()
        media.muted = True
        assert (origin in media.tracks()) is left
        assert ("main", Source.CAMERA) in media.tracks()
