"""Loss and reordering on the way to the server: what is in the recording is whole, the rest is listed."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import av
import numpy as np

from recorder.contract import RecordKind
from server.drill.lessonkit.report import read_pictures, read_sound
from server.drill.lessonkit.stamps import SYNC_EVERY_S, read_stamp
from server.drill.lessonkit.tones import SAMPLE_RATE, sync_starts
from tests.fakes.made_recording import make_recording
from tests.fakes.recorded_lesson import (
    camera_packets,
    camera_sender,
    camera_units,
    in_order,
    voice_packets_sent,
    voice_sender,
)

SECONDS = 20.0
GOP = 10


def decode_all(path: Path) -> list[np.ndarray]:
    """Every picture, grey; any error of the decoder is one of the test."""
    pictures = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"err_detect": "explode"}
        for frame in container.decode(stream):
            assert not frame.is_corrupt
            pictures.append(frame.to_ndarray(format="gray"))
    return pictures


def source_pictures() -> dict[int, np.ndarray]:
    """What the publisher encoded, by number."""
    decoder = av.CodecContext.create("h264", "r")
    packets = [av.Packet(unit) for unit in camera_units(SECONDS, gop=GOP)]
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    found = {}
    for frame in frames:
        picture = frame.to_ndarray(format="gray")
        stamp = read_stamp(picture)
        assert stamp is not None
        found[stamp.number] = picture
    return found


def test_at_5_percent_loss_with_reordering_no_picture_is_corrupt_and_holes_are_listed(tmp_path: Path) -> None:
    chance, camera = random.Random(7), camera_packets(camera_sender(), SECONDS, gop=GOP)
    sent = [
        replace(one, at_s=one.at_s + chance.random() * 0.02)
        for one in in_order(camera, voice_packets_sent(voice_sender(), SECONDS))
        if one.kind is not RecordKind.RTP or chance.random() > 0.05
    ]
    tracks = make_recording(tmp_path, in_order(sent), SECONDS)
    source, seen = source_pictures(), []
    for picture in decode_all(tmp_path / "camera.mp4"):
        stamp = read_stamp(picture)
        assert stamp is not None
        assert np.array_equal(picture, source[stamp.number])
        seen.append(stamp.number)
    assert seen == sorted(set(seen))
    missing = set(range(500)) - set(seen)
    assert len(missing) > 50
    holes = [(gap.start_s, gap.end_s) for gap in tracks["camera"].gaps]
    for number in sorted(missing):
        assert any(start - 0.08 <= number / 25 <= end + 0.08 for start, end in holes), number
    assert tracks["voice"].lost > 20
    pictures = [at - stamp.number / 25 for at, stamp in read_pictures(tmp_path / "camera.mp4") if stamp]
    start, sound = read_sound(tmp_path / "voice.mp4")
    tones = [start + at for at in sync_starts(sound)]
    late = [tone - round(tone / SYNC_EVERY_S) * SYNC_EVERY_S for tone in tones]
    assert len(late) >= 3
    assert max(abs(a - v) for a in late[1:] for v in pictures[-200:]) < 0.04
    assert abs(len(sound) / SAMPLE_RATE - SECONDS) < 0.1
