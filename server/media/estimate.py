"""What a viewer's line carries, from what came of the packets sent to it. Pure; `now` is monotonic seconds.

After draft-ietf-rmcat-gcc-02: a filter over the growth of one-way delay (here the trend line that followed
the draft's Kalman filter), an over-use detector with an adaptive threshold, and a rate that falls at once
and rises carefully. Three things differ, because a relay sends layers and not whatever rate it likes: the
estimate starts high; it goes up by probes (`server.media.probes`); and loss that does not fall when the
rate falls is the line's own and not held against the rate.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

START_BPS = 8_000_000
LEAST_BPS = 30_000
MOST_BPS = 30_000_000

DECREASE = 0.85  # of what came, at over-use (the draft's beta)
RIVAL_DECREASE = 0.95
INCREASE_A_SECOND = 0.08
NEAR_INCREASE_A_SECOND = 0.04  # where the line was last full
RATE_WINDOW_US = 500_000
BASE_WINDOW_S = 10.0
AT_ONCE_FROM_MS = 100.0  # below, over-use must be seen twice: a moment's jitter is no queue
OVER_FROM_MS = 25.0  # a longer burst alone takes longer, and is no queue
DRAIN_FROM_MS = 60.0
DRAIN_S = 2.0
RIVAL_S = 15.0  # so long a queue that does not shrink is taken for another's
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


class Usage(StrEnum):
    """What the delay says of the line."""

    NORMAL = "normal"
    OVER = "over"
    UNDER = "under"


@dataclass(slots=True)
class Trend:
    """Slope of the smoothed one-way delay over the last WINDOW bursts, and the detector on it."""

    usage: Usage = Usage.NORMAL
    _points: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=20))
    _last: tuple[int, int] | None = None
    _first_ms: float = 0.0
    _count: int = 0
    _accumulated: float = 0.0
    _smoothed: float = 0.0
    _slope: float = 0.0
    _threshold: float = 12.5
    _over_ms: float = -1.0
    _over_count: int = 0

    def add(self, sent_us: int, arrival_us: int) -> None:
        last, self._last = self._last, (sent_us, arrival_us)
        if last is None:
            self._first_ms = arrival_us / 1e3
            return
        sent_ms, arrival_ms = (sent_us - last[0]) / 1e3, (arrival_us - last[1]) / 1e3
        self._count = min(self._count + 1, 1_000)
        self._accumulated += arrival_ms - sent_ms
        self._smoothed += 0.1 * (self._accumulated - self._smoothed)
        self._points.append((arrival_us / 1e3 - self._first_ms, self._smoothed))
        before = self._slope
        if len(self._points) == 20:
            self._slope = slope(self._points)
        self._detect(before, sent_ms)

    def _detect(self, before: float, sent_ms: float) -> None:
        trend = min(self._count, 60) * self._slope * 4.0
        if trend > self._threshold:
            self._over_ms = sent_ms / 2 if self._over_ms < 0 else self._over_ms + sent_ms
            self._over_count += 1
            if self._over_ms > 10 and self._over_count > 1 and self._slope >= before:
                self._over_ms, self._over_count = 0.0, 0
                self.usage = Usage.OVER
        else:
            self._over_ms, self._over_count = -1.0, 0
            self.usage = Usage.UNDER if trend < -self._threshold else Usage.NORMAL
        self._adapt(trend, min(sent_ms, 100.0))

    def _adapt(self, trend: float, passed_ms: float) -> None:
        """The threshold follows the trend: slowly up, so that a flow which fills queues does not starve this
        one, and down (the draft's K_u and K_d)."""
        size = abs(trend)
        if size > self._threshold + 15:
            return
        gain = 0.039 if size < self._threshold else 0.0087
        self._threshold = min(max(self._threshold + gain * (size - self._threshold) * passed_ms, 6.0), 600.0)


def slope(points: Iterable[tuple[float, float]]) -> float:
    """Least squares, in one pass: it runs twenty times a second for each viewer."""
    known = iter(points)
    first_x, first_y = next(known)
    count, xs, ys, squares, products = 1, 0.0, 0.0, 0.0, 0.0
    for x, y in known:
        x -= first_x
        y -= first_y
        count += 1
        xs += x
        ys += y
        squares += x * x
        products += x * y
    below = squares - xs * xs / count
    above = products - xs * ys / count
    return above / below if below else 0.0


@dataclass(slots=True)
class Received:
    """Bits a second that came over the last RATE_WINDOW_US of arrivals."""

    _bursts: deque[tuple[int, int]] = field(default_factory=deque)
    _octets: int = 0

    def add(self, arrival_us: int, octets: int) -> None:
        self._bursts.append((arrival_us, octets))
        self._octets += octets
        while self._bursts[-1][0] - self._bursts[0][0] > RATE_WINDOW_US and len(self._bursts) > 2:
            self._octets -= self._bursts.popleft()[1]

    def bps(self) -> float | None:
        """None before enough came."""
        if len(self._bursts) < 4:
            return None
        passed = self._bursts[-1][0] - self._bursts[0][0]
        if passed < RATE_WINDOW_US // 4:
            return None
        return (self._octets - self._bursts[0][1]) * 8e6 / passed


@dataclass(slots=True)
class Queue:
    """How long packets wait: one-way delay above the least of the last seconds (clocks drift slowly)."""

    ms: float = 0.0
    _least: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, burst: Burst, now: float) -> None:
        delay = burst.arrival_us - burst.spread_us - burst.sent_us
        while self._least and self._least[-1][1] >= delay:
            self._least.pop()
        self._least.append((now, delay))
        while now - self._least[0][0] > BASE_WINDOW_S:
            self._least.popleft()
        self.ms += 0.5 * ((delay - self._least[0][1]) / 1e3 - self.ms)

    def forget(self, now: float) -> None:
        """Somebody else keeps the queue full: what was its least in the last second is empty from now on."""
        while now - self._least[0][0] > 1.0 and len(self._least) > 1:
            self._least.popleft()


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

    def add(self, burst: Burst) -> None:
        if self._trial is None or burst.sent_us >= self._since * 1e6:
            self._came += burst.came
            self._lost += burst.lost

    def start(self, now: float) -> None:
        """The rate has changed for another reason: only what is sent from now on counts."""
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
        self.start(now)
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
    queue: Queue = field(default_factory=Queue)
    losses: Losses = field(default_factory=Losses)
    received: Received = field(default_factory=Received)
    fell_at: float = float("-inf")
    capacity_bps: float | None = None  # what came when the line was last full
    probing: bool = False  # a probe is on its way: what the queue does is its doing
    _trend: Trend = field(default_factory=Trend)
    _heard_at: float | None = None
    _draining: tuple[float, float] | None = None  # since when, and the longest queue (ms)
    _fed_at: float = 0.0
    _rival_until: float = float("-inf")
    _over_before: bool = False

    def feed(self, bursts: Iterable[Burst], now: float) -> None:
        """What came of the packets of the last moments, oldest first."""
        passed = min(now - self._fed_at, 1.0)
        self._fed_at = now
        over = False
        for burst in bursts:
            self._heard_at = now
            self.losses.add(burst)
            if burst.arrival_us < 0:
                continue
            self.received.add(burst.arrival_us, burst.octets)
            self.queue.add(burst, now)
            self._trend.add(burst.sent_us, burst.arrival_us)
            over = over or self._trend.usage is Usage.OVER
        if self._heard_at != now:
            return
        self._by_delay(over, passed, now)
        if not self.probing:
            allowed = self.losses.judge(self.bps, self.received.bps(), now)
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

    def rise(self, bps: float) -> None:
        """A probe has shown that the line carries this."""
        self.bps = max(self.bps, min(bps, MOST_BPS))

    def was_full(self, capacity: float, now: float) -> None:
        """A probe filled the line: that is what it carries, and the queue the probe made is to go."""
        self.capacity_bps = capacity
        self.rise(DECREASE * capacity)
        if self.queue.ms > DRAIN_FROM_MS:
            self._drain(now)
            self._fall(min(self.bps, self._drained(capacity, now)), Cause.DELAY, now)

    def probed(self) -> None:
        """A probe is over: the delays it made say nothing of what is sent without it."""
        self.probing = False
        self._trend = Trend()

    def delivered_bps(self) -> float | None:
        """What came, and what would have come but for the line's own loss."""
        came = self.received.bps()
        return None if came is None else came / (1 - self.losses.own)

    def _by_delay(self, over: bool, passed: float, now: float) -> None:
        came = self.delivered_bps()
        if came is None or self.probing:
            return
        over = over and self.queue.ms > OVER_FROM_MS
        seen_twice, self._over_before = over and self._over_before, over
        if seen_twice or (over and self.queue.ms > AT_ONCE_FROM_MS):
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
        elif self._trend.usage is Usage.NORMAL and now - self.fell_at > 0.3:
            self._grow(came, passed)

    def _drain(self, now: float) -> None:
        if self.queue.ms > DRAIN_FROM_MS and self._draining is None:
            self._draining = (now, self.queue.ms)

    def _still_drains(self, now: float) -> bool:
        """Until the queue is gone, or does not shrink: then somebody else fills it."""
        if self._draining is None or self.queue.ms <= DRAIN_FROM_MS:
            return False
        since, longest = self._draining
        self._draining = (since, max(longest, self.queue.ms))
        if now - since > DRAIN_S:
            if self.queue.ms > 0.7 * longest:
                self.queue.forget(now)
                self._rival_until = now + RIVAL_S
                return False
            self._draining = (now, self.queue.ms)
        return True

    def _drained(self, capacity: float, now: float) -> float:
        """Below the line's rate by as much as empties the queue within about a second; beside another flow
        by little, for that would fill it again."""
        if now < self._rival_until:
            return capacity * RIVAL_DECREASE
        return capacity * min(DECREASE, max(0.3, 1.0 - self.queue.ms / 700))

    def _grow(self, came: float, passed: float) -> None:
        """By a few % a second, and never beyond one and a half times what came: more was not tried."""
        near = self.capacity_bps is not None and 0.85 < self.bps / self.capacity_bps < 1.15
        grown = self.bps * (1 + (NEAR_INCREASE_A_SECOND if near else INCREASE_A_SECOND) * passed)
        self.bps = max(self.bps, min(grown, 1.5 * came + 10_000))

    def _fall(self, bps: float, cause: Cause, now: float) -> None:
        self.bps, self.cause, self.fell_at = bps, cause, now
