"""Every picture that the browser sent is in the recording, once, in order; the screen is left in peace."""

from __future__ import annotations

import pytest

from recorder.archive.manifest import GapCause, read_manifest
from server.drill.own_server import SAMPLE_ROOMS, own_server
from tests.e2e.conftest import Window
from tests.e2e.proxied import KEEP_JOURNAL, Wire, compare, media_address, teach, track_of
from tests.fakes.lossy_proxy import lossy_proxy


@pytest.mark.parametrize("seconds", [10])
async def test_what_the_browser_sent_is_recorded_whole_and_in_order(window: Window, seconds: float) -> None:
    async with (
        own_server(SAMPLE_ROOMS, extra=KEEP_JOURNAL) as server,
        lossy_proxy(media_address(server)) as proxy,
    ):
        wire = Wire()
        proxy.keep = wire.note
        folder, ended = await teach(await window(), server, proxy, seconds)
        made = read_manifest(folder)
        for name in ("camera", "screen", "voice"):
            track = track_of(made, name)
            found = compare(track, folder, wire, ended)
            print(name, found)
            assert found.missing == []
            assert found.frames == found.played
            assert found.frames > seconds * {"camera": 5, "screen": 1, "voice": 40}[name]
            stalled = any(gap.cause == GapCause.SOURCE_AWAY for gap in track.gaps)  # the browser sent nothing
            assert found.worst_ms < (100 if stalled else 20)
            assert found.until_end_s < (2 if stalled else 0.5)
            assert {gap.cause for gap in track.gaps} <= {GapCause.NOT_STARTED, GapCause.SOURCE_AWAY}
            if name == "screen":  # one at first (again where it is late), one that ends a segment
                assert found.keyframes <= 2 * found.streams + stalled
        assert made.verdict is not None
        assert made.verdict.whole
