"""What the assembler gives: sections and samples, track by track, on the lesson's clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from recorder.archive.manifest import Gap, GapCause

VIDEO_RATE = 90_000
AUDIO_RATE = 48_000
GAPS_AT_MOST = 5_000
EDGE_S = 1.5


class Section(NamedTuple):
    """From here on the track's samples need another initialization. `at`: ticks; `config`: for H.264
    the parameter sets and the first IDR picture, Annex B; for others empty. `codec`: of video."""

    track: str
    at: int
    config: bytes
    codec: str = "H264"


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
    """When this machine's own processes lost something, and when the teacher had paused the recording:
    (start, end) on the lesson's clock."""

    spans: list[tuple[float, float]] = field(default_factory=list)
    pauses: list[tuple[float, float]] = field(default_factory=list)

    def touch(self, start_s: float, end_s: float) -> bool:
        return any(start < end_s and start_s < end for start, end in self.spans)

    def pieces(self, start_s: float, end_s: float) -> Iterator[tuple[float, float, bool]]:
        """The stretch cut where pauses begin and end: (start, end, paused). A remainder of less than EDGE_S
        is the pause's: the tap and the word of it do not end at the same instant."""
        at = start_s
        for begin, end in self.pauses:
            if end <= at or begin >= end_s:
                continue
            begin, end = max(begin, at), min(end, end_s)
            begin = at if begin - at < EDGE_S else begin
            end = end_s if end_s - end < EDGE_S else end
            if begin > at:
                yield at, begin, False
            yield begin, end, True
            at = end
        if at < end_s:
            yield at, end_s, False


@dataclass(slots=True)
class Gaps:
    """A track's holes in order. Bounded: past GAPS_AT_MOST the last one grows instead."""

    outages: Outages
    holes: list[Gap] = field(default_factory=list)

    def add(self, start_s: float, end_s: float, cause: GapCause) -> None:
        """List a hole; a pause or one of our own outages inside it is its cause, whatever it looked like."""
        for start, end, paused in self.outages.pieces(start_s, end_s):
            self._add(start, end, GapCause.PAUSED if paused else cause)

    def _add(self, start_s: float, end_s: float, cause: GapCause) -> None:
        start_s, end_s = round(max(start_s, 0.0), 3), round(end_s, 3)
        if end_s <= start_s:
            return
        if cause not in (GapCause.NOT_STARTED, GapCause.PAUSED) and self.outages.touch(start_s, end_s):
            cause = GapCause.SERVER
        if len(self.holes) >= GAPS_AT_MOST:
            start_s, cause = self.holes.pop().start_s, GapCause.LOSS
        self.holes.append(Gap(start_s, end_s, cause))
