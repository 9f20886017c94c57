"""Watching an open source for some seconds: what comes, how evenly, and one picture of it. Blocking."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import PictureType, VideoFrame

from server.ingest.facts import AudioFacts, VideoFacts
from server.ingest.verdict import LONGEST_KEYFRAME_S, READABLE_PIXELS

SETTLE_S = 0.5  # what a device sends at once at the beginning says nothing of its evenness
DRIFT_S = 20.0  # a drift is only told after watching for so long
OPENED_S = 5.0  # the most that comes before the watch begins
MOST_PACKETS = 50_000
SNAPSHOT_WIDTH = 640
JITTER_SHARE = 95
FULL_SCALE = 0.995  # what a codec makes of a sample that stood at the end of its scale


@dataclass(slots=True)
class Watched:
    """What was seen of one stream."""

    stream: Stream
    packets: int = 0
    octets: int = 0
    arrivals: list[tuple[float, float]] = field(default_factory=list)  # (arrival, own time), in s
    keyframes: list[float] = field(default_factory=list)
    reordered: bool = False
    broken: int = 0
    decoded: int = 0
    power: float = 0.0
    samples: int = 0
    clipped: int = 0
    interlaced: int = 0
    snapshot: VideoFrame | None = None

    def take(self, packet: Packet[Stream], now: float) -> None:
        self.packets += 1
        self.octets += packet.size
        stamp = packet.pts if packet.dts is None else packet.dts  # B-frames are not shown as they come
        if stamp is not None and packet.time_base is not None:
            own = float(stamp * Fraction(packet.time_base))
            self.arrivals.append((now, own))
        if packet.is_keyframe:
            self.keyframes.append(now)
        if packet.pts is not None and packet.dts is not None and packet.pts != packet.dts:
            self.reordered = True


def watch(
    container: InputContainer, seconds: float, *, sound_only: bool = False
) -> tuple[Watched | None, Watched | None, float]:
    """The first picture and the first sound of a source, watched for so long, and on until it is known how
    far apart keyframes are (twice LONGEST_KEYFRAME_S at most; not of what is transcoded anyway, nor for
    `sound_only`): both, and the seconds it took.
    SourceFault's cause (FFmpegError) where the source ends at once."""
    video = Watched(container.streams.video[0]) if container.streams.video else None
    audio = Watched(container.streams.audio[0]) if container.streams.audio else None
    copied = video is not None and video.stream.codec_context.name == "h264" and not sound_only
    watched = {each.stream.index: each for each in (video, audio) if each}
    if not watched:
        return None, None, 0.0  # asked for none, the library would hand out every packet
    began = time.monotonic()
    for packet in _packets(container, [each.stream for each in watched.values()]):
        now = time.monotonic() - began
        one = watched[packet.stream.index]
        one.take(packet, now)
        _decode(one, packet)
        undecided = copied and video is not None and waits_for_keyframe(video.keyframes, now)
        if (now >= seconds and not undecided) or one.packets >= MOST_PACKETS:
            break
    return video, audio, time.monotonic() - began


def waits_for_keyframe(keyframes: list[float], now: float) -> bool:
    """Whether it is open yet how far apart keyframes are: no two came, nor was it too long already."""
    return len(keyframes) < 2 and now - (keyframes[-1] if keyframes else 0.0) <= LONGEST_KEYFRAME_S


def video_facts(watched: Watched, seconds: float) -> VideoFacts:
    """The picture's facts; `seconds` is how long it was watched."""
    context = watched.stream.codec_context
    marks = [0.0, *watched.keyframes, seconds]
    jitter, drift = evenness(watched.arrivals)
    return VideoFacts(
        codec=context.name,
        profile=context.profile or "",
        level=max(0, getattr(context, "level", 0) or 0) if context.name in ("h264", "hevc") else 0,
        width=getattr(context, "width", 0),
        height=getattr(context, "height", 0),
        fps=round(_rate(watched.arrivals), 2),
        bitrate_bps=_bitrate(watched, seconds),
        b_frames=watched.reordered,
        keyframe_every_s=round(max(later - before for before, later in pairwise(marks)), 2),
        keyframes=len(watched.keyframes),
        jitter_ms=jitter,
        drift_ppm=drift,
        pictures=watched.decoded,
        broken=watched.broken,
        interlaced=watched.interlaced * 2 > watched.decoded,
    )


