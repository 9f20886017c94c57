"""Pictures that cannot go through as they are: decoded, made smaller where they are too big, encoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.stream import Stream
from av.video.frame import PictureType, VideoFrame

from server.ingest.contract import VIDEO_RATE
from server.ingest.rtp import nals_of

KEYFRAME_EVERY_S = 2
LONGEST_WAIT_S = 0.5  # a keyframe that is asked for is not made more often


@dataclass(slots=True)
class PictureEncoder:
    """H.264 as every browser decodes it: no B-frames, a keyframe each 2 s and when asked for.

    `most_pixels` bounds the picture's size, `fps` is the source's rate."""

    most_pixels: int = 1280 * 720
    fps: int = 25
    bitrate_bps: int = 2_500_000
    keyframe_wanted: bool = False
    _encoder: av.VideoCodecContext | None = None
    _size: tuple[int, int] = (0, 0)
    _keyframe_at: float = field(default=float("-inf"))

    def encode(self, frame: VideoFrame, media: float) -> Iterator[tuple[list[bytes], float]]:
        """The NAL units of each picture that is ready, with its media time."""
        size = fitting(frame.width, frame.height, self.most_pixels)
        if self._encoder is None or size != self._size:
            self._encoder, self._size = self._made(*size), size
        small = frame.reformat(*size, "yuv420p")
        small.pts = round(media * VIDEO_RATE)
        small.time_base = Fraction(1, VIDEO_RATE)
        small.pict_type = PictureType.NONE
        if self.keyframe_wanted and media - self._keyframe_at > LONGEST_WAIT_S:
            small.pict_type, self.keyframe_wanted, self._keyframe_at = PictureType.I, False, media
        for packet in self._encoder.encode(small):
            at = packet.pts / VIDEO_RATE if packet.pts is not None else media
            yield nals_of(bytes(packet), 0), at

    def _made(self, width: int, height: int) -> av.VideoCodecContext:
        encoder = av.CodecContext.create("libx264", "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
        encoder.time_base = Fraction(1, VIDEO_RATE)
        encoder.framerate = Fraction(self.fps, 1)
        encoder.bit_rate = self.bitrate_bps
        encoder.max_b_frames = 0
        encoder.gop_size = KEYFRAME_EVERY_S * self.fps
        encoder.profile = "Constrained Baseline"
        encoder.options = {
            "preset": "veryfast",
            "tune": "zerolatency",
            "x264-params": f"repeat-headers=1:keyint={KEYFRAME_EVERY_S * self.fps}:threads=1:"
            f"vbv-maxrate={self.bitrate_bps // 1000}:vbv-bufsize={self.bitrate_bps // 2000}",
            "forced-idr": "1",
        }
        return encoder


def decode_alone(video: Stream) -> None:
    """Decode a picture of up to 1080p in the calling thread: FFmpeg's threads for slices cost more CPU and
    are no earlier. What is larger needs them."""
    context = video.codec_context
    if isinstance(context, av.VideoCodecContext) and context.width * context.height <= 1920 * 1088:
        context.thread_count = 1


def fitting(width: int, height: int, most_pixels: int) -> tuple[int, int]:
    """The size, made smaller in its shape until it has at most so many pixels; both sides even."""
    scale = min(1.0, (most_pixels / (width * height)) ** 0.5)
    return max(2, round(width * scale) & ~1), max(2, round(height * scale) & ~1)
