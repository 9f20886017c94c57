"""What of a lesson the film shows: stretches that were kept, played back to back. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence

import msgspec

from recorder.archive.published import Stretch

WHOLE_S = 0.001
"""A trim that leaves out less leaves out nothing."""


class Trim:
    """`kept` in order and apart, in seconds on the lesson's clock; none: everything. Film time runs over
    what is kept alone."""

    def __init__(self, kept: Sequence[Stretch], seconds: float) -> None:
        inside = [Stretch(max(0.0, one.start_s), min(seconds, one.end_s)) for one in kept]
        self.kept = [one for one in inside if one.end_s > one.start_s] or [Stretch(0.0, seconds)]
        self.seconds = sum(one.end_s - one.start_s for one in self.kept)
        self.whole = self.seconds > seconds - WHOLE_S

    @property
    def name(self) -> str:
        """Tells this trim's pieces from another's: "" for the whole lesson."""
        if self.whole:
            return ""
        return "-" + hashlib.sha256(msgspec.json.encode(self.kept)).hexdigest()[:12]

    def film_s(self, lesson_s: float) -> float:
        """How much is kept before this moment."""
        return sum(max(0.0, min(lesson_s, one.end_s) - one.start_s) for one in self.kept)

    def lesson_s(self, film_s: float) -> float:
        """Which moment the film shows then."""
        for one in self.kept:
            length = one.end_s - one.start_s
            if film_s < length:
                return one.start_s + film_s
            film_s -= length
        return self.kept[-1].end_s

    def parts(self, start: int, length: int, rate: int) -> Iterator[tuple[int, int]]:
        """Of samples `start` to `start + length`: from where to where they are kept, counted from `start`."""
        for one in self.kept:
            begin = max(0, math.floor(one.start_s * rate + 0.5) - start)
            end = min(length, math.floor(one.end_s * rate + 0.5) - start)
            if end > begin:
                yield begin, end
