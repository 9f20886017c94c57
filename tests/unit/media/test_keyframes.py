"""Keyframe requests are coalesced, repeated while unanswered, and few."""

from __future__ import annotations

import pytest

from server.media.keyframes import GAP_S, TRIES, KeyframeRequests, join_for
from server.media.relay.tables import Join, LayerFigures
from server.protocol.parameters import Source


def requests(source: Source = Source.CAMERA) -> KeyframeRequests:
    found = KeyframeRequests()
    found.add(1, source)
    return found


def test_many_who_want_one_at_once_ask_once() -> None:
    found = requests()
    asked = 0
    for tick in range(30):
        found.want(1, 0)
        asked += len(list(found.due(tick * 0.01)))
    assert asked == 1


def test_it_is_asked_again_until_it_comes_and_then_no_more() -> None:
    found = requests()
    found.want(1, 0)
    asked = [t for t in range(100) if list(found.due(t / 100))]
    assert asked == [0, 50]
    found.seen(1, 0, 1.0)
    assert not list(found.due(10.0))


def test_a_publisher_that_never_answers_is_not_asked_for_ever() -> None:
    found = requests()
    found.want(1, 0)
    assert sum(len(list(found.due(t * GAP_S))) for t in range(100)) == TRIES


def test_a_screen_is_asked_at_most_once_a_second() -> None:
    found = requests(Source.SCREEN)
    asked = 0
    for tick in range(200):
        found.want(1, 0)
        if list(found.due(tick * 0.01)):
            asked += 1
            found.seen(1, 0, tick * 0.01 + 0.001)
    assert asked == 2


def test_a_recorded_screen_is_asked_after_its_first_seconds_and_then_every_thirty() -> None:
    found = KeyframeRequests()
    found.add(1, Source.SCREEN)
    found.seen(1, 0, 0.0)
    found.every(1, 0, 30.0)
    asked = []
    for now in range(100):
        found.every(1, 0, 30.0)
        for up, layer in found.due(float(now)):
            asked.append(now)
            found.seen(up, layer, float(now))
    assert asked == [5, 35, 65, 95]


def test_a_recorded_camera_is_asked_every_four_seconds_and_nobody_else() -> None:
    found = requests()
    found.every(1, 0, 4.0)
    asked = []
    for tick in range(1_300):
        now = tick * 0.01
        if list(found.due(now)):
            asked.append(round(now, 2))
            found.seen(1, 0, now + 0.02)
    assert asked == pytest.approx([0.0, 4.02, 8.04, 12.06], abs=0.03)
    found.every(1, 0, 0.0)
    assert not list(found.due(100.0))


def test_a_new_wish_is_fresh_until_somebody_looks() -> None:
    found = requests()
    assert not found.fresh
    found.want(1, 0)
    assert found.fresh
    list(found.due(0.0))
    found.want(1, 0)
    assert not found.fresh  # it was asked for already


def test_an_unknown_track_is_ignored() -> None:
    found = requests()
    found.remove(1)
    found.want(1, 0)
    found.seen(1, 0, 0.0)
    assert not list(found.due(0.0))


@pytest.mark.parametrize(
    ("source", "age_us", "whole", "join"),
    [
        (Source.CAMERA, 1_900_000, True, Join.RING),
        (Source.CAMERA, 2_100_000, True, Join.LIVE),
        (Source.CAMERA, 100_000, False, Join.LIVE),
        (Source.SCREEN, 25_000_000, True, Join.RING),
        (Source.SCREEN, 25_000_000, False, Join.LIVE),
        (Source.SCREEN, -1, True, Join.LIVE),
    ],
)
def test_how_a_slot_joins(source: Source, age_us: int, whole: bool, join: Join) -> None:
    figures = LayerFigures(*[0] * 11, age_us, 10, whole, 0, -127)
    assert join_for(source, figures) is join


def test_layers_of_one_track_are_asked_together_or_when_a_browser_answers_again() -> None:
    found = KeyframeRequests()
    found.add(1, Source.CAMERA, layers=3)
    found.want(1, 2)
    found.want(1, 1)
    assert list(found.due(10.0)) == [(1, 1), (1, 2)]
    found.seen(1, 2, 10.05)
    found.seen(1, 1, 10.05)
    found.want(1, 0)
    assert not list(found.due(10.2))
    assert list(found.due(10.31)) == [(1, 0)]
