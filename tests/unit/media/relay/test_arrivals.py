"""Transport-wide numbers of what viewers are sent, and their feedback made into bursts."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Sequence

from server.media.relay.tables import BURST
from tests.unit.media.relay.loopback import Camera, Far, Rtp, Wire, video_down, video_up

MISSING = None


def build_feedback(base: int, arrivals_us: Sequence[int | None], *, reference: int = 1000) -> bytes:
    """A transport-wide feedback; times in microseconds since `reference` times 64 ms."""
    symbols, deltas, clock = [], b"", 0
    for at in arrivals_us:
        if at is None:
            symbols.append(0)
            continue
        delta = at // 250 - clock
        clock += delta
        small = 0 <= delta <= 255
        symbols.append(1 if small else 2)
        deltas += struct.pack("!B" if small else "!h", delta)
    chunks = b""
    for start in range(0, len(symbols), 7):
        bits = 0xC000
        for place, symbol in enumerate(symbols[start : start + 7]):
            bits |= symbol << (12 - 2 * place)
        chunks += struct.pack("!H", bits)
    body = struct.pack("!HHI", base & 0xFFFF, len(symbols), (reference & 0xFFFFFF) << 8) + chunks + deltas
    body += bytes(-len(body) % 4)
    return struct.pack("!BBHII", 0x8F, 205, 2 + len(body) // 4, 1, 5000) + body


class Viewing:
    """A publisher and a viewer whose packets are numbered."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.camera = Camera(wire.far())
        self.viewer: Far = wire.far()
        up = wire.relay.add_up(self.camera.far.handle, video_up(transport_cc_id=0))
        self.down = wire.relay.add_down(self.viewer.handle, video_down(transport_cc_id=3))
        wire.relay.point(self.down, up)
        self.got: list[Rtp] = []

    def send(self, count: int = 1, *, key: bool = False) -> None:
        self.camera.send(count, key=key)
        self.wire.run()
        self.got += self.viewer.packets()

    def tell(self, feedback: bytes) -> None:
        self.viewer.send_rtcp(feedback)
        self.wire.run()
        self.wire.tick()  # reads the lane of feedback

    def bursts(self) -> Iterator[tuple[int, ...]]:
        return BURST.iter_unpack(self.wire.relay.take_bursts(self.viewer.handle))


def numbers(packets: Sequence[Rtp]) -> list[int]:
    return [int.from_bytes(packet.extensions[3], "big") for packet in packets]


def pause(seconds: float = 0.006) -> None:
    """Longer than a burst: the next packet begins another."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def test_every_packet_to_a_viewer_has_the_next_number_resent_ones_too(wire: Wire) -> None:
    viewing = Viewing(wire)
    viewing.send(4, key=True)
    last = viewing.got[-1].sequence
    viewing.viewer.send_rtcp(struct.pack("!BBHIIHH", 0x81, 205, 3, 1, 5000, last, 0))
    wire.run()
    viewing.send(2)
    assert numbers(viewing.got) == [1, 2, 3, 4, 5, 6, 7]
    assert [packet.ssrc for packet in viewing.got].count(5001) == 1


def test_feedback_becomes_bursts_with_times_octets_and_losses(wire: Wire) -> None:
    viewing = Viewing(wire)
    viewing.send(3, key=True)
    pause()
    viewing.send(2)
    pause()
    viewing.send(1)
    viewing.tell(build_feedback(1, [0, None, 1000, 20_000, 20_250, 40_000]))
    first, second = viewing.bursts()
    assert (first[3], first[4]) == (2, 1)
    assert (second[3], second[4]) == (2, 0)
    assert second[1] - first[1] == 19_250
    assert second[0] - first[0] >= 5_000
    assert first[2] > 2 * 20
    assert list(viewing.bursts()) == [], "the newest burst is open still, the others are told once"


def test_what_was_told_as_lost_and_comes_late_is_no_loss(wire: Wire) -> None:
    viewing = Viewing(wire)
    viewing.send(3, key=True)
    viewing.tell(build_feedback(1, [0, None, 1000]))
    pause()
    viewing.send(1)
    viewing.tell(build_feedback(2, [50_000, 50_250, 60_000]))
    (burst,) = viewing.bursts()
    assert (burst[3], burst[4]) == (3, 0)


def test_a_packet_of_an_earlier_burst_that_is_told_late_does_not_spoil_the_times(wire: Wire) -> None:
    viewing = Viewing(wire)
    viewing.send(2, key=True)
    pause(0.02)
    viewing.send(2)
    viewing.tell(build_feedback(3, [100_000, 100_250]))
    viewing.tell(build_feedback(1, [80_000]))
    pause()
    viewing.send(1)
    viewing.tell(build_feedback(5, [120_000]))
    (burst,) = viewing.bursts()
    assert burst[5] == 250
    assert burst[3] == 3


def test_the_reference_time_goes_on_over_its_24_bits(wire: Wire) -> None:
    viewing = Viewing(wire)
    viewing.send(1, key=True)
    viewing.tell(build_feedback(1, [0], reference=0xFFFFFF))
    pause()
    viewing.send(1)
    viewing.tell(build_feedback(2, [0], reference=0x000001))
    pause()
    viewing.send(1)
    viewing.tell(build_feedback(3, [0], reference=0x000002))
    first, second = viewing.bursts()
    assert second[1] - first[1] == 2 * 64_000


def test_numbers_never_sent_and_broken_feedback_change_nothing(wire: Wire) -> None:
    viewing = Viewing(wire)
    viewing.send(2, key=True)
    before = wire.relay.totals()["dropped_malformed"]
    viewing.tell(build_feedback(900, [0, 250, 500]))
    whole = build_feedback(1, [0, 250, 500, 750, 1000])
    for broken in (whole[:-4], whole[:16] + b"\x00\x00" + whole[18:], whole[:14] + b"\xff\xff" + whole[16:]):
        head = struct.pack("!BBH", 0x8F, 205, len(broken) // 4 - 1)
        viewing.tell(head + broken[4:])
    assert list(viewing.bursts()) == []
    assert wire.relay.totals()["dropped_malformed"] > before


def test_a_viewer_without_numbers_has_no_bursts(wire: Wire) -> None:
    viewer = wire.far()
    wire.relay.add_down(viewer.handle, video_down())
    viewer.send_rtcp(build_feedback(1, [0]))
    wire.run()
    assert wire.relay.take_bursts(viewer.handle) == b""
