"""What a probe finds at a source, as values (pure)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from server.errors import UserFault
from server.protocol.messages import Words

NAMES = {
    "h264": "H.264",
    "hevc": "H.265",
    "mpeg4": "MPEG-4",
    "mpeg2video": "MPEG-2",
    "pcm_alaw": "G.711A",
    "pcm_mulaw": "G.711U",
    "adpcm_g726": "G.726",
}
"""FFmpeg's names of codecs, to those in devices' menus."""


def shown(codec: str, profile: str = "") -> str:
    """A codec as devices' menus have it."""
    return f"{NAMES.get(codec, codec.upper())} {profile}".strip()


class VideoFacts(msgspec.Struct, frozen=True):
    """A picture as it came. `keyframe_every_s`: the longest time between two, or how long was waited for
    the second one (`keyframes` below 2). `level` is H.264's or H.265's own number, 0 where unknown."""

    codec: str  # FFmpeg's name: "h264", "hevc", "mjpeg", ...
    profile: str = ""
    level: int = 0
    width: int = 0
    height: int = 0
    fps: float = 0.0
    bitrate_bps: int = 0
    b_frames: bool = False
    keyframe_every_s: float = 0.0
    keyframes: int = 0
    jitter_ms: float = 0.0  # 95th percentile of how far a picture came from its own time
    drift_ppm: float | None = None  # the source's clock against ours; None: watched for too short a time
    pictures: int = 0
    broken: int = 0  # pictures that could not be decoded
    interlaced: bool = False


class AudioFacts(msgspec.Struct, frozen=True):
    """Sound as it came; `loudness_dbfs`: mean power, -120 is silence; `clipped`: which share of its samples
    stands at full scale."""

    codec: str  # FFmpeg's name: "aac", "pcm_alaw", "opus", ...
    rate_hz: int = 0
    channels: int = 0
    bitrate_bps: int = 0
    loudness_dbfs: float = -120.0
    clipped: float = 0.0


class Fitness(StrEnum):
    """How a point of a source goes through."""

    GOOD = "good"  # as it is
    NOTE = "note"  # it works; better could be had
    TRANSCODE = "transcode"  # it costs CPU for as long as the lesson lasts
    UNFIT = "unfit"  # it cannot be taught with


class Point(msgspec.Struct, frozen=True):
    """One point of the verdict: what is so and, where it should be otherwise, which setting to change."""

    code: str
    fitness: Fitness
    words: Words
    cpu_cores: float = 0.0  # what transcoding it costs on this machine, about


class Report(msgspec.Struct, frozen=True):
    """What a probe says. `address` has no password. `problem`: "" or the stable code of the one point that
    kept the source from being opened. `told`: what was measured, in words, line by line."""

    address: str
    seconds: float
    fitness: Fitness
    points: list[Point]
    video: VideoFacts | None = None
    audio: AudioFacts | None = None
    problem: str = ""
    snapshot_jpeg: bytes | None = None  # base64 in JSON
    told: list[Words] = []


def faulty(fault: UserFault, address: str = "") -> Report:
    """The report of a source that could not be looked at for this fault of its own."""
    point = Point(fault.code, Fitness.UNFIT, fault.words)
    return Report(address, 0.0, Fitness.UNFIT, [point], problem=fault.code)
