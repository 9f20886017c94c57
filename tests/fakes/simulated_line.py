"""A line in virtual time: a rate that changes, a queue with a bound, delay, seeded loss, another flow on it.

The sender is what a worker is to one viewer: frames 25 times a second at the estimated rate, probes in ticks
of 10 ms; what came is told every 60 ms, made into bursts as the relay makes them. Nothing here waits.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from server.media.estimate import Burst, Estimate, pack
from server.media.probes import Probes

PACKET = 1200
FRAMES_A_SECOND = 25
FEEDBACK_S = 0.060
ROUND_S = 0.2
OFFSET_US = 7_000_000  # the viewer's clock is another one
BURST_S = 0.005


@dataclass(frozen=True)
class Path:
    """`rate_bps` at a time; `queue_ms` (at the lowest rate it ever has) or `queue_octets` bound the queue."""

    rate_bps: Callable[[float], float]
    queue_octets: int
    delay_s: float = 0.03
    loss: float = 0.0
    feedback_loss: float = 0.0


@dataclass
class Bottleneck:
    """First in, first out; what does not fit is lost."""

    path: Path
    random: random.Random
    free_at: float = 0.0
    waiting: deque[tuple[float, int]] = field(default_factory=deque)
    octets: int = 0

    def send(self, size: int, now: float) -> float | None:
        """When it arrives at the far end; None: it was lost."""
        while self.waiting and self.waiting[0][0] <= now:
            self.octets -= self.waiting.popleft()[1]
        if self.random.random() < self.path.loss or self.octets + size > self.path.queue_octets:
            return None
        begins = max(now, self.free_at)
        self.free_at = begins + size * 8 / self.path.rate_bps(begins)
        self.waiting.append((self.free_at, size))
        self.octets += size
        return self.free_at + self.path.delay_s

    def queue_s(self, now: float) -> float:
        return max(0.0, self.free_at - now)


@dataclass
class Tcp:
    """A flow that fills queues: additive increase, half at each loss, once a round trip (Reno)."""

    line: Bottleneck
    window: float = 10.0
    flying: int = 0
    delivered: int = 0
    slow_start: bool = True
    halved_at: float = 0.0


@dataclass
class Sample:
    """One moment: what was estimated, sent in the last step, what waits."""

    at: float
    estimate_bps: float
    sent_bps: float
    queue_ms: float


class Simulation:
    """Runs an estimate over a path. `wanted_bps`: the most the sender would send; `spread_s`: over so long a
    frame's packets leave (0: at once)."""

    def __init__(
        self,
        path: Path,
        *,
        seed: int,
        wanted_bps: float = 6_000_000,
        tcp_from: float | None = None,
        layers: tuple[int, ...] = (),
        spread_s: float = 0.0,
    ) -> None:
        self.line = Bottleneck(path, random.Random(seed))
        self.estimate, self.probes = Estimate(), Probes()
        self.wanted_bps, self.layers, self.spread_s = wanted_bps, layers, spread_s
        self.tcp = Tcp(self.line)
        self.tcp_from = tcp_from
        self.samples: list[Sample] = []
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._random = random.Random(seed + 1)
        self._untold: list[tuple[float, float | None, int]] = []
        self._told: list[Burst] = []
        self._credit = 0.0
        self._sent = 0
        self._probe_until = 0.0
        self._probe: tuple[float, float, int] = (0.0, 0.0, 0)

    def at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), what))

    def run(self, seconds: float) -> list[Sample]:
        self.at(0.0, self._frame)
        self.at(0.01, self._sound)
        self.at(FEEDBACK_S, self._feedback)
        self.at(ROUND_S, self._round)
        if self.tcp_from is not None:
            self.at(self.tcp_from, self._tcp_pump)
        while self._events and self._events[0][0] <= seconds:
            self.now, _, what = heapq.heappop(self._events)
            what()
        return self.samples

    def media_bps(self) -> float:
        """All of the estimate, or the best layer within it."""
        if self.layers:
            return max((layer for layer in self.layers if layer <= self.estimate.bps), default=self.layers[0])
        return min(self.estimate.bps, self.wanted_bps)

    def _frame(self) -> None:
        self._credit += self.media_bps() / 8 / FRAMES_A_SECOND * self._random.uniform(0.8, 1.2)
        packets = int(self._credit // PACKET)
        self._credit -= packets * PACKET
        for place in range(packets):
            self.at(self.now + self.spread_s * place / packets, self._packet)
        self.at(self.now + 1 / FRAMES_A_SECOND, self._frame)

    def picture_begins(self, octets: int) -> None:
        """A slot starts: what was sent since the keyframe leaves within half a second."""
        self.estimate.excuse(self.now)
        for place in range(octets // PACKET):
            self.at(self.now + 0.5 * place * PACKET / octets, self._packet)

    def _sound(self) -> None:
        self._packet(160)
        self.at(self.now + 0.02, self._sound)

    def _packet(self, size: int = PACKET) -> None:
        self._sent += size
        self._untold.append((self.now, self.line.send(size, self.now), size))

    def _probe_tick(self) -> None:
        began, bps, octets = self._probe
        if self.now > self._probe_until:
            return
        while self._sent - octets < bps / 8 * (self.now - began):
            self._packet()
        self.at(self.now + 0.01, self._probe_tick)

    def _feedback(self) -> None:
        """What has arrived by now, and what was lost before that; told to the sender after the way back."""
        arrived = [i for i, (_, arrival, _) in enumerate(self._untold) if arrival and arrival <= self.now]
        if arrived:
            told, self._untold = self._untold[: arrived[-1] + 1], self._untold[arrived[-1] + 1 :]
            bursts = list(bursts_of(told))
            if self._random.random() >= self.line.path.feedback_loss:
                self.at(self.now + self.line.path.delay_s, lambda: self._told.extend(bursts))
        self.at(self.now + FEEDBACK_S, self._feedback)

    def _round(self) -> None:
        told, self._told = pack(self._told), []
        self.probes.feed(told, self.estimate, self.now)
        self.estimate.feed(told, self.now)
        self.estimate.silent(self.now)
        probe = self.probes.next(self.estimate, self.wanted_bps, self.now)
        if probe is not None:
            self._probe = (self.now, float(probe.bps), self._sent)
            self._probe_until = self.now + probe.milliseconds / 1e3
            self._probe_tick()
        before = self.samples[-1].at if self.samples else 0.0
        sent_bps = self._counted() * 8 / (self.now - before)
        queue_ms = self.line.queue_s(self.now) * 1e3
        self.samples.append(Sample(self.now, self.estimate.bps, sent_bps, queue_ms))
        self.at(self.now + ROUND_S, self._round)

    _counted_to: int = 0

    def _counted(self) -> int:
        counted, self._counted_to = self._sent - self._counted_to, self._sent
        return counted

    # -- the other flow

    def _tcp_pump(self) -> None:
        while self.tcp.flying < self.tcp.window:
            self.tcp.flying += 1
            sent_at = self.now
            arrival = self.line.send(PACKET, self.now)
            if arrival is None:
                self.at(self.now + 0.1, lambda at=sent_at: self._tcp_lost(at))  # type: ignore[misc]
            else:
                self.at(arrival + self.line.path.delay_s, self._tcp_acked)

    def _tcp_acked(self) -> None:
        tcp = self.tcp
        tcp.flying -= 1
        tcp.delivered += PACKET
        tcp.window += 1.0 if tcp.slow_start else 1.0 / tcp.window
        self._tcp_pump()

    def _tcp_lost(self, sent_at: float) -> None:
        tcp = self.tcp
        tcp.flying -= 1
        if sent_at > tcp.halved_at:
            tcp.window, tcp.halved_at, tcp.slow_start = max(2.0, tcp.window / 2), self.now, False
        self._tcp_pump()


def bursts_of(told: list[tuple[float, float | None, int]]) -> Iterator[Burst]:
    """Grouped by when they left, as the relay does."""
    group: list[tuple[float, float | None, int]] = []
    for row in told:
        if group and row[0] - group[0][0] > BURST_S:
            yield _burst(group)
            group = []
        group.append(row)
    if group:
        yield _burst(group)


def _burst(group: list[tuple[float, float | None, int]]) -> Burst:
    came = [(sent, arrival, size) for sent, arrival, size in group if arrival is not None]
    return Burst(
        sent_us=int(max((sent for sent, _, _ in came), default=group[-1][0]) * 1e6),
        arrival_us=int(max(a for _, a, _ in came) * 1e6) // 250 * 250 + OFFSET_US if came else -1,
        octets=sum(size for _, _, size in came),
        came=len(came),
        lost=len(group) - len(came),
        spread_us=int((max(a for _, a, _ in came) - min(a for _, a, _ in came)) * 1e6) if came else 0,
    )
