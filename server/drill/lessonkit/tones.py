"""Pure tones: the sound half of a sync mark, and how one room's voice is told from another's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from server.drill.lessonkit.stamps import SYNC_EVERY_S

SAMPLE_RATE = 48_000
SYNC_HZ = 1000.0

_WINDOW = 480  # 10 ms
_STEP = 48  # 1 ms

Samples = NDArray[np.float32]  # mono, -1 to 1, SAMPLE_RATE


def tone_levels(sound: Samples, frequency: float) -> NDArray[np.float64]:
    """The tone's amplitude (0 to 1) in a 10 ms window around each whole millisecond of `sound`.

    Short of a window the result is empty.
    """
    if len(sound) < _WINDOW:
        return np.zeros(0)
    phase = np.exp(-2j * np.pi * frequency / SAMPLE_RATE * np.arange(len(sound)))
    total = np.concatenate(([0], np.cumsum(sound * phase)))
    return np.asarray(np.abs(total[_WINDOW::_STEP] - total[:-_WINDOW:_STEP]) / _WINDOW * 2)


def loudness(sound: Samples) -> NDArray[np.float64]:
    """Root mean square over the same windows as `tone_levels`."""
    if len(sound) < _WINDOW:
        return np.zeros(0)
    total = np.concatenate(([0], np.cumsum(np.square(sound, dtype=np.float64))))
    return np.asarray(np.sqrt(np.maximum(total[_WINDOW::_STEP] - total[:-_WINDOW:_STEP], 0) / _WINDOW))


def holds_tone(sound: Samples, frequency: float, least: float = 0.05) -> bool:
    """Whether the tone is in `sound` (20 ms and more) and is most of it."""
    levels, rest = tone_levels(sound, frequency), loudness(sound)
    return bool(len(levels) and ((levels > least) & (levels > 1.1 * rest)).mean() > 0.5)


def sync_starts(sound: Samples) -> list[float]:
    """Seconds from the beginning of `sound` at which a sync tone starts (to about 2 ms).

    A tone counts when it is pure and lasts 80 ms; two are never closer than half of SYNC_EVERY_S.
    """
    levels, rest = tone_levels(sound, SYNC_HZ), loudness(sound)
    pure = (levels > 0.1) & (levels > 1.2 * rest)
    starts: list[float] = []
    if len(pure) < 80:
        return starts
    runs = np.convolve(pure, np.ones(80), "valid") >= 79.5
    for k in np.flatnonzero(runs & ~np.concatenate(([False], runs[:-1]))).tolist():
        at = _edge(levels, k)
        if not starts or at - starts[-1] > SYNC_EVERY_S / 2:
            starts.append(at)
    return starts


def _edge(levels: NDArray[np.float64], pure_from: int) -> float:
    """Where the tone really began: a window half full of it has half its level and the edge in its middle."""
    begin = max(pure_from - 30, 0)
    below = np.flatnonzero(levels[begin : pure_from + 1] < np.median(levels[pure_from : pure_from + 80]) / 2)
    if not len(below):
        return begin * _STEP / SAMPLE_RATE
    return float(((begin + int(below[-1]) + 1) * _STEP + _WINDOW / 2) / SAMPLE_RATE)
