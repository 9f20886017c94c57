"""A device's sound as Opus packets of 20 ms: by copy where it is Opus already, else decoded and encoded."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.stream import Stream

from server.ingest.contract import AUDIO_RATE

FRAME = AUDIO_RATE // 50  # samples in 20 ms
SLIP_S = 0.03  # sound this far from its place is put there
BITRATES = {1: 64_000, 2: 96_000}


class OpusEncoder:
    """Frames of any rate and layout in, Opus out; channels and rate are explicit, FFmpeg's own Opus is not
    used (it crackles). One for the life of a source's connection."""

    def __init__(self, channels: int) -> None:
        self.channels = 2 if channels > 1 else 1
        layout = "stereo" if self.channels == 2 else "mono"
        encoder = av.CodecContext.create("libopus", "w")
        assert isinstance(encoder, av.AudioCodecContext)
        encoder.sample_rate = AUDIO_RATE
        encoder.layout = layout
        encoder.format = "s16"
        encoder.bit_rate = BITRATES[self.channels]
        encoder.time_base = Fraction(1, AUDIO_RATE)
        encoder.options = {
            "compression_level": "5",
            "frame_duration": "20",
            "application": "audio",
            "vbr": "on",
        }
        self._encoder = encoder
        self._at: float | None = None  # media time of the next packet
        self._expected = 0.0  # media time of the next frame, where nothing slips

    def encode(self, frame: AudioFrame, media: float) -> Iterator[tuple[bytes, float]]:
        """Opus packets, each with its media time; `media` is the frame's."""
        if self._at is None:
            self._at = self._expected = media
        elif abs(media - self._expected) > SLIP_S:
            self._at += media - self._expected
            self._expected = media
        self._expected += frame.samples / (frame.sample_rate or AUDIO_RATE)
        frame.pts = None
        for packet in self._encoder.encode(frame):  # PyAV resamples and cuts into 20 ms by itself
            assert self._at is not None
            yield bytes(packet), self._at
            self._at += FRAME / AUDIO_RATE


def channels_of(stream: Stream) -> int:
    return int(getattr(stream.codec_context, "channels", 1) or 1)
