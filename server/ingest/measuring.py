"""Watching an open source for some seconds: what comes, how evenly, and one picture of it. Blocking."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import PictureType, VideoFrame

from server.ingest.facts import AudioFacts, VideoFacts
from server.ingest.verdict import READABLE_PIXELS

SETTLE_S = 0.5  # what a device sends at once at the beginning says nothing of its evenness
DRIFT_S = 20.0  # a drift is only told after watching for so long
MOST_PACKETS = 50_000
SNAPSHOT_WIDTH = 640
JITTER_SHARE = 95


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
    snapshot: VideoFrame | None = None

    def take(self, packet: Packet[Stream], now: float) -> None:
        self.packets += 1
        self.octets += packet.size
        if packet.pts is not None and packet.time_base is not None:
            own = float(packet.pts * Fraction(packet.time_base))
            self.arrivals.append((now, own))
        if packet.is_keyframe:
            self.keyframes.append(now)
        if packet.pts is not None and packet.dts is not None and packet.pts != packet.dts:
            self.reordered = True


def watch(container: InputContainer, seconds: float) -> tuple[Watched | None, Watched | None, float]:
    """The first picture and the first sound of a source, watched for so long: both, and the seconds it took.
    SourceFault's cause (FFmpegError) where the source ends at once."""
    video = Watched(container.streams.video[0]) if container.streams.video else None
    audio = Watched(container.streams.audio[0]) if container.streams.audio else None
    watched = {each.stream.index: each for each in (video, audio) if each}
    began = time.monotonic()
    for packet in _packets(container, [each.stream for each in watched.values()]):
        now = time.monotonic() - began
        one = watched[packet.stream.index]
        one.take(packet, now)
        _decode(one, packet)
        if now >= seconds or one.packets >= MOST_PACKETS:
            break
    return video, audio, time.monotonic() - began


def video_facts(watched: Watched, seconds: float) -> VideoFacts:
    """The picture's facts; `seconds` is how long it was watched."""
    context = watched.stream.codec_context
    gaps = [later - before for before, later in zip(watched.keyframes, watched.keyframes[1:], strict=False)]
    last = seconds - watched.keyframes[-1] if watched.keyframes else seconds
    jitter, drift = evenness(watched.arrivals)
    return VideoFacts(
        codec=context.name,
        profile=context.profile or "",
        level=_level(context.name, context.extradata),
        width=getattr(context, "width", 0),
        height=getattr(context, "height", 0),
        fps=round(_rate(watched.arrivals), 2),
        bitrate_bps=round(watched.octets * 8 / seconds) if seconds else 0,
        b_frames=watched.reordered,
        keyframe_every_s=round(max([*gaps, last] if gaps else [seconds]), 2),
        keyframes=len(watched.keyframes),
        jitter_ms=jitter,
        drift_ppm=drift,
        pictures=watched.decoded,
        broken=watched.broken,
    )


def audio_facts(watched: Watched, seconds: float) -> AudioFacts:
    """The sound's facts."""
    context = watched.stream.codec_context
    mean = watched.power / watched.samples if watched.samples else 0.0
    return AudioFacts(
        codec=context.name,
        rate_hz=getattr(context, "sample_rate", 0),
        channels=getattr(context, "channels", 0),
        bitrate_bps=round(watched.octets * 8 / seconds) if seconds else 0,
        loudness_dbfs=round(max(-120.0, 10 * float(np.log10(mean))) if mean else -120.0, 1),
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
    if watched.snapshot is None or frame.key_frame:
        watched.snapshot = frame


def _listen(watched: Watched, frame: av.AudioFrame) -> None:
    sound = frame.to_ndarray()
    full_scale = float(2 ** (8 * sound.dtype.itemsize - 1)) if sound.dtype.kind == "i" else 1.0
    scaled = sound.astype(np.float32) / full_scale
    watched.power += float(np.square(scaled).sum())
    watched.samples += scaled.size


def _rate(arrivals: list[tuple[float, float]]) -> float:
    own = [each for _, each in arrivals]
    return (len(own) - 1) / (max(own) - min(own)) if len(own) > 1 and max(own) > min(own) else 0.0


def _level(codec: str, extradata: bytes | None) -> int:
    """H.264's level_idc out of its parameter set: avcC (ISO 14496-15) or Annex B."""
    if codec != "h264" or not extradata or len(extradata) < 8:
        return 0
    if extradata[0] == 1:
        return extradata[3]
    at = extradata.find(b"\0\0\1")
    return extradata[at + 6] if at >= 0 and len(extradata) > at + 6 and extradata[at + 3] & 31 == 7 else 0
