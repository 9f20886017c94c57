"""An audio track: exactly one Opus packet for every stretch of time, silent where none came.

Players ignore time stamps of Opus packets and play them back to back. So the packets themselves make the
time: a silent one is put in where one is missing or the source's clock is slow, a quiet one left out where it
is fast.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from recorder.archive.manifest import GapCause
from recorder.assemble.clock import Anchor, SourceClock
from recorder.assemble.opus import QUIET_BYTES, RATE, SILENCE, SLOT, samples_in
from recorder.assemble.records import Packet, Report
from recorder.assemble.samples import Closed, Gaps, Outages, Output, Sample, Section
from recorder.assemble.source import HOLD_S, Source

SOFT = RATE * 12 // 1000
"""Out of step by so much, it is set right at the next quiet packet ..."""
HARD = SLOT
"""... and by so much at once."""
LISTED_S = 0.1
AWAY_S = 1.0
"""A silence without a lost packet is the codec's own (DTX) until it is as long as this."""


class _Sound(NamedTuple):
    payload: bytes
    samples: int
    arrival_s: float
    rtp_s: float
    anchor: Anchor
    lost: bool
    hole: bool  # RTP time does not follow on the packet before


class AudioTrack:
    """One Opus track of a lesson. Outputs are appended to the list given at the start."""

    def __init__(self, name: str, outputs: list[Output], outages: Outages, shared: SourceClock) -> None:
        self.name = name
        self.gaps = Gaps(outages)
        self.start_s = 0.0
        self.samples = 0
        self.filled = 0
        self.dropped = 0
        self.foreign = False
        self.worst = 0
        """How far (samples) a sound was from its place on the lesson's clock, at most."""
        self._outputs = outputs
        self._source = Source(name, RATE, shared)
        self._pending: deque[_Sound] = deque()
        self._cursor = 0  # samples given: the track's media time
        self._follows: int | None = None  # RTP time that the next packet has if nothing is missing
        self._begun = False
        self._silent_from: int | None = None
        self._arrival_s = 0.0
        self._paused = False

    @property
    def lost(self) -> int:
        return self._source.lost_packets

    def begins(self, at_s: float) -> None:
        """Recorded (again) from now on: sound from before falls behind what was given, and out."""

    def packet(self, packet: Packet, arrival_s: float) -> None:
        changes = self._source.changes_stream(packet, arrival_s)
        if changes is None:
            return
        if changes:
            self._drain(arrival_s, all_of_them=True)
            self._source.begin(packet, arrival_s)
            self._follows = None
        self._source.push(packet, arrival_s)
        self._drain(arrival_s)

    def report(self, report: Report) -> None:
        self._source.report(report)

    def ended(self, now_s: float) -> None:
        self._drain(now_s, all_of_them=True)
        self._paused = True

    def advance(self, now_s: float) -> None:
        self._drain(now_s)
        while self._pending and now_s - self._pending[0].arrival_s >= HOLD_S:
            self._emit(self._pending.popleft())
        if self._begun and not self._pending:
            self._keep_silent_until(int((now_s - HOLD_S - LISTED_S) * RATE))

    def finish(self, now_s: float, end_s: float) -> None:
        self._drain(now_s, all_of_them=True)
        while self._pending:
            self._emit(self._pending.popleft())
        if not self._begun:
            return
        self._keep_silent_until(round(end_s * RATE) + SLOT // 2)
        cause = GapCause.ENDED if self._paused else GapCause.SOURCE_AWAY
        self._list_gap(cause, AWAY_S)
        self._outputs.append(Closed(self.name, self._cursor))

    @property
    def end_s(self) -> float:
        newest = self._pending[-1] if self._pending else None
        known = self._cursor / RATE
        return max(known, newest.rtp_s + newest.anchor.settle() + newest.samples / RATE) if newest else known

    def _drain(self, now_s: float, *, all_of_them: bool = False) -> None:
        stream = self._source.stream
        if stream is None:
            return
        for packet in self._source.pull(now_s, all_of_them=all_of_them):
            samples = samples_in(packet.payload)
            if not samples:
                continue
            anchor = stream.observe(packet.timestamp, packet.arrival_s)
            hole = self._follows is None or packet.timestamp != self._follows
            self._follows = packet.timestamp + samples
            sound = _Sound(
                packet.payload,
                samples,
                packet.arrival_s,
                packet.timestamp / RATE,
                anchor,
                packet.missing > 0,
                hole,
            )
            self._pending.append(sound)

    def _emit(self, sound: _Sound) -> None:
        target = max(round((sound.rtp_s + sound.anchor.settle()) * RATE), 0)
        quiet = len(sound.payload) <= QUIET_BYTES
        if not self._begun:
            self._begin(target)
        behind = self._cursor - target
        if behind >= HARD or (behind >= SOFT and quiet):
            self.dropped += 1
            return
        ahead = -behind
        if sound.hole:
            self._fill((ahead + SLOT // 2) // SLOT)
        elif ahead >= HARD or (ahead >= SOFT and quiet):
            self._fill(max(ahead // SLOT, 1))
        if self._silent_from is not None:
            self._close_gap(sound)
        self.worst = max(self.worst, abs(target - self._cursor))
        self._outputs.append(Sample(self.name, self._cursor, sound.payload, True))
        self._cursor += sound.samples
        self.samples += 1
        self._arrival_s = sound.arrival_s
        self._paused = False

    def _begin(self, target: int) -> None:
        self._begun = True
        self.start_s = target / RATE
        self._outputs.append(Section(self.name, 0, b""))
        self._fill((target + SLOT // 2) // SLOT)
        self._list_gap(GapCause.NOT_STARTED, LISTED_S)

    def _close_gap(self, sound: _Sound) -> None:
        away = sound.arrival_s - self._arrival_s >= AWAY_S
        if sound.lost and not away:
            self._list_gap(GapCause.LOSS, LISTED_S)
        else:
            self._list_gap(GapCause.SOURCE_AWAY, AWAY_S)

    def _list_gap(self, cause: GapCause, least_s: float) -> None:
        start, self._silent_from = self._silent_from, None
        if start is not None and self.gaps.outages.touch(start / RATE, self._cursor / RATE):
            least_s = LISTED_S  # ours, so no DTX
        if start is not None and self._cursor - start >= least_s * RATE:
            self.gaps.add(start / RATE, self._cursor / RATE, cause)

    def _keep_silent_until(self, target: int) -> None:
        self._fill((target - self._cursor) // SLOT)

    def _fill(self, slots: int) -> None:
        if slots <= 0:
            return
        if self._silent_from is None:
            self._silent_from = self._cursor
        for _ in range(slots):
            self._outputs.append(Sample(self.name, self._cursor, SILENCE, True))
            self._cursor += SLOT
        self.filled += slots
        self.samples += slots
