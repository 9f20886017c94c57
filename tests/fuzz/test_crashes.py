"""A bounded, seeded run of every target, and every input that once broke one. `make fuzz` looks longer."""

from __future__ import annotations

import pytest

from tests.fuzz.run import CRASHES, by_dice
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS

INPUTS = {"sdp": 2_500, "stun": 2_500, "dtls": 2_500}
KEPT = [(path.parent.name, path.read_bytes()) for path in sorted(CRASHES.glob("*/*"))]
KNOWN = [(name, data) for name, seeds in SEEDS.items() for data in seeds]


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_inputs_are_parsed_or_refused(name: str) -> None:
    count = INPUTS.get(name, 10_000)
    assert by_dice(name, seed=20261122, inputs=count) == count


@pytest.mark.parametrize(
    ("name", "data"), KNOWN + KEPT, ids=lambda value: value if isinstance(value, str) else ""
)
def test_well_formed_inputs_and_what_broke_once_break_nothing(name: str, data: bytes) -> None:
    TARGETS[name](data)
