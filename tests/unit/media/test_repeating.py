"""When sound carries the sound before it again."""

from __future__ import annotations

from server.media.repeating import DEPTH, HOLD_S, Repeating


def test_a_line_that_loses_gets_its_sound_again_and_some_seconds_on() -> None:
    line = Repeating()
    assert line.depth(0.01, 1e6, now=0.0) == 0
    assert line.depth(0.1, 1e6, now=1.0) == DEPTH
    assert line.depth(0.0, 1e6, now=1.0 + HOLD_S / 2) == DEPTH, (
        "loss by chance is not there in each half second"
    )
    assert line.depth(0.0, 1e6, now=1.1 + HOLD_S) == 0


def test_a_full_line_is_not_filled_further() -> None:
    line = Repeating()
    assert line.depth(0.1, 20_000, now=0.0) == 0
    assert line.depth(0.1, 1e6, now=1.0) == DEPTH
