"""The estimate over simulated lines, in virtual time: settled within 5 s, most used, short queues."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from server.media.estimate import LEAST_BPS, Burst, Cause, Estimate, pack
from tests.fakes.simulated_line import Path, Sample, Simulation

SETTLED_S = 5.0
LAYERS = (150_000, 600_000, 2_500_000)


def step(at: float) -> float:
    return 0.5e6 if 15 <= at < 35 else 3e6


def between(samples: Sequence[Sample], since: float, until: float) -> list[Sample]:
    return [sample for sample in samples if since <= sample.at < until]


def used(samples: Sequence[Sample], rate_bps: float) -> float:
    """Share of the line's rate that was sent."""
    return sum(sample.sent_bps for sample in samples) / len(samples) / rate_bps


def queue_ms(samples: Sequence[Sample]) -> float:
    """What 19 of 20 looks see at most."""
    return sorted(sample.queue_ms for sample in samples)[int(0.95 * len(samples))]


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_steps_of_the_line_from_3_to_a_half_and_back_to_3_mbit(seed: int) -> None:
    samples = Simulation(Path(step, 64_000), seed=seed).run(55)
    for begins, ends, rate in ((0, 14.8, 3e6), (15, 34.8, 0.5e6), (35, 55, 3e6)):
        part = between(samples, begins + SETTLED_S, ends)
        assert used(part, rate) >= 0.8, (begins, used(part, rate))
        assert queue_ms(part) < 200, (begins, queue_ms(part))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_fifth_lost_at_random_is_the_lines_own_and_not_held_against_the_rate(seed: int) -> None:
    simulation = Simulation(Path(lambda at: 3e6, 64_000, loss=0.2), seed=seed)
    part = between(simulation.run(30), SETTLED_S, 30)
    assert used(part, 3e6) >= 0.8
    assert queue_ms(part) < 200
    assert 0.1 < simulation.estimate.losses.own < 0.3


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_queue_of_300_ms_is_not_kept_full(seed: int) -> None:
    part = between(Simulation(Path(lambda at: 2e6, 75_000), seed=seed).run(30), SETTLED_S, 30)
    assert used(part, 2e6) >= 0.8
    assert queue_ms(part) < 200


def test_beside_a_flow_that_fills_the_queue_it_keeps_its_share_and_leaves_the_other_its_own() -> None:
    """Half of the line is its share; over four seeds, for where the other stands is chance."""
    shares, others = [], []
    for seed in (1, 2, 3, 4):
        simulation = Simulation(Path(lambda at: 4e6, 75_000), seed=seed, tcp_from=10)
        part = between(simulation.run(50), 15, 50)
        shares.append(used(part, 2e6))
        others.append(simulation.tcp.delivered * 8 / 40 / 2e6)
        assert queue_ms(part) < 200
    assert sum(shares) / len(shares) >= 0.8, shares
    assert min(others) >= 0.7, others


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_layers_come_down_with_the_line_and_back_by_probes(seed: int) -> None:
    """What is sent says nothing of a better line: 150 of 3,000 kbit/s."""
    simulation = Simulation(Path(step, 64_000), seed=seed, layers=LAYERS, wanted_bps=2_800_000)
    samples = simulation.run(60)
    assert {s.estimate_bps for s in between(samples, 1, 14.8)} == {8_000_000}, (
        "nothing was wrong: all was given"
    )
    assert all(s.estimate_bps < 600_000 for s in between(samples, 15 + SETTLED_S, 34.8))
    assert queue_ms(between(samples, 15 + SETTLED_S, 34.8)) < 200
    back = next(s.at for s in samples if s.at > 35 and s.estimate_bps > 2_500_000)
    assert back - 35 < 10
    assert all(s.estimate_bps > 2_500_000 for s in between(samples, back + 1, 60))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_keyframe_that_begins_a_picture_is_not_taken_for_a_queue(seed: int) -> None:
    """4 Mbit/s for half a second wait in a line of 3.5 and are gone again; a full line is still found."""
    path = Path(lambda at: 3.5e6 if at < 20 else 0.5e6, 120_000)
    simulation = Simulation(path, seed=seed, layers=LAYERS)
    for at in (0.01, 5.0, 12.0, 20.0):
        simulation.at(at, lambda: simulation.picture_begins(250_000))
    samples = simulation.run(35)
    assert all(s.estimate_bps > 2_650_000 for s in between(samples, 0, 19.8))
    assert all(s.estimate_bps < 600_000 for s in between(samples, 20 + SETTLED_S, 35))


def test_a_collapse_is_found_by_what_came_at_last_and_its_losses_are_the_queues() -> None:
    """Half a second at 3 Mbit/s, then a line of 500 kbit/s with a growing queue that overflows."""
    estimate, arrival = Estimate(), 0
    for number in range(80):
        sent = number * 10_000
        arrival = max(sent, arrival) + (60_000 if number >= 50 else 0)
        estimate.feed(pack([Burst(sent, arrival, 3_750, 3, 2 if number > 60 else 0)]), arrival / 1e6)
    assert estimate.capacity_bps == pytest.approx(500_000, rel=0.1)
    assert estimate.bps < 0.5 * 500_000, "below what it carries, until the queue is gone"
    assert estimate.steady_bps == pytest.approx(0.85 * 500_000, rel=0.1)
    assert estimate.losses.share == 0


def test_a_line_that_falls_silent_is_given_less_and_less() -> None:
    estimate = Estimate()
    estimate.feed(pack([Burst(0, 1_000, 1_200, 1, 0)]), 0.1)
    for seconds in range(30):
        estimate.silent(float(seconds))
    assert estimate.bps < 100 * LEAST_BPS
    assert estimate.cause is Cause.SILENCE


def test_a_viewer_that_never_told_anything_is_not_taken_for_silent() -> None:
    estimate = Estimate()
    estimate.silent(100.0)
    assert estimate.cause is Cause.NONE
