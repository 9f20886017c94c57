"""What a synthetic room really sees and hears: decoded pictures by number, tones by frequency."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, VideoFrame

from server.drill.lessonkit.stamps import Stamp, read_stamp
from server.drill.lessonkit.tones import SAMPLE_RATE, Samples, holds_tone


class Seen(NamedTuple):
    """One decoded picture: when (monotonic seconds) and which."""

    at: float
    number: int


@dataclass(slots=True)
class Sights:
    """Pictures of one slot, in the order they came; `unreadable` bore no stamp. `fresh` counts the
    pictures since it was last set back (for the room's reports). `numbered` False: a real device's pictures
    are seen without a stamp, numbered as they come."""

    seen: list[Seen] = field(default_factory=list)
    unreadable: int = 0
    fresh: int = 0
    height: int = 0
    numbered: bool = True

    def first_after(self, at: float) -> Seen | None:
        return next((seen for seen in self.seen if seen.at >= at), None)

    async def watch(self, track: MediaStreamTrack) -> None:
        """Read the track to its end."""
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, VideoFrame)
            self.fresh, self.height = self.fresh + 1, frame.height
            stamp = stamp_of(frame) if self.numbered else None
            if not self.numbered:
                self.seen.append(Seen(time.monotonic(), len(self.seen)))
            elif stamp is None:
                self.unreadable += 1
            else:
                self.seen.append(Seen(time.monotonic(), stamp.number))


@dataclass(slots=True)
class Sounds:
    """Sound of one slot. `heard`: frequency -> when a tone listened for was first heard."""

    listening: set[float] = field(default_factory=set)
    heard: dict[float, float] = field(default_factory=dict)
    fresh: int = 0

    def listen_for(self, frequency: float) -> None:
        self.heard.pop(frequency, None)
        self.listening.add(frequency)

    async def watch(self, track: MediaStreamTrack) -> None:
        """Read the track to its end."""
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, AudioFrame)
            self.fresh += 1
            if self.listening:
                self._compare(samples_of(frame))

    def _compare(self, samples: Samples) -> None:
        for frequency in list(self.listening):
            if holds_tone(samples, frequency):
                self.heard[frequency] = time.monotonic()
                self.listening.discard(frequency)


def stamp_of(frame: VideoFrame) -> Stamp | None:
    """The number in a decoded picture, read from its luma plane as it lies in memory."""
    plane = frame.planes[0]
    luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]  # type: ignore[call-overload]
    return read_stamp(luma)


def samples_of(frame: AudioFrame) -> Samples:
    """Mono samples, -1 to 1, of a decoded Opus block (packed 16 bits, as aiortc decodes)."""
    assert frame.sample_rate == SAMPLE_RATE
    pcm = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
    return np.asarray(pcm.mean(axis=1) / 32768, np.float32)
