"""When a viewer's line is probed, and what a probe has shown. Pure; `now` is monotonic seconds.

A relay sends layers of fixed rates, so its own traffic never shows whether a line has become better. A
probe sends more for a moment (RTX of what was sent). One that comes through is followed by the next at
once; one that does not doubles the pause before the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from server.media.estimate import Burst, Estimate, unpack

FIRST_PAUSE_S = 1.0
MOST_PAUSE_S = 8.0
TIMES = 1.5  # the estimate; after a probe that came through:
NEXT_TIMES = 2.0
LEAST_MS, MOST_MS = 150, 500
LEAST_OCTETS = 9_000
PATIENCE_S = 1.0  # for the feedback, after its end
QUEUE_MS = 30.0
CARRIED = 0.94  # of what was sent: less shows that the line was full


class Probe(NamedTuple):
    """Send to the viewer at `bps` in all, for so long."""

    bps: int
    milliseconds: int


@dataclass(slots=True)
class _Running:
    probe: Probe
    began: float
    began_us: int
    bursts: list[Burst] = field(default_factory=list)

    @property
    def ends_us(self) -> int:
        return self.began_us + self.probe.milliseconds * 1_000


@dataclass(slots=True)
class Probes:
    """The probes of one line. `next` starts one; `feed` sees what came and raises the estimate."""

    _running: _Running | None = None
    _pause_s: float = FIRST_PAUSE_S
    _next_at: float = 0.0
    _climbing: bool = False

    def next(self, estimate: Estimate, wanted_bps: float, now: float) -> Probe | None:
        """The probe to send now, where more than the estimate is wanted and the line is at peace."""
        if self._running is not None or wanted_bps <= estimate.bps * 1.02:
            return None
        quiet_since = estimate.fell_at + FIRST_PAUSE_S
        if now < max(self._next_at, quiet_since) or estimate.line.queue_ms > QUEUE_MS:
            return None
        times = NEXT_TIMES if self._climbing else TIMES
        bps = int(min(times * estimate.bps, wanted_bps * 1.15))
        length = min(max(LEAST_MS, LEAST_OCTETS * 8_000 // bps), MOST_MS)
        self._running = _Running(Probe(bps, length), now, int(now * 1e6))
        estimate.probing = True
        return self._running.probe

    def feed(self, told: bytes, estimate: Estimate, now: float) -> None:
        """The same bursts as the estimate's; `now` must be the clock of their `sent_us`."""
        running = self._running
        if running is None:
            return
        for burst in unpack(told):
            if burst.sent_us >= running.began_us and burst.came:
                running.bursts.append(burst)
        heard = bool(running.bursts) and running.bursts[-1].sent_us >= running.ends_us
        late = now - running.began > running.probe.milliseconds / 1e3 + PATIENCE_S
        if heard or late:
            self._running = None
            estimate.probed()
            self._judge(running, estimate, now)

    def _judge(self, running: _Running, estimate: Estimate, now: float) -> None:
        rates = measured(b for b in running.bursts if b.sent_us <= running.ends_us)
        if rates is None:
            self._failed(now)
            return
        sent, came = rates
        carried = came / (1 - estimate.losses.own)
        if carried >= CARRIED * sent:
            reached = min(carried, sent)
            if reached > 1.1 * estimate.bps:
                self._pause_s, self._next_at, self._climbing = FIRST_PAUSE_S, now, True
            else:
                self._failed(now)
            estimate.rise(reached)
        else:
            self._failed(now)
            estimate.was_full(carried, now)

    def _failed(self, now: float) -> None:
        self._climbing = False
        self._next_at = now + self._pause_s
        self._pause_s = min(2 * self._pause_s, MOST_PAUSE_S)


def measured(bursts: Iterable[Burst]) -> tuple[float, float] | None:
    """Bits a second as they left and as they came; None where that were a guess."""
    known = [burst for burst in bursts if burst.arrival_us >= 0]
    if len(known) < 5:
        return None
    left_us = known[-1].sent_us - known[0].sent_us
    came_us = max(b.arrival_us for b in known) - known[0].arrival_us
    if left_us < 50_000 or came_us <= 0:
        return None
    octets = sum(burst.octets for burst in known[1:])
    return octets * 8e6 / left_us, octets * 8e6 / came_us