def audio_facts(watched: Watched, seconds: float) -> AudioFacts:
    """The sound's facts."""
    context = watched.stream.codec_context
    mean = watched.power / watched.samples if watched.samples else 0.0
    return AudioFacts(
        codec=context.name,
        rate_hz=getattr(context, "sample_rate", 0),
        channels=getattr(context, "channels", 0),
        bitrate_bps=_bitrate(watched, seconds),
        loudness_dbfs=round(max(-120.0, 10 * float(np.log10(mean))) if mean else -120.0, 1),
        clipped=round(watched.clipped / watched.samples, 4) if watched.samples else 0.0,
    )


def evenness(arrivals: list[tuple[float, float]]) -> tuple[float, float | None]:
    """Jitter (ms, 95th percentile about the line) and drift (ppm, None if watched too short) of arrivals in
    seconds against the source's own times: a straight line through both (least squares)."""
    settled = [pair for pair in arrivals if pair[0] >= SETTLE_S]
    if len(settled) < 10:
        return 0.0, None
    here, own = (np.array(column) for column in zip(*settled, strict=True))
    slope, offset = np.polyfit(own - own[0], here, 1)
    away = np.abs(here - (slope * (own - own[0]) + offset)) * 1000
    long_enough = here[-1] - here[0] >= DRIFT_S
    return round(float(np.percentile(away, JITTER_SHARE)), 1), round(
        (slope - 1) * 1e6
    ) if long_enough else None


def jpeg(frame: VideoFrame) -> bytes:
    """The picture as a JPEG, at most SNAPSHOT_WIDTH wide."""
    width = min(SNAPSHOT_WIDTH, frame.width) & ~1
    height = max(2, round(frame.height * width / frame.width) & ~1)
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    small = frame.reformat(width, height, "yuvj420p")
    small.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(small), *encoder.encode(None)))


def _packets(container: InputContainer, streams: list[Stream]) -> Iterator[Packet[Stream]]:
    """Until the source ends; one that breaks off after it had begun has only ended."""
    begun = False
    try:
        for packet in container.demux(*streams):
            if packet.size:
                begun = True
                yield packet
    except FFmpegError:
        if not begun:
            raise


def _decode(watched: Watched, packet: Packet[Stream]) -> None:
    context = watched.stream.codec_context
    if getattr(context, "width", 0) * getattr(context, "height", 0) > READABLE_PIXELS:
        watched.decoded += 1  # too big to be looked at here; the verdict says so
        return
    try:
        for frame in packet.decode():
            if isinstance(frame, VideoFrame):
                _look(watched, frame)
            elif isinstance(frame, av.AudioFrame):
                _listen(watched, frame)
    except FFmpegError:
        watched.broken += 1


def _look(watched: Watched, frame: VideoFrame) -> None:
    watched.decoded += 1
    watched.reordered |= frame.pict_type == PictureType.B
    watched.interlaced += frame.interlaced_frame
    if watched.snapshot is None or frame.key_frame:
        watched.snapshot = frame


def _listen(watched: Watched, frame: av.AudioFrame) -> None:
    sound = frame.to_ndarray()
    full_scale = float(2 ** (8 * sound.dtype.itemsize - 1)) if sound.dtype.kind == "i" else 1.0
    scaled = sound.astype(np.float32) / full_scale
    watched.power += float(np.square(scaled).sum())
    watched.samples += scaled.size
    watched.clipped += int(np.count_nonzero(np.abs(scaled) >= FULL_SCALE))


def _rate(arrivals: list[tuple[float, float]]) -> float:
    own = [each for _, each in arrivals]
    return (len(own) - 1) / (max(own) - min(own)) if len(own) > 1 and max(own) > min(own) else 0.0


def _bitrate(watched: Watched, seconds: float) -> int:
    """By the source's own times, for what came while it was opened comes at once; by ours where they jump."""
    own = [each for _, each in watched.arrivals]
    span = (max(own) - min(own)) * len(own) / (len(own) - 1) if len(own) > 1 else 0.0
    lasted = span if seconds / 2 <= span <= seconds + OPENED_S else seconds
    return round(watched.octets * 8 / lasted) if lasted else 0
