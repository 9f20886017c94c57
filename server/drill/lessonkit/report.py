"""What a recording holds, read from its pictures' numbers and its sync marks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import av
import msgspec
import numpy as np

from server.drill.lessonkit.stamps import SYNC_EVERY_S, Stamp, read_stamp
from server.drill.lessonkit.tones import SAMPLE_RATE, Samples, sync_starts


class Report(msgspec.Struct, frozen=True):
    """The facts of one recording; times in seconds.

    `frames`: pictures met, `unreadable` of them without a stamp; `seconds`: from the first picture to the
    last; `distinct`: different frame numbers, between `first` and `last`;
    `longest_gap`: between two pictures; `longest_freeze`: one number standing still; `repeats`: times the
    numbers went back; `sound_seconds`: of the sound, played back to back as players do; `av_offset_ms`:
    median distance from a sync block to its tone, positive where sound is late, None where none was found.
    """

    frames: int
    unreadable: int
    seconds: float
    distinct: int
    first: int | None
    last: int | None
    longest_gap: float
    longest_freeze: float
    repeats: int
    marks: int
    tones: int
    sound_seconds: float
    av_offset_ms: float | None

    @property
    def distinct_ratio(self) -> float:
        """How much of what was shown between the first and the last number is there (0 to 1)."""
        if self.first is None or self.last is None:
            return 0.0
        return self.distinct / max(self.last - self.first + 1, 1)


def read_pictures(path: Path) -> list[tuple[float, Stamp | None]]:
    """Each picture's time and stamp, in the order they are shown."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        return [
            (float(frame.time), read_stamp(frame.to_ndarray(format="gray")))
            for frame in container.decode(stream)
            if isinstance(frame, av.VideoFrame) and frame.time is not None
        ]


def read_sound(path: Path) -> tuple[float, Samples]:
    """The time of the first sample, and all samples back to back (mono, SAMPLE_RATE)."""
    start: float | None = None
    parts: list[Samples] = []
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return 0.0, np.zeros(0, np.float32)
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
        for frame in container.decode(container.streams.audio[0]):
            if start is None:
                start = frame.time
            parts += [out.to_ndarray()[0] for out in resampler.resample(frame)]
        parts += [out.to_ndarray()[0] for out in resampler.resample(None)]
    return start or 0.0, np.concatenate(parts) if parts else np.zeros(0, np.float32)


def report(video: Path, audio: Path | None = None) -> Report:
    """Read a recording; `audio` where the sound is a file of its own on the same time line.

    OSError or av.error.FFmpegError for a file that cannot be read.
    """
    pictures = read_pictures(video)
    start, sound = read_sound(audio or video)
    return judge(pictures, [start + at for at in sync_starts(sound)], len(sound) / SAMPLE_RATE)


def judge(
    pictures: Sequence[tuple[float, Stamp | None]], tones: Sequence[float], sound_seconds: float
) -> Report:
    """The facts in a row of timed stamps and the starts of sync tones."""
    seen = [(at, stamp) for at, stamp in pictures if stamp is not None]
    times, numbers = [at for at, _ in pictures], [stamp.number for _, stamp in seen]
    marks = _mark_starts(seen)
    return Report(
        frames=len(pictures),
        unreadable=len(pictures) - len(seen),
        seconds=round(times[-1] - times[0], 3) if times else 0.0,
        distinct=len(set(numbers)),
        first=min(numbers, default=None),
        last=max(numbers, default=None),
        longest_gap=round(max((b - a for a, b in itertools.pairwise(times)), default=0.0), 3),
        longest_freeze=round(_longest_freeze(seen), 3),
        repeats=sum(b < a for a, b in itertools.pairwise(numbers)),
        marks=len(marks),
        tones=len(tones),
        sound_seconds=round(sound_seconds, 3),
        av_offset_ms=_offset_ms(marks, tones),
    )


def _mark_starts(seen: Sequence[tuple[float, Stamp]]) -> list[float]:
    """Times at which the sync block turned white; one already white at the beginning is no start."""
    starts: list[float] = []
    for (_, before), (at, stamp) in itertools.pairwise(seen):
        if stamp.sync and not before.sync and (not starts or at - starts[-1] > SYNC_EVERY_S / 2):
            starts.append(at)
    if seen and seen[0][1].sync and seen[0][1].number == 0:
        starts.insert(0, seen[0][0])
    return starts


def _longest_freeze(seen: Sequence[tuple[float, Stamp]]) -> float:
    longest, since = 0.0, seen[0][0] if seen else 0.0
    for (_, before), (at, stamp) in itertools.pairwise(seen):
        longest = max(longest, at - since)
        if stamp.number != before.number:
            since = at
    return longest


def _offset_ms(marks: Sequence[float], tones: Sequence[float]) -> float | None:
    nearest = [min((tone - mark for tone in tones), key=abs) for mark in marks] if tones else []
    paired = [offset for offset in nearest if abs(offset) < SYNC_EVERY_S / 2]
    return round(float(np.median(paired)) * 1000, 1) if paired else None
