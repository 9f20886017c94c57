"""Every fact that a probe measures stands in its words."""

from __future__ import annotations

import pytest

from server.ingest.facts import AudioFacts, VideoFacts
from server.ingest.telling import told

VIDEO = VideoFacts("h264", "Main", 40, 1920, 1080, 25.0, 3_100_000, True, 2.0, 4, 12.0, 31.0, 150, 0, True)
AUDIO = AudioFacts("pcm_alaw", 8000, 1, 64_000, -21.4)


@pytest.mark.parametrize(
    "fact",
    [
        *("H.264", "Main", "4.0", "1920×1080", "interlaced", "25 pictures", "3.1 Mbit/s", "B-frames"),
        *("2.0 s apart", "12 ms", "+31 ppm", "G.711A", "8 kHz", "mono", "64 kbit/s", "-21 dBFS"),
    ],
)
def test_each_fact_is_told(fact: str) -> None:
    assert fact in " ".join(line.en for line in told(VIDEO, AUDIO))


def test_what_was_not_seen_is_not_told_as_a_figure() -> None:
    short = VideoFacts("hevc", level=120, keyframe_every_s=8.0, keyframes=1)
    lines = " ".join(line.en for line in told(short, AudioFacts("aac", 48000, 2)))
    assert "@ 4.0" in lines
    assert "more than 8 s apart" in lines
    assert "after 20 s" in lines
    assert "silence" in lines
    assert told(None, None) == []
