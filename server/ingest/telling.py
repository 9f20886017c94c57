"""What a probe measured, as sentences (pure): every figure, whether the verdict speaks of it or not."""

from __future__ import annotations

from collections.abc import Iterator

from server.ingest.facts import AudioFacts, VideoFacts, shown
from server.protocol.messages import Words

LEVELS = {"h264": 10, "hevc": 30}  # the codec's own number to the one that devices show
SILENCE_DBFS = -119.0


def told(video: VideoFacts | None, audio: AudioFacts | None) -> list[Words]:
    """A line each of the picture, its structure and the sound."""
    return [*(_picture(video) if video else ()), *(_sound(audio) if audio else ())]


def _picture(video: VideoFacts) -> Iterator[Words]:
    size = (f"{video.width}×{video.height}",) * 2 if video.width else ("尺寸未知", "size not told")
    codec, rate = shown(video.codec, video.profile), _rate(video.bitrate_bps)
    if video.level and video.codec in LEVELS:
        codec += f" @ {video.level / LEVELS[video.codec]:.1f}"
    interlaced = ("，隔行", ", interlaced") if video.interlaced else ("", "")
    yield Words(
        f"画面：{codec}，{size[0]}{interlaced[0]}，{video.fps:.0f} 帧/秒，{rate}",
        f"Picture: {codec}, {size[1]}{interlaced[1]}, {video.fps:.0f} pictures/s, {rate}",
    )
    every = video.keyframe_every_s
    b_frames = ("有", "B-frames") if video.b_frames else ("无", "no B-frames")
    far = (
        (f"关键帧最长间隔 {every:.1f} 秒", f"keyframes at most {every:.1f} s apart")
        if video.keyframes >= 2
        else (f"关键帧间隔超过 {every:.0f} 秒", f"keyframes more than {every:.0f} s apart")
    )
    drift = (
        ("时钟偏差需观察 20 秒以上", "clock drift: told after 20 s")
        if video.drift_ppm is None
        else (f"时钟偏差 {video.drift_ppm:+.0f} ppm", f"clock drift {video.drift_ppm:+.0f} ppm")
    )
    jitter = (f"到达抖动 {video.jitter_ms:.0f} 毫秒", f"jitter {video.jitter_ms:.0f} ms")
    yield Words(
        f"B 帧：{b_frames[0]}；{far[0]}；{jitter[0]}；{drift[0]}",
        f"Structure: {b_frames[1]}, {far[1]}, {jitter[1]}, {drift[1]}",
    )


def _sound(audio: AudioFacts) -> Iterator[Words]:
    codec, rate = shown(audio.codec), _rate(audio.bitrate_bps)
    hertz = f"{audio.rate_hz / 1000:g} kHz"
    channels = {1: ("单声道", "mono"), 2: ("立体声", "stereo")}.get(
        audio.channels, (f"{audio.channels} 声道", f"{audio.channels} channels")
    )
    silent = audio.loudness_dbfs <= SILENCE_DBFS
    loudness = f"{audio.loudness_dbfs:.0f} dBFS"
    loud = ("静音", "silence") if silent else (f"响度 {loudness}", f"loudness {loudness}")
    yield Words(
        f"声音：{codec}，{hertz}，{channels[0]}，{rate}，{loud[0]}",
        f"Sound: {codec}, {hertz}, {channels[1]}, {rate}, {loud[1]}",
    )


def _rate(bps: int) -> str:
    return f"{bps / 1e6:.1f} Mbit/s" if bps >= 1_000_000 else f"{bps / 1e3:.0f} kbit/s"
