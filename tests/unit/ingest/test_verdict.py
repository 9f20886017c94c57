"""Each fact of a source leads to its sentence and its setting."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from server.ingest.facts import AudioFacts, Fitness, VideoFacts
from server.ingest.verdict import judge, transcode_cores

GOOD = VideoFacts("h264", "Main", 40, 1920, 1080, 25.0, 3_000_000, False, 2.0, 4, 5.0, 20.0, 150)
AAC = AudioFacts("aac", 48000, 2, 128_000, -20.0)


@dataclass(frozen=True)
class Case:
    code: str
    fitness: Fitness
    says: str
    video: dict[str, object]


CASES = [
    Case("codec_hevc", Fitness.TRANSCODE, "Set the codec to H.264", {"codec": "hevc"}),
    Case("codec_mjpeg", Fitness.TRANSCODE, "Use the H.264 stream", {"codec": "mjpeg"}),
    Case("codec_mpeg4", Fitness.TRANSCODE, "Set the codec to H.264", {"codec": "mpeg4"}),
    Case("b_frames", Fitness.TRANSCODE, "Set profile to Main, B-frames to 0", {"b_frames": True}),
    Case("long_keyframes", Fitness.TRANSCODE, "I-frame interval to 50", {"keyframe_every_s": 10.0}),
    Case(
        "long_keyframes",
        Fitness.TRANSCODE,
        "Turn off Smart Codec/H.264+",
        {"keyframe_every_s": 8.0, "keyframes": 1},
    ),
    Case("over_1080p", Fitness.TRANSCODE, "1920x1080", {"width": 2560, "height": 1440}),
    Case("too_big", Fitness.UNFIT, "1920x1080", {"width": 7680, "height": 4320}),
    Case(
        "no_keyframe", Fitness.TRANSCODE, "Turn off", {"keyframe_every_s": 8, "keyframes": 0, "pictures": 0}
    ),
    Case("no_picture_decoded", Fitness.UNFIT, "restart", {"pictures": 0}),
    Case("h264_profile", Fitness.TRANSCODE, "Set profile to Main", {"profile": "High 4:2:2"}),
    Case("small_picture", Fitness.NOTE, "main stream", {"width": 352, "height": 288}),
    Case("interlaced", Fitness.NOTE, "progressive", {"interlaced": True}),
    Case("high_frame_rate", Fitness.NOTE, "25", {"fps": 60.0}),
    Case("no_picture_decoded", Fitness.UNFIT, "H.264", {"width": 0, "height": 0, "pictures": 0}),
    Case("high_bitrate", Fitness.NOTE, "4 Mbit/s", {"bitrate_bps": 16_000_000}),
    Case("low_frame_rate", Fitness.NOTE, "25", {"fps": 6.0}),
    Case("jitter", Fitness.NOTE, "cable", {"jitter_ms": 200.0}),
    Case("clock_drift", Fitness.NOTE, "NTP", {"drift_ppm": -900.0}),
    Case("broken_pictures", Fitness.NOTE, "switch", {"broken": 3}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_fact_leads_to_its_sentence_and_setting(case: Case) -> None:
    fitness, points = judge(msgspec.structs.replace(GOOD, **case.video), AAC)
    point = next(point for point in points if point.code == case.code)
    assert (fitness, point.fitness) == (case.fitness, case.fitness)
    assert case.says in point.words.en
    assert point.words.zh
    assert (point.cpu_cores > 0) == (case.fitness is Fitness.TRANSCODE)


def test_a_good_source_goes_through_as_it_is() -> None:
    fitness, points = judge(GOOD, AAC)
    assert fitness is Fitness.GOOD
    assert {point.code for point in points} == {"codec_h264", "keyframes", "audio_converted"}


@pytest.mark.parametrize(
    ("audio", "code", "fitness"),
    [
        (None, "no_audio", Fitness.NOTE),
        (AudioFacts("pcm_alaw", 8000, 1, 64_000, -20.0), "narrow_sound", Fitness.NOTE),
        (AudioFacts("aac", 48000, 2, 2_000, -90.0), "silent", Fitness.NOTE),
        (AudioFacts("aac", 48000, 2, 2_000, -3.0, 0.2), "clipping", Fitness.NOTE),
        (AudioFacts("opus", 48000, 2, 64_000, -20.0), "audio_opus", Fitness.GOOD),
    ],
)
def test_sound_has_its_own_sentences(audio: AudioFacts | None, code: str, fitness: Fitness) -> None:
    worst, points = judge(GOOD, audio)
    assert worst is fitness
    assert code in {point.code for point in points}


def test_what_is_transcoded_is_not_said_to_go_through_as_it_is() -> None:
    _, points = judge(msgspec.structs.replace(GOOD, b_frames=True), AAC)
    assert not any("as it is" in point.words.en for point in points)
    _, points = judge(msgspec.structs.replace(GOOD, codec="hevc", b_frames=True), AAC)
    assert "b_frames" not in {point.code for point in points}, "which another codec need not have"


def test_sound_alone_is_no_camera_and_the_worst_stands_first() -> None:
    fitness, points = judge(None, AAC)
    assert fitness is Fitness.UNFIT
    assert points[0].code == "no_video"


def test_the_cost_of_transcoding_grows_with_pictures_and_pixels() -> None:
    small = msgspec.structs.replace(GOOD, width=960, height=540)
    assert transcode_cores(GOOD) == pytest.approx(4 * transcode_cores(small), rel=0.05)


def test_of_a_sound_encoder_only_its_sound_counts() -> None:
    heard = AudioFacts("aac", 48_000, 1, loudness_dbfs=-20.0)
    assert judge(None, heard, sound_only=True)[0] is Fitness.GOOD
    assert judge(None, None, sound_only=True)[0] is Fitness.UNFIT


def test_who_pushes_is_not_told_of_an_address_or_of_rtsp() -> None:
    rough = msgspec.structs.replace(GOOD, jitter_ms=400.0, broken=3, width=320, height=180)
    assert "RTSP" in str(judge(rough, AAC)[1])
    for video in (rough, None):
        said = str(judge(video, AAC, pushed=True)[1])
        assert not any(word in said for word in ("RTSP", "TCP", "address", "地址")), said
