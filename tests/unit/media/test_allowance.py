"""So many at once, so many a second, whatever the clock does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.media.allowance import Allowance


def test_what_is_left_is_taken_at_once_and_comes_back_with_time() -> None:
    allowance = Allowance(3, 2)
    assert [allowance.take(10.0) for _ in range(4)] == [True, True, True, False]
    assert allowance.take(10.5)
    assert not allowance.take(10.5)
    assert [allowance.take(99.0) for _ in range(4)] == [True, True, True, False]


@given(st.lists(st.floats(0, 5), max_size=200))
def test_over_any_time_no_more_is_given_than_promised(pauses: list[float]) -> None:
    allowance, now, given_out = Allowance(5, 2), 0.0, 0
    for pause in pauses:
        now += pause
        given_out += allowance.take(now)
    assert given_out <= 5 + 2 * now + 1e-6
