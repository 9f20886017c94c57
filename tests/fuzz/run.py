"""Runs targets: `python -m tests.fuzz.run [TARGET ...] --seconds 60 [--seed 7] [--atheris]`.

Without atheris: mutations of the seeds by a seeded dice, the same at each run. With it (where it is
installed; pure targets only) libFuzzer looks for inputs that reach new lines. A find is written to
tests/fuzz/crashes/TARGET/, where tests/fuzz/test_crashes.py runs it for ever after.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import tests.fuzz.sanitized  # noqa: F401 - before anything of the relay

CRASHES = Path(__file__).parent / "crashes"
INTERESTING = (0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 129, 200, 205, 206, 254, 255)


def mutated(seed: bytes, dice: random.Random) -> bytes:
    """A few changes: octets, runs doubled, cut out, moved, or another length."""
    data = bytearray(seed)
    for _ in range(1 + min(9, int(dice.expovariate(0.4)))):
        at = dice.randrange(len(data) + 1)
        length = 1 + int(dice.expovariate(0.1))
        match dice.randrange(7):
            case 0 if data:
                data[at % len(data)] = dice.choice(INTERESTING)
            case 1 if data:
                data[at % len(data)] ^= 1 << dice.randrange(8)
            case 2:
                data[at:at] = dice.randbytes(length)
            case 3:
                del data[at : at + length]
            case 4:
                data[at:at] = data[at : at + length] * dice.choice((1, 1, 1, 40))
            case 5 if data:
                other = dice.randrange(len(data))
                data[at : at + length] = data[other : other + length]
            case _:
                del data[at:]
    return bytes(data[: 1 << 16])


def keep(name: str, data: bytes) -> Path:
    folder = CRASHES / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(data).hexdigest()[:16]
    path.write_bytes(data)
    return path


def by_dice(name: str, *, seed: int, inputs: int = 0, seconds: float = 0.0) -> int:
    """Run mutations until so many inputs or seconds; how many were run. What a target raises is kept, then
    raised again. With `seconds` each input stands in a file before it runs: a crash leaves it there."""
    from tests.fuzz.seeds import SEEDS
    from tests.fuzz.targets import TARGETS

    dice, target, seeds = random.Random(f"{name} {seed}"), TARGETS[name], SEEDS[name]
    pool, count, deadline = list(seeds), 0, time.monotonic() + seconds
    last = Path(tempfile.gettempdir()) / f"lianke-fuzz-{name}"
    file = os.open(last, os.O_RDWR | os.O_CREAT)
    while count < inputs or time.monotonic() < deadline:
        data = mutated(dice.choice(pool), dice)
        if len(pool) < 200 and dice.random() < 0.02:
            pool.append(data)
        if seconds:
            os.ftruncate(file, os.pwrite(file, data, 0))
        try:
            target(data)
        except Exception:
            print(f"{name}: found after {count} inputs: {keep(name, data)}", file=sys.stderr)
            raise
        count += 1
    os.close(file)
    last.unlink()
    return count


def by_atheris(name: str, seconds: int, seed: int) -> None:
    """Does not return: libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["server", "aiortc", "aioice"]):
        from tests.fuzz.seeds import SEEDS
        from tests.fuzz.targets import TARGETS

    def one(data: bytes) -> None:
        try:
            TARGETS[name](data)
        except Exception:
            print(f"{name}: found: {keep(name, data)}", file=sys.stderr)
            raise

    corpus = Path(__file__).parents[2] / "build" / "fuzz" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(each)
    options = [f"-max_total_time={seconds}", f"-seed={seed}", "-max_len=20000", "-timeout=20", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", str(corpus)], one)
    atheris.Fuzz()


def main() -> None:
    from tests.fuzz.seeds import SEEDS

    parser = argparse.ArgumentParser()
    parser.add_argument("targets", nargs="*", choices=[*SEEDS, []], default=[])
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", action="store_true")
    chosen = parser.parse_args()
    guided = chosen.atheris and importlib.util.find_spec("atheris") is not None
    for name in chosen.targets or list(SEEDS):
        if guided:
            by_atheris(name, chosen.seconds, chosen.seed)
        began = time.monotonic()
        count = by_dice(name, seed=chosen.seed, seconds=chosen.seconds)
        print(f"{name}: {count} inputs in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
