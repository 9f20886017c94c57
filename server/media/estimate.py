"""What a viewer's line carries, from what came of the packets sent to it. Pure; `now` is monotonic seconds.

After draft-ietf-rmcat-gcc-02: a filter over the growth of one-way delay and an over-use detector (the
arithmetic for each burst is `server.media.line`), and a rate that falls at once and rises carefully. Three
things differ, because a relay sends layers and not whatever rate it likes: the
estimate starts high; it goes up by probes (`server.media.probes`); and loss that does not fall when the
rate falls is the line's own and not held against the rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from server.media.line import NORMAL, Line
from server.media.relay.tables import BURST

START_BPS = 8_000_000
LEAST_BPS = 30_000
MOST_BPS = 30_000_000

DECREASE = 0.85  # of what came, at over-use (the draft's beta)
RIVAL_DECREASE = 0.95
INCREASE_A_SECOND = 0.08
NEAR_INCREASE_A_SECOND = 0.04  # where the line was last full
AT_ONCE_FROM_MS = 100.0  # below, over-use must be seen twice: a moment's jitter is no queue
OVER_FROM_MS = 25.0  # a longer burst alone takes longer, and is no queue
DRAIN_FROM_MS = 60.0
DRAIN_S = 2.0
RATE_US, FULL_US = 500_000, 200_000  # what came is measured over so long; where the line is full
COLLAPSED = 0.5
RIVAL_S = 15.0  # so long a queue that does not shrink is taken for another's
EVER_US = -(1 << 62)
EXCUSED_S, EXCUSED_AGAIN_S = 1.5, 4.0
EXCUSED_MS = 300.0  # a longer queue is no picture's first burst
SILENCE_S = 1.2  # sent to, and no feedback for so long: the line stands


class Burst(NamedTuple):
    """Packets that left together (the relay's `tables.BURST`). `arrival_us`: of the last, -1: none came;
    `spread_us`: since the arrival of the first."""

    sent_us: int
    arrival_us: int
    octets: int
    came: int
    lost: int
    spread_us: int = 0


def pack(bursts: Iterable[Burst]) -> bytes:
    """As the relay tells them."""
    return b"".join(BURST.pack(*burst) for burst in bursts)


def unpack(told: bytes) -> Iterator[Burst]:
    return (Burst(*row) for row in BURST.iter_unpack(told))


@dataclass(slots=True)
class Losses:
    """Loss over the last half second, and how much of it is the line's own.

    When more is lost than is known of the line, the rate falls below what came, and what is sent from then on
    shows whether that helped: where it did not, the loss is the line's own and the rate is given back.
    """

    share: float = 0.0
    own: float = 0.0
    _came: int = 0
    _lost: int = 0
    _since: float = 0.0
    _trial: tuple[float, float] | None = None  # share and rate before the cut

    @property
    def counted_from_us(self) -> int:
        """Only packets sent from then on count: a trial is about what was sent after the cut."""
        return EVER_US if self._trial is None else int(self._since * 1e6)

    def count(self, came: int, lost: int) -> None:
        self._came += came
        self._lost += lost

    def start(self, now: float) -> None:
        """The rate has changed for another reason: only what is sent from now on counts."""
        self.share = min(self.share, self.own)
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._came = self._lost = 0
        self._since, self._trial = now, None

    def judge(self, rate: float, received: float | None, now: float) -> float:
        """The rate as loss allows it; asked often, decides twice a second."""
        total = self._came + self._lost
        waited = now - self._since
        if waited < 0.5 or total < 15 or (total < 60 and waited < 2.0):
            return rate
        self.share = max(0.0, self._lost / total)
        chance = 2 * math.sqrt(self.share * (1 - self.share) / total)
        trial = self._trial
        self._begin(now)
        if trial is not None:
            share, before = trial
            if self.share + chance > 0.6 * share:
                self.own = min(max(self.own, self.share), 0.6)
                return max(rate, before)
            return rate
        if self.share < self.own:
            self.own += 0.1 * (self.share - self.own)
        if self.share - chance <= self.own + 0.1 or received is None:
            return rate
        self._trial = (self.share, rate)
        return min(rate, DECREASE * received)


class Cause(StrEnum):
    """Why the estimate last fell."""

    NONE = ""
    DELAY = "delay"
    LOSS = "loss"
    SILENCE = "silence"


@dataclass(slots=True)
class Estimate:
    """One viewer's line. `feed` it what the relay tells; `bps` is what may be sent in all."""

    bps: float = START_BPS
    cause: Cause = Cause.NONE
    line: Line = field(default_factory=Line)
    losses: Losses = field(default_factory=Losses)
    fell_at: float = float("-inf")
    capacity_bps: float | None = None  # what came when the line was last full
    probing: bool = False  # a probe is on its way: what the queue does is its doing
    _heard_at: float | None = None
    _draining: tuple[float, float] | None = None  # since when, and the longest queue (ms)
    _fed_at: float = 0.0
    _rival_until: float = float("-inf")
    _over_before: bool = False
    _excused_at: float = float("-inf")

    def feed(self, told: bytes, now: float) -> None:
        """What came of the packets of the last moments: bursts as the relay tells them."""
        passed = min(now - self._fed_at, 1.0)
        self._fed_at = now
        bursts, came, lost, over = self.line.feed(told, now, self.losses.counted_from_us)
        if not bursts:
            return
        self._heard_at = now
        self.losses.count(came, lost)
        self._by_delay(over, passed, now)
        if not self.probing:
            allowed = self.losses.judge(self.bps, self.line.received_bps(), now)
            if allowed < self.bps:
                self._fall(allowed, Cause.LOSS, now)
            else:
                self.bps = allowed
        self.bps = min(max(self.bps, LEAST_BPS), MOST_BPS)

    def silent(self, now: float) -> None:
        """Packets left, and nothing was heard of any for SILENCE_S: half, each time that passes again."""
        if self._heard_at is not None and now - self._heard_at > SILENCE_S:
            self._heard_at = now
            self._fall(max(self.bps / 2, LEAST_BPS), Cause.SILENCE, now)

    def excuse(self, now: float) -> None:
        """A picture begins: its keyframe comes in one burst, which waits for a moment in any line."""
        if now - self._excused_at > EXCUSED_AGAIN_S:
            self._excused_at = now

    def rise(self, bps: float) -> None:
        """A probe has shown that the line carries this."""
        self.bps = max(self.bps, min(bps, MOST_BPS))

    def was_full(self, capacity: float, now: float) -> None:
        """A probe filled the line: that is what it carries, and the queue the probe made is to go."""
        self.capacity_bps = capacity
        self.rise(DECREASE * capacity)
        if self.line.queue_ms > DRAIN_FROM_MS:
            self._drain(now)
            self._fall(min(self.bps, self._drained(capacity, now)), Cause.DELAY, now)

    def probed(self) -> None:
        """A probe is over: the delays it made say nothing of what is sent without it."""
        self.probing = False
        self.line.forget_trend()

    @property
    def steady_bps(self) -> float:
        """What may be sent once the queue that is being emptied is gone."""
        if self._draining is None or self.capacity_bps is None:
            return self.bps
        return max(self.bps, DECREASE * self.capacity_bps)

    def delivered_bps(self, window_us: int = RATE_US) -> float | None:
        """What came, and what would have come but for the line's own loss."""
        came = self.line.received_bps(window_us)
        return None if came is None else came / (1 - self.losses.own)

    def _by_delay(self, over: bool, passed: float, now: float) -> None:
        came = self.delivered_bps()
        if came is None or self.probing:
            return
        excused = now - self._excused_at < EXCUSED_S and self.line.queue_ms < EXCUSED_MS
        over = over and self.line.queue_ms > OVER_FROM_MS and not excused
        seen_twice, self._over_before = over and self._over_before, over
        if seen_twice or (over and self.line.queue_ms > AT_ONCE_FROM_MS):
            at_last = self.delivered_bps(FULL_US) or came
            if self.line.queue_ms > AT_ONCE_FROM_MS and at_last < COLLAPSED * came:  # it was another line
                came = at_last
            self.capacity_bps = came
            self._drain(now)
            self._fall(min(self.bps, self._drained(came, now)), Cause.DELAY, now)
            self.losses.start(now)
        elif self._draining is not None and self.capacity_bps is not None:
            if self._still_drains(now):
                self.bps = min(self.bps, self._drained(self.capacity_bps, now))
            else:
                self._draining = None
                self.bps = max(self.bps, DECREASE * self.capacity_bps)
        elif self.line.usage == NORMAL and now - self.fell_at > 0.3:
            self._grow(came, passed)

    def _drain(self, now: float) -> None:
        if self.line.queue_ms > DRAIN_FROM_MS and self._draining is None:
            self._draining = (now, self.line.queue_ms)

    def _still_drains(self, now: float) -> bool:
        """Until the queue is gone, or does not shrink: then somebody else fills it."""
        if self._draining is None or self.line.queue_ms <= DRAIN_FROM_MS:
            return False
        since, longest = self._draining
        self._draining = (since, max(longest, self.line.queue_ms))
        if now - since > DRAIN_S:
            if self.line.queue_ms > 0.7 * longest:
                self.line.forget_delay(now)
                self._rival_until = now + RIVAL_S
                return False
            self._draining = (now, self.line.queue_ms)
        return True

    def _drained(self, capacity: float, now: float) -> float:
        """Below the line's rate by as much as empties the queue within about a second; beside another flow
        by little, for that would fill it again."""
        if now < self._rival_until:
            return capacity * RIVAL_DECREASE
        return capacity * min(DECREASE, max(0.3, 1.0 - self.line.queue_ms / 700))

    def _grow(self, came: float, passed: float) -> None:
        """By a few % a second, and never beyond one and a half times what came: more was not tried."""
        near = self.capacity_bps is not None and 0.85 < self.bps / self.capacity_bps < 1.15
        grown = self.bps * (1 + (NEAR_INCREASE_A_SECOND if near else INCREASE_A_SECOND) * passed)
        self.bps = max(self.bps, min(grown, 1.5 * came + 10_000))

    def _fall(self, bps: float, cause: Cause, now: float) -> None:
        self.bps, self.cause, self.fell_at = bps, cause, now
