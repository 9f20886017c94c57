"""What a probe finds at a source, as values (pure)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from server.protocol.messages import Words


class VideoFacts(msgspec.Struct, frozen=True):
    """A picture as it came. `keyframe_every_s`: the longest time between two, or how long was waited for
    the second one (`keyframes` below 2). `level` is H.264's or H.265's own, 0 where unknown."""

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


class AudioFacts(msgspec.Struct, frozen=True):
    """Sound as it came; `loudness_dbfs`: mean power, -120 is silence."""

    codec: str  # FFmpeg's name: "aac", "pcm_alaw", "opus", ...
    rate_hz: int = 0
    channels: int = 0
    bitrate_bps: int = 0
    loudness_dbfs: float = -120.0


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
    kept the source from being opened."""

    address: str
    seconds: float
    fitness: Fitness
    points: list[Point]
    video: VideoFacts | None = None
    audio: AudioFacts | None = None
    problem: str = ""
    snapshot_jpeg: bytes | None = None  # base64 in JSON
