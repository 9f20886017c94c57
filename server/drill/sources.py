"""The synthetic classroom's devices as aiortc tracks, all on one clock.

A picture that is late is left out, never sent late: numbers and time stay in step, whatever the
encoder costs.
"""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction
from typing import Protocol

import numpy as np
from aiortc.mediastreams import MediaStreamTrack
from av import AudioFrame, VideoFrame

from server.drill.lessonkit.stamps import Picture
from server.drill.lessonkit.tones import SAMPLE_RATE, Samples

BLOCK = SAMPLE_RATE // 50  # 20 ms


class Pictures(Protocol):
    """`lessonkit.media.Camera` and `Screen`."""

    fps: int

    def frame(self, number: int) -> Picture: ...


class Sound(Protocol):
    """`lessonkit.media.Voice` and `Tone`."""

    def samples(self, start: int, count: int) -> Samples: ...


class StartTime:
    """When number 0 and sample 0 are due: the first moment anybody asks. Monotonic seconds."""

    def __init__(self) -> None:
        self._at: float | None = None

    def elapsed(self) -> float:
        now = time.monotonic()
        if self._at is None:
            self._at = now
        return now - self._at

    async def wait_until(self, elapsed_s: float) -> None:
        if (left := elapsed_s - self.elapsed()) > 0:
            await asyncio.sleep(left)


class PictureTrack(MediaStreamTrack):
    """Pictures as they become due. `sent_at`: number -> when it went to the encoder (monotonic)."""

    kind = "video"

    def __init__(self, pictures: Pictures, clock: StartTime) -> None:
        super().__init__()
        self.sent_at: dict[int, float] = {}
        self._pictures, self._clock = pictures, clock
        self._number = -1

    async def recv(self) -> VideoFrame:
        fps = self._pictures.fps
        self._number = max(self._number + 1, int(self._clock.elapsed() * fps))
        await self._clock.wait_until(self._number / fps)
        frame = VideoFrame.from_ndarray(self._pictures.frame(self._number), format="bgr24")
        frame.pts, frame.time_base = self._number, Fraction(1, fps)
        self.sent_at[self._number] = time.monotonic()
        return frame


class SoundTrack(MediaStreamTrack):
    """Blocks of 20 ms as they become due; after a stall the missed ones follow at once."""

    kind = "audio"

    def __init__(self, sound: Sound, clock: StartTime) -> None:
        super().__init__()
        self._sound, self._clock = sound, clock
        self._block = -1

    async def recv(self) -> AudioFrame:
        if self._block < 0:
            self._block = int(self._clock.elapsed() * 50) - 1
        self._block += 1
        await self._clock.wait_until(self._block / 50)
        samples = self._sound.samples(self._block * BLOCK, BLOCK)
        pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16)[None]
        frame = AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = (
            SAMPLE_RATE,
            self._block * BLOCK,
            Fraction(1, SAMPLE_RATE),
        )
        return frame
