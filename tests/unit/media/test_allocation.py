"""Tiles, frame rate and camera size are given up, in this order; courseware and sound last."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.media.allocation import (
    HEADROOM,
    OFF,
    SOUND_BPS,
    STILL,
    Decoder,
    Peaks,
    Rank,
    Wish,
    allocate,
    costs_of,
    ladder,
    rank_of,
    useful,
)
from server.protocol.parameters import Source

CAMERA = Wish("stage", Rank.CAMERA, (150_000, 600_000, 2_500_000), 2)
SCREEN = Wish("screen", Rank.COURSEWARE, (500_000, 1_500_000), 1)
TILES = [Wish(f"tile{n}", Rank.TILE, (150_000,), 0) for n in (1, 2)]


def test_a_room_gives_up_frame_rate_then_camera_size_then_the_camera_and_keeps_text_and_sound() -> None:
    rungs = [(rung.given["stage"], rung.given["screen"]) for rung in ladder([CAMERA, SCREEN], 1)]
    assert rungs == [(2, 1), (2, 0), (1, 0), (0, 0), (OFF, 0), (OFF, STILL)]


def test_a_studio_gives_up_its_tiles_first_the_last_one_first() -> None:
    rungs = ladder([*TILES, CAMERA], 0)
    assert [dict(rung.given) for rung in rungs[:3]] == [
        {"tile1": 0, "tile2": 0, "stage": 2},
        {"tile1": 0, "tile2": OFF, "stage": 2},
        {"tile1": OFF, "tile2": OFF, "stage": 2},
    ]
    assert rungs[-1].given["stage"] == STILL


def test_sound_is_never_given_up() -> None:
    assert ladder([CAMERA, SCREEN], 3)[-1].bps == 3 * SOUND_BPS
    assert ladder([], 1)[-1].bps == SOUND_BPS


@given(st.lists(st.integers(10_000, 4_000_000), min_size=1, max_size=4), st.integers(0, 10_000_000))
def test_what_is_given_fits_or_is_the_least_there_is(costs: list[int], budget: int) -> None:
    costs.sort()
    wishes = [Wish("stage", Rank.CAMERA, tuple(costs), len(costs) - 1), SCREEN, *TILES]
    rungs = ladder(wishes, 2)
    assert all(before.bps >= after.bps for before, after in pairwise(rungs))
    rung = allocate(rungs, budget, {})
    assert rung.bps <= budget or rung == rungs[-1]


def test_a_line_goes_down_at_once_and_up_only_with_room_to_spare() -> None:
    rungs = ladder([CAMERA], 1)
    high, middle = rungs[0], rungs[1]
    assert allocate(rungs, high.bps - 1, high.given) == middle
    assert allocate(rungs, high.bps + 1, middle.given) == middle
    assert allocate(rungs, high.bps * HEADROOM + 1, middle.given) == high
    assert allocate(rungs, high.bps + 1, high.given) == high
    assert allocate(rungs, high.bps, {"other": 1}) == high, "other slots than before: what fits"


def test_layers_that_are_not_sent_now_cost_what_their_neighbours_do() -> None:
    assert costs_of((0, 600_000, 0), 2_400_000) == pytest.approx((159_000, 636_000, 2_544_000))


def test_ranks_are_by_slot_and_source() -> None:
    assert rank_of("tile3", Source.CAMERA) is Rank.TILE
    assert rank_of("screen", Source.SCREEN) is Rank.COURSEWARE
    assert rank_of("video", Source.SCREEN) is Rank.COURSEWARE
    assert rank_of("stage", Source.CAMERA2) is Rank.CAMERA


def test_a_small_picture_gets_a_small_layer() -> None:
    heights = (180, 360, 720)
    assert [useful(heights, px) for px in (0, 1, 200, 400, 500, 720, 1080)] == [2, 0, 0, 1, 2, 2, 2]


def test_three_bad_seconds_lower_the_decoders_layer_and_a_failed_trial_waits_twice_as_long() -> None:
    decoder = Decoder()
    for now in range(3):
        decoder.reported(0.5, 2, float(now))
    assert decoder.cap == 1
    decoder.reported(0.0, 1, 20.0)
    assert decoder.cap == 1
    decoder.reported(0.0, 1, 33.0)
    assert decoder.cap is None
    for now in range(34, 37):
        decoder.reported(0.5, 2, float(now))
    assert decoder.cap == 1
    decoder.reported(0.0, 1, 70.0)
    assert decoder.cap == 1, "the second trial comes later"
    decoder.reported(0.0, 1, 100.0)
    assert decoder.cap is None


def test_one_bad_second_is_no_weak_machine_and_nothing_is_below_the_lowest() -> None:
    decoder = Decoder()
    for now in range(10):
        decoder.reported(0.5 if now % 3 else 0.0, 2, float(now))
    assert decoder.cap is None
    for now in range(10, 20):
        decoder.reported(1.0, 0, float(now))
    assert decoder.cap is None


def test_a_screen_at_rest_costs_what_it_cost_a_while_ago() -> None:
    peaks = Peaks()
    peaks.see((500_000,), 0.0)
    peaks.see((1_000,), 1.0)
    assert 450_000 < peaks.bps[0] < 500_000
    for now in range(2, 200):
        peaks.see((1_000,), float(now))
    assert peaks.bps[0] < 5_000
