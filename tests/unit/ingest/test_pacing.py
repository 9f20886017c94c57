"""Picture and sound go out in step from the first second on, whatever bursts they come in."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ingest.pacing import BUFFER_S, LONGEST_S, MOST_WAITING, Pacing
from server.ingest.timing import PICTURE, SOUND

Sent = tuple[float, int, float]


def sent_on(arrivals: list[Sent], leasts: dict[int, float]) -> list[Sent]:
    """Arrival, stream, media time -> when each goes out, by a virtual clock that looks each 5 ms."""
    pacing, out = Pacing[None](), list[Sent]()
    pacing.begin(leasts, arrivals[0][0])
    waiting, now = sorted(arrivals), arrivals[0][0]
    while len(out) < len(arrivals):
        while waiting and waiting[0][0] <= now:
            at, stream, media = waiting.pop(0)
            pacing.put(stream, media, None, at)
        out += [(now, stream, media) for stream, media, _ in pacing.take(now)]
        now += 0.005
    return out


def lags(sent: list[Sent], stream: int) -> list[float]:
    return [at - media for at, one, media in sent if one == stream]


def test_sound_that_comes_before_its_picture_waits_for_it() -> None:
    pictures = [(media + 0.13, PICTURE, media) for media in (number * 0.04 for number in range(100))]
    sounds = [(media + 0.01, SOUND, media) for media in (number * 0.02 for number in range(200))]
    sent = sent_on(pictures + sounds, {PICTURE: 0.13, SOUND: 0.01})
    for stream in (PICTURE, SOUND):
        assert lags(sent, stream) == pytest.approx([0.13 + BUFFER_S] * (100 * (stream + 1)), abs=0.011)


def test_sound_in_bursts_comes_out_evenly() -> None:
    """A device that packs ten frames of sound at once, each in time with its picture."""
    sounds = [(number // 10 * 0.2 + 0.2, SOUND, number * 0.02) for number in range(300)]
    pictures = [(number * 0.04 + 0.19, PICTURE, number * 0.04) for number in range(150)]
    out = [
        at for at, stream, _ in sent_on(sounds + pictures, {PICTURE: 0.19, SOUND: 0.02}) if stream == SOUND
    ]
    assert max(later - before for before, later in itertools.pairwise(out)) < 0.05


def test_what_comes_later_than_the_delay_goes_at_once_and_in_order() -> None:
    stalled = (number * 0.04 for number in range(90))
    late = [(max(media + 0.05, 2.1 if media >= 1.6 else 0.0), PICTURE, media) for media in stalled]
    sent = sent_on(late, {PICTURE: 0.05})
    assert [media for _, _, media in sent] == sorted(media for _, _, media in late)
    assert max(lags(sent, PICTURE)) < 0.52


def test_a_stream_that_stays_behind_is_waited_for_but_not_for_ever() -> None:
    pictures = [(number * 0.04 + 0.05, PICTURE, number * 0.04) for number in range(1500)]
    sounds = [
        (number * 0.02 + (0.05 if number < 300 else 9.0), SOUND, number * 0.02) for number in range(2400)
    ]
    out = sent_on(pictures + sounds, {PICTURE: 0.05, SOUND: 0.05})
    assert max(lags(out, PICTURE)) < 0.05 + LONGEST_S + 0.02
    assert lags(out, PICTURE)[-1] > LONGEST_S


def test_a_clock_taken_for_a_second_too_late_delays_pictures_for_seconds_and_not_a_minute() -> None:
    """At the opening, or before a jump, only what had waited came: then everything is a second earlier."""
    medias = (number * 0.04 + (0.95 if number >= 25 else 0.0) for number in range(500))
    pictures = [(number * 0.04 + 1.0, PICTURE, media) for number, media in enumerate(medias)]
    late = lags(sent_on(pictures, {PICTURE: 1.0}), PICTURE)
    assert late[25] > 0.7
    assert late[25 + 25 * 6] < 0.2
    assert max(before - after for before, after in itertools.pairwise(late[25:])) < 0.04


def test_a_silent_stream_is_forgotten() -> None:
    pictures = [(number * 0.04 + 0.01, PICTURE, number * 0.04) for number in range(1500)]
    sounds = [(number * 0.02 + 0.3, SOUND, number * 0.02) for number in range(100)]
    sent = sent_on(pictures + sounds, {PICTURE: 0.01, SOUND: 0.3})
    assert lags(sent, PICTURE)[40] > 0.28
    assert lags(sent, PICTURE)[-1] < 0.05


def test_a_source_that_was_opened_again_is_not_made_to_wait_as_before() -> None:
    pacing = Pacing[None]()
    pacing.begin({PICTURE: 0.5}, 100.0)
    pacing.put(PICTURE, 99.5, None, 100.0)
    assert not list(pacing.take(100.0 + BUFFER_S - 0.001))
    assert list(pacing.take(100.0 + BUFFER_S + 0.001))
    pacing.begin({PICTURE: 0.0}, 101.0)
    pacing.put(PICTURE, 101.0, None, 101.0)
    assert not list(pacing.take(101.0 + BUFFER_S - 0.001))
    assert list(pacing.take(101.0 + BUFFER_S + 0.001))


@given(
    st.lists(
        st.tuples(st.sampled_from([PICTURE, SOUND]), st.floats(-50, 50), st.floats(0, 0.5)), max_size=300
    )
)
def test_whatever_comes_goes_out_in_its_order_and_within_a_bound(
    puts: list[tuple[int, float, float]],
) -> None:
    pacing, now, out = Pacing[int](), 1000.0, []
    for number, (stream, away, pause) in enumerate(puts):
        now += pause
        pacing.put(stream, now + away, number, now)
        out += list(pacing.take(now))
    for _ in range(120):
        now += 1.0
        out += list(pacing.take(now))
    for stream in (PICTURE, SOUND):
        numbers = [number for one, _, number in out if one == stream]
        assert numbers == sorted(numbers)
    assert len(out) == len(puts)


def test_no_more_waits_than_is_allowed() -> None:
    pacing = Pacing[int]()
    for number in range(MOST_WAITING + 50):
        pacing.put(SOUND, 1000.0 + number, number, 0.0)
        list(pacing.take(0.0))
    assert sum(len(lane.waiting) for lane in pacing._lanes) <= MOST_WAITING
