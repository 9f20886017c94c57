"""The aims of docs/performance.md, measured: `make bench`. On a busy machine these figures mean nothing."""

from __future__ import annotations

import msgspec
import pytest

from server.drill.bench_relay import Load, bench_relay
from server.ingest.peer import Profile
from tests.bench.glass_to_glass import glass_to_glass

US_PER_FORWARD_MOST = {"gcm": 6.0, "sha1": 9.0}
ABOVE_DIRECT_MOST_MS = 30.0
FIRST_FRAME_MOST_S = 0.6


@pytest.mark.parametrize("profile", ["gcm", "sha1"])
async def test_a_worker_forwards_to_forty_viewers_cheaply(profile: Profile) -> None:
    figures = await bench_relay(Load(40, 10, 250, profile))
    print("\n" + msgspec.json.encode(figures).decode())
    assert figures.lost == 0
    assert figures.us_per_forward <= US_PER_FORWARD_MOST[profile]


async def test_a_picture_takes_hardly_longer_than_without_a_server() -> None:
    figures = await glass_to_glass(10)
    print("\n" + msgspec.json.encode(figures).decode())
    assert figures.above_ms <= ABOVE_DIRECT_MOST_MS
    assert figures.first_frame_s <= FIRST_FRAME_MOST_S
