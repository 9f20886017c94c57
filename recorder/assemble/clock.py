"""One lesson clock: from a stream's RTP time to seconds since the lesson's first packet.

Arrival says when, roughly: a packet is never early, so the least delayed packets of the last
WINDOW_S tell a stream's offset, and follow its drift. Sender reports say how streams of one sender stand to
one another: through a slow regression each RTP time becomes a time of the sender's own clock, and
the streams of a room share one offset from that clock to the lesson's. So a picture that took 40 ms to encode
stands beside the sound that took 5. Changes are slewed, never jumped; only a source whose RTP time
stood still or leapt against arrival is anchored anew.
"""

from __future__ import annotations

from collections import deque

WINDOW_S = 20
SLEW_S = 0.005  # a second
STEP_S = 0.25  # what is no drift any more
SETTLE_S = 1.0  # how long a new anchor listens before it decides
SAME_CLOCK_S = 0.5  # streams of a room further apart than this have different clocks
REMEMBER_S = 15.0
REPORTS = 20
REPORT_STEP_S = 0.1
MAX_SLOPE = 0.002


class Anchor:
    """A stretch of a stream over which RTP time runs evenly: lesson = RTP seconds + `offset_s`."""

    __slots__ = ("base_s", "least_s", "offset_s", "opened_s")

    def __init__(self, opened_s: float, base_s: float | None) -> None:
        self.opened_s = opened_s
        self.base_s = base_s  # the offset before it, None for the first
        self.least_s: float | None = None
        self.offset_s: float | None = None

    def settle(self) -> float:
        """Decide: keep the earlier offset where packets were only late, else take what arrival says."""
        if self.offset_s is None:
            least = self.least_s if self.least_s is not None else 0.0
            if self.base_s is not None and abs(least - self.base_s) < STEP_S:
                self.offset_s = self.base_s
            else:
                self.offset_s = least
        return self.offset_s


class SourceClock:
    """What the streams of one room share: how far their sender's clock is from the lesson's."""

    def __init__(self) -> None:
        self._distance: dict[str, float] = {}

    def lag(self, stream: str, distance_s: float) -> float | None:
        """How much later than the room's quickest stream this one arrives; None: no common clock."""
        self._distance[stream] = distance_s
        near = [d for d in self._distance.values() if abs(d - distance_s) < SAME_CLOCK_S]
        return distance_s - min(near) if len(near) > 1 else None

    def forget(self, stream: str) -> None:
        self._distance.pop(stream, None)


class StreamClock:
    """One SSRC. Times are seconds; `rtp_s` is 64-bit RTP time over its rate."""

    def __init__(self, stream: str, source: SourceClock) -> None:
        self._stream = stream
        self._source = source
        self._anchor: Anchor | None = None
        self._last: tuple[float, float] = (0.0, 0.0)
        self._bucket = -1
        self._least: tuple[float, float] | None = None
        self._buckets: deque[tuple[float, float]] = deque(maxlen=WINDOW_S)
        self._reports: deque[tuple[float, float]] = deque(maxlen=REPORTS)
        self._fit: tuple[float, float, float] | None = None
        self._lag_s = 0.0
        self._lag_known_s = 0.0

    def observe(self, rtp_s: float, arrival_s: float) -> Anchor:
        """A packet (or a picture's first): call in order. The anchor its time is to be asked of."""
        anchor, (last_rtp, last_arrival) = self._anchor, self._last
        self._last = (rtp_s, arrival_s)
        offset = arrival_s - rtp_s
        if anchor is None:
            anchor = self._open(arrival_s, None)
        else:
            behind = (arrival_s - last_arrival) - (rtp_s - last_rtp)
            leapt = anchor.offset_s is not None and offset < anchor.offset_s - STEP_S
            if behind > STEP_S or leapt:
                anchor = self._open(arrival_s, anchor.settle())
        if anchor.offset_s is None:
            anchor.least_s = offset if anchor.least_s is None else min(anchor.least_s, offset)
            if arrival_s - anchor.opened_s >= SETTLE_S:
                anchor.settle()
        self._gather(rtp_s, arrival_s, anchor)
        return anchor

    def report(self, rtp_s: float, ntp_s: float) -> None:
        """A sender report: at RTP time `rtp_s` the sender's clock showed `ntp_s`."""
        if self._fit is not None and abs(self._sender_s(rtp_s) - ntp_s) > REPORT_STEP_S:
            self._reports.clear()  # the sender's clock or its RTP time was stepped
        self._reports.append((rtp_s, ntp_s))
        self._fit = _regress(self._reports)

    def close(self) -> None:
        self._source.forget(self._stream)

    def _open(self, arrival_s: float, base_s: float | None) -> Anchor:
        self._anchor = Anchor(arrival_s, base_s)
        self._buckets.clear()
        self._least = None
        return self._anchor

    def _gather(self, rtp_s: float, arrival_s: float, anchor: Anchor) -> None:
        bucket = int(arrival_s)
        if bucket != self._bucket and self._least is not None:
            self._buckets.append(self._least)
            self._least = None
            if anchor.offset_s is not None:
                self._steer(rtp_s, arrival_s, anchor, max(bucket - self._bucket, 1))
        self._bucket = bucket
        if self._least is None or arrival_s - rtp_s < self._least[1] - self._least[0]:
            self._least = (rtp_s, arrival_s)

    def _steer(self, rtp_s: float, arrival_s: float, anchor: Anchor, passed_s: float) -> None:
        """Once a second: move the anchor's offset a little towards where it should be."""
        assert anchor.offset_s is not None
        distance = min(arrival - self._sender_s(rtp) for rtp, arrival in self._buckets)
        if self._fit is not None:
            lag = self._source.lag(self._stream, distance)
            if lag is not None:
                self._lag_s, self._lag_known_s = lag, arrival_s
            elif arrival_s - self._lag_known_s > REMEMBER_S:
                self._lag_s = 0.0
        target = self._sender_s(rtp_s) + distance - self._lag_s - rtp_s
        change = target - anchor.offset_s
        limit = max(SLEW_S, abs(change) * 0.1) * min(passed_s, WINDOW_S)
        anchor.offset_s += max(-limit, min(limit, change))

    def _sender_s(self, rtp_s: float) -> float:
        """The sender's clock at an RTP time; RTP seconds themselves before the first report."""
        if self._fit is None:
            return rtp_s
        at, value, slope = self._fit
        return value + (rtp_s - at) * slope


def _regress(reports: deque[tuple[float, float]]) -> tuple[float, float, float]:
    """(x, y, slope) of the line through the reports; slope 1 until four of them span some seconds."""
    x = reports[-1][0]
    span = x - reports[0][0]
    if len(reports) < 4 or span < 3.0:
        offsets = sorted(ntp - rtp for rtp, ntp in reports)
        return x, x + offsets[len(offsets) // 2], 1.0
    points = list(reports)
    for _ in range(2):
        mean_x = sum(p[0] for p in points) / len(points)
        mean_d = sum(p[1] - p[0] for p in points) / len(points)
        spread = sum((p[0] - mean_x) ** 2 for p in points)
        skew = sum((p[0] - mean_x) * (p[1] - p[0] - mean_d) for p in points) / spread if spread else 0.0
        skew = max(-MAX_SLOPE, min(MAX_SLOPE, skew))
        line = (mean_x, mean_x + mean_d, 1.0 + skew)
        kept = [p for p in points if abs(p[1] - (line[1] + (p[0] - mean_x) * line[2])) < 0.02]
        if len(kept) < 4 or len(kept) == len(points):
            break
        points = kept
    return line
