"""What of a lesson's pictures and sounds, as they left Chromium, is in its recording.

    python -m tests.bench.every_frame [--seconds 60] [--loss 0.05]

The studio's page with camera, courseware and voice, through a UDP proxy that notes SSRC, sequence number and
RTP time of every packet. Told for each track: pictures (sounds) sent from the first keyframe to the end,
those in the files, packets that are missing, keyframes, and how far the time between two pictures in a row in
the file is from the browser's at most. `--loss`: that share of the browser's datagrams is lost, the others
are up to 30 ms late and overtake one another; problems are those of decoding everything.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict
from typing import Any

from playwright.async_api import async_playwright

from recorder.archive.manifest import read_manifest
from server.drill.own_server import SAMPLE_ROOMS, own_server
from tests.e2e.conftest import FLAGS, STUDIO_SIZE
from tests.e2e.proxied import KEEP_JOURNAL, Wire, compare, media_address, teach
from tests.fakes.lossy_proxy import Line, lossy_proxy


async def every_frame(seconds: float, loss: float) -> dict[str, Any]:
    wire = Wire()
    line = Line(loss=loss, jitter_s=0.03 if loss else 0.0)
    async with (
        own_server(SAMPLE_ROOMS, extra=KEEP_JOURNAL) as server,
        lossy_proxy(media_address(server), up=line) as proxy,
        async_playwright() as playwright,
    ):
        proxy.keep = wire.note
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        context = await browser.new_context(locale="zh-CN", viewport=STUDIO_SIZE)
        folder, ended = await teach(await context.new_page(), server, proxy, seconds)
        await browser.close()
        made = read_manifest(folder)
        assert made.verdict is not None
        found: dict[str, Any] = {"problems": made.verdict.problems}
        for track in made.tracks:
            facts = asdict(compare(track, folder, wire, ended))
            found[track.name] = {
                **facts,
                "missing": len(facts["missing"]),
                "holes": [(gap.start_s, round(gap.end_s - gap.start_s, 2), gap.cause) for gap in track.gaps],
            }
        return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--loss", type=float, default=0.0)
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(every_frame(asked.seconds, asked.loss)), indent=1))
