"""Whatever a viewer's transport-wide feedback says, the relay reads what is whole and goes on."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.media.relay.loopback import wired
from tests.unit.media.relay.test_arrivals import Viewing, build_feedback, pause


@settings(max_examples=40)
@given(st.lists(st.binary(min_size=0, max_size=300), min_size=1, max_size=20), st.integers(0, 65_535))
def test_any_bytes_as_feedback_change_no_more_than_this_viewers_bursts(
    bodies: list[bytes], base: int
) -> None:
    with wired() as wire:
        viewing = Viewing(wire)
        viewing.send(20, key=True)
        for body in bodies:
            body += bytes(-len(body) % 4)
            head = struct.pack("!BBHIIHH", 0x8F, 205, 3 + len(body) // 4, 1, 5000, base, len(body))
            viewing.tell(head + body)
        viewing.send(5)
        assert len(viewing.got) == 25
        for sent_us, _, octets, came, lost, spread_us in viewing.bursts():
            assert sent_us >= 0
            assert octets >= 0
            assert 0 <= came <= 25
            assert abs(lost) <= 25
            assert 0 <= spread_us <= 1_000_000


@settings(max_examples=40)
@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_what_came_and_what_was_lost_are_counted_once_each(fates: list[bool]) -> None:
    with wired() as wire:
        viewing = Viewing(wire)
        viewing.send(len(fates), key=True)
        arrivals = [250 * place if came else None for place, came in enumerate(fates)]
        arrivals[-1] = 250 * len(fates)
        viewing.tell(build_feedback(1, arrivals))
        viewing.tell(build_feedback(1, arrivals))
        pause()
        viewing.send(1)
        viewing.tell(build_feedback(len(fates) + 1, [500_000]))
        bursts = list(viewing.bursts())
        assert sum(burst[3] for burst in bursts) == sum(at is not None for at in arrivals)
        assert sum(burst[4] for burst in bursts) == sum(at is None for at in arrivals)
