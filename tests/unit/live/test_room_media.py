"""What a lesson knows of its media without asking the worker."""

from __future__ import annotations

from server.live.connections import Connection, Direction
from server.live.room_media import RoomMedia
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
