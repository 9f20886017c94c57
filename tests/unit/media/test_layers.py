"""The rules of layers: fall back to what lives, wait for what is wanted, switch off what nobody wants."""

from __future__ import annotations

import pytest

from server.media.layers import SPARE_S, Meter, Wishes, best, highest_for, next_step


@pytest.mark.parametrize(
    ("wanted", "living", "found"),
    [
        (2, {0, 1, 2}, 2),
        (2, {0, 1}, 1),
        (1, {0, 2}, 0),
        (0, {1, 2}, 1),
        (0, {2}, 2),
        (1, set(), None),
    ],
)
def test_the_best_living_layer_is_the_nearest_not_above(
    wanted: int, living: set[int], found: int | None
) -> None:
    assert best(wanted, living) == found


def test_a_tile_never_wants_more_than_the_lowest_layer() -> None:
    assert highest_for("tile3", 3) == 0
    assert highest_for("stage", 3) == 2


@pytest.mark.parametrize(
    ("wanted", "living", "showing", "awaiting", "step"),
    [
        (2, {0, 1, 2}, 2, -1, None),
        (2, {0, 1, 2}, 0, -1, 2),
        (2, {0, 1, 2}, 0, 2, None),
        (2, {0}, -1, -1, 0),  # something to see first
        (2, {0}, 0, -1, 2),  # then it waits for the wanted one
        (2, {0, 1}, 0, 2, 1),  # something better came meanwhile
        (2, {0, 1}, 2, -1, 1),  # the shown one died
        (0, {0, 1, 2}, 2, 1, 0),
        (2, set(), 2, -1, None),  # nothing comes at all: nothing to move to
        (2, set(), -1, -1, 2),
    ],
)
def test_a_slot_takes_what_lives_and_waits_for_what_it_wants(
    wanted: int, living: set[int], showing: int, awaiting: int, step: int | None
) -> None:
    assert next_step(wanted, living, showing, awaiting) == step


def test_a_layer_nobody_wants_is_switched_off_late_and_on_at_once() -> None:
    wishes = Wishes(3)
    assert wishes.update({2}, 0.0) is None
    assert wishes.update({2}, SPARE_S - 0.1) is None
    assert wishes.update({2}, SPARE_S + 0.1) == (0, 2)
    assert wishes.update({2}, SPARE_S + 0.2) is None, "said once"
    assert wishes.update({1, 2}, SPARE_S + 0.3) == (0, 1, 2)
    assert wishes.update(set(), 2 * SPARE_S) is None
    assert wishes.update(set(), 3 * SPARE_S) == (0,)
    wishes.forget()
    assert wishes.update(set(), 3 * SPARE_S) == (0,), "a new listener is told again"


def test_bit_rates_are_of_the_last_second() -> None:
    meter = Meter()
    assert meter.bitrates() == ()
    for tick in range(20):
        meter.add((tick * 1000, 0 if tick < 10 else (tick - 9) * 500), tick / 5)
    assert meter.bitrates() == (40_000, 20_000)
