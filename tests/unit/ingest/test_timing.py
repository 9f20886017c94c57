"""A source's clock against ours: jitter is not followed, drift is, jumps do not tear the time line."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ingest.picture import fitting
from server.ingest.timing import LONGEST_LATE_S, PICTURE, SOUND, SourceClock, ntp_of


def test_forty_five_minutes_of_a_clock_that_is_300_ppm_off_stay_in_step() -> None:
    """What a sender report says of the time now is never 80 ms from the truth, jitter and all."""
    for drift in (300e-6, -300e-6):
        clock, dice, worst = SourceClock(), random.Random(7), 0.0
        for number in range(45 * 60 * 25):
            truth = number * 0.04
            own = 1000.0 + truth * (1 + drift)
            now = 5.0 + truth + 0.01 + dice.expovariate(1 / 0.012)
            media = clock.media(own, now)
            if number > 50:
                captured_at = 5.0 + truth
                worst = max(worst, abs((media - clock.at(now)) + (now - captured_at)))
        assert worst < 0.08, worst
        assert clock.jumps == 0


def test_picture_and_sound_that_share_a_clock_keep_their_distance() -> None:
    clock = SourceClock()
    for number in range(100):
        now = number * 0.02
        picture = clock.media(50.0 + number * 0.02, now)
        sound = clock.media(50.0 + number * 0.02 - 0.1, now)
        assert picture - sound == pytest.approx(0.1)


def test_a_stream_that_jumps_some_packets_before_the_other_takes_it_along() -> None:
    """Picture and sound stay in step over a jump that reaches them one after the other, forth and back."""
    for jump in (5_000.0, -300.0):
        clock = SourceClock()
        for number in range(400):
            now = number * 0.02
            picture = clock.media(400.0 + now + (jump if number > 200 else 0), now, PICTURE)
            sound = clock.media(400.0 + now - 0.05 + (jump if number > 207 else 0), now + 0.001, SOUND)
            assert picture - sound == pytest.approx(0.05)
        assert clock.jumps == 1


@pytest.mark.parametrize(("at_once", "slowly"), [(PICTURE, SOUND), (SOUND, PICTURE)])
def test_streams_that_go_back_one_at_once_and_one_by_and_by_end_in_step(at_once: int, slowly: int) -> None:
    """As a device does that was opened while it began: its times are wrong by 0.4 s, then right."""
    clock, last = SourceClock(), dict[int, float]()
    for number in range(400):
        now = number * 0.02
        wrong = {at_once: 0.4 if number < 50 else 0.0, slowly: max(0.0, 0.4 - 0.004 * number)}
        for stream in (PICTURE, SOUND):
            last[stream] = clock.media(50.0 + now + wrong[stream], now + 0.01, stream)
    assert last[PICTURE] == pytest.approx(last[SOUND], abs=0.01)
    assert abs(clock.at(400 * 0.02) - last[PICTURE]) < 0.06


def test_what_comes_late_is_no_jump() -> None:
    """The line stood still for 4 s; then everything that waited comes at once."""
    clock = SourceClock()
    for number in range(500):
        own = number * 0.04
        media = clock.media(7.0 + own, own if not 100 <= number < 200 else 8.0)
        assert media == pytest.approx(own)
    assert clock.jumps == 0


def test_of_what_comes_at_once_at_the_opening_the_newest_says_where_the_clock_is() -> None:
    clock = SourceClock()
    held = [(500.0 + number * 0.04, 10.0) for number in range(50)]
    clock.settle(held)
    assert [clock.media(own, now) for own, now in held][-1] == pytest.approx(10.0)
    before = clock.media(502.0, 10.04)
    clock.restarted()
    clock.settle([(7.0, 13.0), (7.04, 13.0)])
    assert clock.media(7.0, 13.0) - before == pytest.approx(13.0 - 10.04 - 0.04)
    clock.restarted()
    clock.settle([(number * 0.04, 13.1) for number in range(50)])
    assert clock.media(0.0, 13.1) > clock.newest - 0.1, "media time never goes back"


def test_a_jump_of_the_source_is_none_of_the_media_time() -> None:
    clock = SourceClock()
    times = [clock.media(10.0 + step * 0.04, step * 0.04) for step in range(50)]
    times += [clock.media(90_000.0 + step * 0.04, (50 + step) * 0.04) for step in range(50)]
    times += [clock.media(5.0 + step * 0.04, (100 + step) * 0.04) for step in range(50)]
    steps = [later - before for before, later in itertools.pairwise(times)]
    assert clock.jumps == 2
    assert all(0.03 < step < 0.05 for step in steps)


def test_a_source_that_was_opened_again_goes_on_after_the_hole() -> None:
    clock = SourceClock()
    before = clock.media(100.0, 1.0)
    clock.restarted()
    after = clock.media(100.5, 11.0)
    assert after - before == pytest.approx(10.0)
    assert clock.jumps == 0


def test_what_waited_in_the_device_is_not_taken_for_its_clock() -> None:
    """Three seconds come at once at the beginning: afterwards the time line is where the newest belong."""
    clock = SourceClock()
    for step in range(75):
        clock.media(step * 0.04, 1.0)
    for step in range(75, 200):
        now = 1.0 + (step - 75) * 0.04
        media = clock.media(step * 0.04, now)
        assert clock.at(now) - media < 0.05
    assert clock.jumps <= 1


def test_packets_without_times_are_put_where_they_came() -> None:
    clock = SourceClock()
    assert [round(clock.media(None, step * 0.04), 3) for step in range(4)] == [0.0, 0.04, 0.08, 0.12]


@given(st.lists(st.tuples(st.none() | st.floats(-1e6, 1e6), st.floats(0, 5)), max_size=60))
def test_whatever_comes_media_time_stays_near_the_clock(packets: list[tuple[float | None, float]]) -> None:
    clock, now = SourceClock(), 0.0
    for own, pause in packets:
        now += pause
        media = clock.media(own, now)
        assert abs(media - clock.at(now)) <= LONGEST_LATE_S + 0.001 + pause
        assert media == media


def test_ntp_time_of_a_known_moment() -> None:
    assert ntp_of(0.5) == 2_208_988_800 << 32 | 1 << 31


@pytest.mark.parametrize(
    ("size", "fits"), [((1920, 1080), (1280, 720)), ((640, 360), (640, 360)), ((1081, 1921), (720, 1280))]
)
def test_a_picture_keeps_its_shape_when_it_is_made_smaller(
    size: tuple[int, int], fits: tuple[int, int]
) -> None:
    assert fitting(*size, 1280 * 720) == fits
