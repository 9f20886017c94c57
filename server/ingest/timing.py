"""A source's clock and ours: when each of its moments is, and what to do when it jumps. Pure.

A device's own times may begin anywhere, jump, drift or be absent; only differences of them mean something,
and packets arrive late by what the line makes of them. A moment's *lateness* is its arrival minus its own
time; the least one lately is the clock's true place, for nothing arrives early. The least is followed at
once when it falls and rises no faster than LEAK: so a drifting clock is followed and jitter is not. Picture
and sound of one source share its clock, so that they stay in step as the device made them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

LEAK = 0.001  # s of lateness a second: three times the drift of a bad clock
JUMP_S = 2.0  # so far on, and not because nothing came, is another time line
BACK_S = 0.2  # decoding times never go back
LONGEST_LATE_S = 10.0  # later than any line makes a packet
STEP_S = 0.02
EARLY_S = 0.05  # nothing comes before its time by more than that
NTP_EPOCH_S = 2_208_988_800  # 1900 to 1970

PICTURE, SOUND = 0, 1


@dataclass(slots=True)
class _Stream:
    """One of a source's streams: its last packet's own time and lateness, and the shift it goes by."""

    own: float
    shift: float
    late: float


@dataclass(slots=True)
class SourceClock:
    """The time line of one source's packets. Times are seconds; `now` is a monotonic clock.

    `media` times, which RTP timestamps are made of, only depend on the source's own and go on over jumps and
    reconnections.
    """

    shift: float = 0.0  # media time minus the source's own
    lateness: float | None = None  # arrival minus media time, as understood now
    seen_at: float = 0.0
    jumps: int = 0
    newest: float = 0.0  # the latest media time given out
    fresh: bool = True  # what comes next belongs to a time line not seen before
    _streams: dict[int, _Stream] = field(default_factory=dict)

    def settle(self, arrived: Sequence[tuple[float | None, float]]) -> None:
        """A source was opened (again) and this came first: own times and arrivals. What waited in the device
        comes at once, so the least late of these says where its clock is; media time goes on from there."""
        owns = [own for own, _ in arrived if own is not None]
        if not owns:
            return
        least = min(now - own for own, now in arrived if own is not None)
        if self.lateness is None:
            self.lateness, self.seen_at, self.shift = 0.0, arrived[-1][1], least
        else:
            self.shift = max(least - self.lateness, self.newest + STEP_S - min(owns))
        self.fresh = False
        self._streams.clear()

    def media(self, own: float | None, now: float, stream: int = PICTURE) -> float:
        """The media time of a packet that arrived now with this time of its own (None: it has none)."""
        if self.lateness is None:
            self.lateness, self.seen_at = 0.0, now
        if own is None:
            media = now - self.lateness
        else:
            media = own + self._shift_of(own, now, now - self.lateness, stream)
            late = now - media
            self._streams[stream].late = late
            self.lateness = min(late, self.lateness + LEAK * max(0.0, now - self.seen_at))
            self.seen_at = now
        self.newest = max(self.newest, media)
        return media

    def restarted(self) -> None:
        """The source was opened again: its own times begin anywhere, the media time goes on."""
        self.fresh = True
        self._streams.clear()

    def at(self, now: float) -> float:
        """The media time that is now; 0 before anything came."""
        return now - self.lateness if self.lateness is not None else 0.0

    def _shift_of(self, own: float, now: float, expected: float, number: int) -> float:
        """By what this stream's own times are shifted; it follows a jump, to where the other one jumped."""
        if self.fresh:
            self.shift, self.fresh = expected - own, False
        stream = self._streams.get(number)
        if stream is None:
            stream = self._streams[number] = _Stream(own, self.shift, now - expected)
        step, away = own - stream.own, abs(own + stream.shift - expected)
        stream.own = own
        if step < -BACK_S or (step > JUMP_S and away > JUMP_S) or away > LONGEST_LATE_S:
            if stream.shift == self.shift or abs(own + self.shift - expected) > JUMP_S:
                self.jumps += 1
                is_usual = abs(now - stream.late - expected) < JUMP_S
                self.shift = (now - stream.late if is_usual else expected) - own
            stream.shift = self.shift
        other = self._streams.get(SOUND if number == PICTURE else PICTURE)
        if other is not None and other.shift > stream.shift:
            self._rejoin(stream, other, expected)
        return stream.shift

    def _rejoin(self, stream: _Stream, other: _Stream, expected: float) -> None:
        """One stream went back at once, the other by and by, too little at a time to be a jump: seen from the
        other's time line, what comes late by its own is in time again."""
        ahead = stream.own + other.shift - expected
        if ahead <= EARLY_S and abs(ahead) < abs(stream.own + stream.shift - expected):
            stream.shift = self.shift = other.shift


def ntp_of(wall_s: float) -> int:
    """NTP's 64-bit time of seconds since 1970 (RFC 3550, 4)."""
    return round((wall_s + NTP_EPOCH_S) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF
