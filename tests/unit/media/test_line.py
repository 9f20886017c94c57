"""The arithmetic for each burst: how delay grows, how long packets wait, how much came."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.media.estimate import EVER_US, Burst, pack
from server.media.line import NORMAL, OVER, UNDER, Line

OFFSET_US = 5_000_000  # the viewer's clock is another one
EVERY_US = 40_000


def feed(line: Line, delays_ms: list[float], *, first: int = 0, octets: int = 10_000) -> list[bool]:
    """A burst each 40 ms with these delays, fed one by one; where the delay said OVER."""
    found = []
    for place, delay in enumerate(delays_ms, first):
        sent = place * EVERY_US
        burst = Burst(sent, sent + OFFSET_US + int(delay * 1e3), octets, 9, 0)
        found.append(line.feed(pack([burst]), sent / 1e6, EVER_US)[3])
    return found


def test_a_steady_delay_is_normal_and_no_queue() -> None:
    line = Line()
    assert not any(feed(line, [30.0] * 100))
    assert (line.usage, line.queue_ms) == (NORMAL, 0.0)
    assert line.received_bps() == pytest.approx(10_000 * 8 / 0.04, rel=0.01)


def test_a_growing_delay_is_over_use_and_a_shrinking_one_under_use() -> None:
    line = Line()
    feed(line, [30.0] * 40)
    assert any(feed(line, [30 + 4.0 * k for k in range(40)], first=40))
    assert line.usage == OVER
    assert line.queue_ms > 100
    feed(line, [190 - 8.0 * k for k in range(20)], first=80)
    assert line.usage == UNDER


def test_a_queue_that_somebody_else_keeps_full_is_forgotten() -> None:
    line = Line()
    feed(line, [30.0] * 20)
    feed(line, [150.0] * 60, first=20)
    assert line.queue_ms > 100
    line.forget_delay(80 * EVERY_US / 1e6)
    feed(line, [150.0] * 20, first=80)
    assert line.queue_ms < 5


def test_a_clock_that_runs_slower_makes_no_queue() -> None:
    line = Line()
    feed(line, [30 + place * 0.004 for place in range(3_000)])  # 100 ppm
    assert line.queue_ms < 2


def test_what_was_sent_earlier_is_not_counted_and_what_did_not_come_has_no_delay() -> None:
    line = Line()
    bursts = [Burst(1_000, -1, 0, 0, 3), Burst(50_000, 5_080_000, 900, 2, 1, 400)]
    assert line.feed(pack(bursts), 1.0, 40_000) == (2, 2, 1, False)
    assert line.feed(pack(bursts), 1.0, EVER_US) == (2, 2, 4, False)
    assert line.feed(b"", 1.0, EVER_US) == (0, 0, 0, False)
    assert line.received_bps() is None


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 100_000)), min_size=8, max_size=600))
def test_the_received_rate_is_what_came_in_the_last_half_second(steps: list[tuple[int, int]]) -> None:
    line, at, came = Line(), 0, []
    for passed_ms, octets in steps:
        at += passed_ms * 1_000
        came.append((at, octets))
        line.feed(pack([Burst(at, at, octets, 1, 0)]), at / 1e6, EVER_US)
    kept = came[-256:]
    while len(kept) > 2 and at - kept[0][0] > 500_000:
        kept.pop(0)
    passed = at - kept[0][0]
    rate = line.received_bps()
    if len(kept) < 4 or passed < 125_000:
        assert rate is None
    else:
        assert rate == pytest.approx(sum(octets for _, octets in kept[1:]) * 8e6 / passed)
