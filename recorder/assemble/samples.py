"""What the assembler gives: sections and samples, track by track, on the lesson's clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from recorder.archive.manifest import Gap, GapCause

VIDEO_RATE = 90_000
AUDIO_RATE = 48_000
GAPS_AT_MOST = 5_000


class Section(NamedTuple):
    """From here on the track's samples need another initialization. `at`: ticks; `config`: for H.264
    the parameter sets and the first IDR picture, Annex B; for Opus empty."""

    track: str
    at: int
    config: bytes


class Sample(NamedTuple):
    """One access unit or Opus packet. `at`: ticks of the track's rate since the lesson's zero, rising;
    it lasts until the next one, the last until `Closed.at`."""

    track: str
    at: int
    data: bytes
    key: bool


class Closed(NamedTuple):
    """Nothing more comes on this track; its last sample lasts until `at`."""

    track: str
    at: int


Output = Section | Sample | Closed


@dataclass(slots=True)
class Outages:
    """When this machine's own processes lost something: (start, end) on the lesson's clock."""

    spans: list[tuple[float, float]] = field(default_factory=list)

    def touch(self, start_s: float, end_s: float) -> bool:
        return any(start < end_s and start_s < end for start, end in self.spans)


@dataclass(slots=True)
class Gaps:
    """A track's holes in order. Bounded: past GAPS_AT_MOST the last one grows instead."""

    outages: Outages
    holes: list[Gap] = field(default_factory=list)

    def add(self, start_s: float, end_s: float, cause: GapCause) -> None:
        """List a hole; one of our own outages inside it is its cause, whatever it looked like."""
        start_s, end_s = round(max(start_s, 0.0), 3), round(end_s, 3)
        if end_s <= start_s:
            return
        if cause is not GapCause.NOT_STARTED and self.outages.touch(start_s, end_s):
            cause = GapCause.SERVER
        if len(self.holes) >= GAPS_AT_MOST:
            start_s, cause = self.holes.pop().start_s, GapCause.LOSS
        self.holes.append(Gap(start_s, end_s, cause))
