"""What a probe makes of the times at which packets come."""

from __future__ import annotations

import pytest

from server.ingest.measuring import waits_for_keyframe


@pytest.mark.parametrize(
    ("keyframes", "now", "waits"),
    [
        ([], 3.0, True),
        ([], 4.1, False),
        ([1.9], 3.0, True),
        ([1.9], 5.9, True),
        ([1.9], 6.0, False),
        ([0.1, 2.1], 3.0, False),
    ],
)
def test_a_source_is_watched_until_it_is_known_how_far_apart_its_keyframes_are(
    keyframes: list[float], now: float, waits: bool
) -> None:
    assert waits_for_keyframe(keyframes, now) is waits
