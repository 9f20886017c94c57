"""A video track: pictures at their lesson time; where none came the last one stands still."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from recorder.archive.manifest import GapCause
from recorder.assemble.clock import Anchor, SourceClock
from recorder.assemble.foreign import FOREIGN, ForeignUnits
from recorder.assemble.h264 import AccessUnits
from recorder.assemble.pictures import AccessUnit
from recorder.assemble.records import Packet, Report
from recorder.assemble.samples import VIDEO_RATE, Closed, Gaps, Outages, Output, Sample, Section
from recorder.assemble.source import HOLD_S, Source

AWAY_S = 1.5
"""A camera without a picture for so long was away. A screen may rest."""
OURS_S = 0.3
"""So long a hole of this machine's own making is listed."""
LEAST_TICKS = VIDEO_RATE // 10_000
"""Two pictures are at least 0.1 ms apart."""
USUAL_S = 0.04
OPENING_S = 1.5
"""How long a track's first keyframe is waited for before one is wanted."""
BACK_S = 1.5
"""So long after a source came back its keyframe is wanted, if none came."""
SILENT_S = 10.0
"""A source that has sent nothing for so long is not asked for a keyframe."""


class _Picture(NamedTuple):
    unit: AccessUnit
    anchor: Anchor
    rtp_s: float
    stream: int
    pause_s: float  # the longest time without any packet since the picture before
    begun_s: float  # when the track began to be recorded


