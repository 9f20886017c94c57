"""One source's packets in order, whatever its SSRC: what audio and video tracks have in common."""

from __future__ import annotations

from collections.abc import Iterator

from recorder.assemble.clock import Anchor, SourceClock, StreamClock
from recorder.assemble.records import Packet, Report
from recorder.assemble.reorder import Ordered, Reorder

HOLD_S = 1.2
"""How long a sample waits before its time is final: patience for a repair, and foresight for the clock. Who
watches while it is recorded is so much behind."""
OLD_SSRC_S = 2.0
"""How long packets of the SSRC before are taken for stragglers."""


class Stream:
    """One SSRC's life within a source."""

    __slots__ = ("clock", "number", "rate", "reorder", "ssrc")

    def __init__(self, name: str, number: int, ssrc: int, rate: int, shared: SourceClock) -> None:
        self.number = number
        self.ssrc = ssrc
        self.rate = rate
        self.reorder = Reorder()
        self.clock = StreamClock(f"{name} {number}", shared)

    def observe(self, timestamp: int, arrival_s: float) -> Anchor:
        return self.clock.observe(timestamp / self.rate, arrival_s)


class Source:
    """Streams of one track, one after the other."""

    def __init__(self, name: str, rate: int, shared: SourceClock) -> None:
        self._name = name
        self._rate = rate
        self._shared = shared
        self._streams = 0
        self._old: tuple[int, float] = (-1, 0.0)
        self._report: Report | None = None
        self.stream: Stream | None = None
        self.lost = 0

    def changes_stream(self, packet: Packet, arrival_s: float) -> bool | None:
        """Whether the packet begins another stream; None: it is a straggler to be thrown away."""
        if self.stream is not None and packet.ssrc == self.stream.ssrc:
            return False
        old, until = self._old
        return None if packet.ssrc == old and arrival_s < until else True

    def begin(self, packet: Packet, arrival_s: float) -> Stream:
        """Another SSRC: a new stream with its own numbers and clock."""
        if self.stream is not None:
            self._old = (self.stream.ssrc, arrival_s + OLD_SSRC_S)
            self.lost += self.stream.reorder.lost
            self.stream.clock.close()
        self._streams += 1
        self.stream = Stream(self._name, self._streams, packet.ssrc, self._rate, self._shared)
        return self.stream

    def push(self, packet: Packet, arrival_s: float) -> None:
        assert self.stream is not None
        self.stream.reorder.push(packet.sequence, packet.timestamp, packet.marker, packet.payload, arrival_s)
        if self._report is not None and self._report.ssrc == packet.ssrc:
            report, self._report = self._report, None
            self.report(report)

    def pull(self, now_s: float, *, all_of_them: bool = False) -> Iterator[Ordered]:
        return self.stream.reorder.pull(now_s, all_of_them=all_of_them) if self.stream else iter(())

    def report(self, report: Report) -> None:
        stream = self.stream
        timestamp = (
            stream.reorder.unwrap_timestamp(report.timestamp)
            if stream is not None and stream.ssrc == report.ssrc
            else None
        )
        if stream is None or timestamp is None:
            self._report = report  # it came before its first packet
        else:
            stream.clock.report(timestamp / self._rate, report.ntp_s)

    @property
    def lost_packets(self) -> int:
        return self.lost + (self.stream.reorder.lost if self.stream else 0)
