"""Would pacing help? The estimate's lines in virtual time, a frame sent at once or over 30 of its 40 ms.

python -m tests.bench.pacing [--seeds 8]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from tests.fakes.simulated_line import Path, Sample, Simulation

SPREAD_S = 0.030


@dataclass(frozen=True)
class Case:
    """`parts`: from, until, and the rate that is there for us (bit/s)."""

    path: Path
    seconds: float
    parts: Sequence[tuple[float, float, float]]
    tcp_from: float | None = None


CASES = {
    "3, 0.5, 3 Mbit/s": Case(
        Path(lambda at: 0.5e6 if 15 <= at < 35 else 3e6, 64_000),
        55,
        [(5, 14.8, 3e6), (20, 34.8, 0.5e6), (40, 55, 3e6)],
    ),
    "20 % loss": Case(Path(lambda at: 3e6, 64_000, loss=0.2), 30, [(5, 30, 3e6)]),
    "300 ms of queue": Case(Path(lambda at: 2e6, 75_000), 30, [(5, 30, 2e6)]),
    "beside a TCP flow": Case(Path(lambda at: 4e6, 75_000), 50, [(15, 50, 2e6)], tcp_from=10),
    "a queue of 12 kB": Case(Path(lambda at: 3e6, 12_000), 30, [(5, 30, 3e6)]),
}


def judge(case: Case, spread_s: float, seeds: int) -> tuple[float, float]:
    """Share of the rate that was sent, and the queue that 19 of 20 looks see at most (ms): means over all."""
    used, queues = [], []
    for seed in range(1, seeds + 1):
        run = Simulation(case.path, seed=seed, tcp_from=case.tcp_from, spread_s=spread_s).run(case.seconds)
        for begins, ends, rate in case.parts:
            part: list[Sample] = [sample for sample in run if begins <= sample.at < ends]
            used.append(sum(sample.sent_bps for sample in part) / len(part) / rate)
            queues.append(sorted(sample.queue_ms for sample in part)[int(0.95 * len(part))])
    return sum(used) / len(used), sum(queues) / len(queues)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=8)
    seeds = parser.parse_args().seeds
    for name, case in CASES.items():
        for how, spread_s in (("at once", 0.0), ("spread", SPREAD_S)):
            used, queue_ms = judge(case, spread_s, seeds)
            print(f"{name:18} {how:8} used {used:.2f}  queue {queue_ms:4.0f} ms")


if __name__ == "__main__":
    main()