class VideoTrack:
    """One video track of a lesson. Outputs are appended to the list given at the start."""

    def __init__(
        self, name: str, outputs: list[Output], outages: Outages, shared: SourceClock, *, may_rest: bool
    ) -> None:
        self.name = name
        self.gaps = Gaps(outages)
        self.start_s = 0.0
        self.samples = 0
        self.foreign = False  # a codec came that is not copied
        self._outputs = outputs
        self._may_rest = may_rest
        self._source = Source(name, VIDEO_RATE, shared)
        self._codec = "H264"
        self._units: AccessUnits | ForeignUnits = AccessUnits()
        self._pending: deque[_Picture] = deque()
        self._config = (b"", "")
        self._at = -1  # of the last sample, ticks
        self._arrival_s: float | None = None  # of the newest packet in order
        self._pause_s = 0.0
        self._usual_s = USUAL_S
        self._stream = 0
        self._paused = False
        self._begun_s = 0.0
        self._back_s: float | None = None  # when it came back from a silence with losses
        self._sequence: int | None = None  # that the next packet has if nothing is missing
        self._came_s: float | None = None  # the newest packet, None where the source has stopped

    @property
    def lost(self) -> int:
        return self._source.lost_packets

    @property
    def dropped(self) -> int:
        return 0

    @property
    def filled(self) -> int:
        return 0

    def begins(self, at_s: float) -> None:
        """Recorded (again) from now on. Pictures from before, which others need to decode, are squeezed
        into this moment."""
        self._begun_s = at_s

    def wants_key(self, now_s: float) -> bool:
        """Only a keyframe brings the next picture, and the source is there to send one."""
        came_s, units = self._came_s, self._units
        if came_s is None or now_s - came_s > SILENT_S:
            return False
        if self._back_s is not None and now_s - self._back_s < BACK_S:
            return True
        if not units.needs_key:
            return False
        return units.broken or now_s - self._begun_s > OPENING_S

    def packet(self, packet: Packet, arrival_s: float, codec: str = "H264") -> None:
        self._notice_return(packet, arrival_s)
        changes = self._source.changes_stream(packet, arrival_s)
        if changes is None:
            return
        if changes or codec != self._codec:
            self._drain(arrival_s, all_of_them=True)
            self._codec = codec
            self._units = ForeignUnits(codec) if codec in FOREIGN else AccessUnits()
        if changes:
            self._source.begin(packet, arrival_s)
        self._source.push(packet, arrival_s)
        self._drain(arrival_s)

    def _notice_return(self, packet: Packet, arrival_s: float) -> None:
        """After a silence in which packets were lost only a keyframe helps: it is wanted before they
        are given up for good."""
        came_s, expected = self._came_s, self._sequence
        silent = came_s is not None and arrival_s - came_s > AWAY_S
        if silent and expected is not None and packet.sequence != expected:
            self._back_s = arrival_s
        elif packet.payload and (packet.payload[0] & 0x1F) in (5, 7, 24):
            self._back_s = None if self._back_s is not None and arrival_s > self._back_s else self._back_s
        self._came_s, self._sequence = arrival_s, (packet.sequence + 1) & 0xFFFF

    def report(self, report: Report) -> None:
        self._source.report(report)

    def ended(self, now_s: float) -> None:
        """The source stopped; it may come back."""
        self._drain(now_s, all_of_them=True)
        self._paused = True
        self._came_s = None

    def advance(self, now_s: float) -> None:
        """Time has passed: give what has waited long enough."""
        self._drain(now_s)
        while self._pending and now_s - self._pending[0].unit.arrival_s >= HOLD_S:
            self._emit(self._pending.popleft())

    def finish(self, now_s: float, end_s: float) -> None:
        """The lesson ends at `end_s`: everything out, the last picture stands until then."""
        self._drain(now_s, all_of_them=True)
        while self._pending:
            self._emit(self._pending.popleft())
        if self._at < 0:
            return
        self._list_last_gap(end_s)
        self._outputs.append(Closed(self.name, max(self._at + LEAST_TICKS, round(end_s * VIDEO_RATE))))

    @property
    def end_s(self) -> float:
        """Until when pictures are known to come, waiting ones included."""
        newest = self._pending[-1] if self._pending else None
        known = max(self._at, 0) / VIDEO_RATE
        return max(known, newest.rtp_s + newest.anchor.settle()) + self._usual_s if newest else known

    def _drain(self, now_s: float, *, all_of_them: bool = False) -> None:
        stream = self._source.stream
        if stream is None:
            return
        for packet in self._source.pull(now_s, all_of_them=all_of_them):
            if self._arrival_s is not None:
                self._pause_s = max(self._pause_s, packet.arrival_s - self._arrival_s)
            self._arrival_s = packet.arrival_s
            unit = self._units.push(packet)
            if unit is not None:
                anchor = stream.observe(unit.timestamp, unit.arrival_s)
                rtp_s, pause_s = unit.timestamp / VIDEO_RATE, self._pause_s
                picture = _Picture(unit, anchor, rtp_s, stream.number, pause_s, self._begun_s)
                self._pending.append(picture)
                self._pause_s = 0.0

    def _emit(self, picture: _Picture) -> None:
        unit = picture.unit
        time_s = max(picture.rtp_s + picture.anchor.settle(), picture.begun_s, 0.0)
        at = round(time_s * VIDEO_RATE)
        if self._at < 0:
            self.start_s = time_s
            if time_s > 0.1:
                self.gaps.add(0.0, time_s, GapCause.NOT_STARTED)
            at = 0  # the first picture stands from the lesson's zero
        else:
            at = max(at, self._at + LEAST_TICKS)
            self._list_gap(picture, at / VIDEO_RATE)
        if (unit.config, unit.codec) != self._config:
            self._config = (unit.config, unit.codec)
            config = unit.config + unit.data if unit.codec == "H264" else b""
            self._outputs.append(Section(self.name, at, config, unit.codec))
        self._outputs.append(Sample(self.name, at, unit.data, unit.key))
        self._at, self._stream = at, picture.stream
        self._paused = self.foreign = False
        self.samples += 1

    def _list_gap(self, picture: _Picture, time_s: float) -> None:
        last_s = self._at / VIDEO_RATE
        passed = time_s - last_s
        again = picture.stream != self._stream or self._paused or self.foreign
        least_s = OURS_S if again and self.gaps.outages.touch(last_s, time_s) else AWAY_S
        away = min(passed, picture.pause_s) >= least_s and (again or not self._may_rest)
        if away:
            cause = GapCause.UNPLAYABLE if self.foreign else GapCause.SOURCE_AWAY
            self.gaps.add(last_s + self._usual_s, time_s, cause)
        elif picture.unit.lost_before:
            self.gaps.add(last_s + min(self._usual_s, passed / 2), time_s, GapCause.LOSS)
        elif self.samples > 1 and passed < 1.0:
            self._usual_s = passed

    def _list_last_gap(self, end_s: float) -> None:
        from_s = self._at / VIDEO_RATE + self._usual_s
        away = end_s - from_s >= AWAY_S and (self._paused or self.foreign or not self._may_rest)
        if self._units.broken and self._pause_s < AWAY_S:
            self.gaps.add(from_s, end_s, GapCause.LOSS)
        elif self.foreign and away:
            self.gaps.add(from_s, end_s, GapCause.UNPLAYABLE)
        elif away:
            self.gaps.add(from_s, end_s, GapCause.ENDED if self._paused else GapCause.SOURCE_AWAY)
