"""A source's clock and ours: when each of its moments is, and what to do when it jumps. Pure.

A device's own times may begin anywhere, jump, drift or be absent; only differences of them mean something,
and packets arrive late by what the line makes of them. A moment's *lateness* is its arrival minus its own
time; the least one lately is the clock's true place, for nothing arrives early. The least is followed at
once when it falls and rises no faster than LEAK: so a drifting clock is followed and jitter is not. Picture
and sound of one source share its clock, so that they stay in step as the device made them.
"""

from __future__ import annotations

from dataclasses import dataclass

LEAK = 0.001  # s of lateness a second: three times the drift of a bad clock
JUMP_S = 2.0  # so far from where it should be is another time line
NTP_EPOCH_S = 2_208_988_800  # 1900 to 1970


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
    fresh: bool = True  # what comes next belongs to a time line not seen before

    def media(self, own: float | None, now: float) -> float:
        """The media time of a packet that arrived now with this time of its own (None: it has none)."""
        if self.lateness is None:
            self.lateness, self.seen_at = 0.0, now
        expected = now - self.lateness
        if own is None:
            return expected
        if self.fresh or abs(own + self.shift - expected) > JUMP_S:
            self.jumps += not self.fresh
            self.shift, self.fresh = expected - own, False
        media = own + self.shift
        late = now - media
        self.lateness = min(late, self.lateness + LEAK * max(0.0, now - self.seen_at))
        self.seen_at = now
        return media

    def restarted(self) -> None:
        """The source was opened again: its own times begin anywhere, the media time goes on."""
        self.fresh = True

    def at(self, now: float) -> float:
        """The media time that is now; 0 before anything came."""
        return now - self.lateness if self.lateness is not None else 0.0


def ntp_of(wall_s: float) -> int:
    """NTP's 64-bit time of seconds since 1970 (RFC 3550, 4)."""
    return round((wall_s + NTP_EPOCH_S) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF
