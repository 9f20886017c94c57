"""What of a lesson's pictures and sounds, as they left Chromium, is in its recording.

    python -m tests.bench.every_frame [--seconds 60]

The studio's page with camera, courseware and voice, through a UDP proxy that notes SSRC, sequence number and
RTP time of every packet. Told for each track: pictures (sounds) sent from the first keyframe to the end,
those in the files, packets that are missing, keyframes, and how far the time between two pictures in a row in
the file is from the browser's at most.
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
from tests.fakes.lossy_proxy import lossy_proxy


async def every_frame(seconds: float) -> dict[str, Any]:
    wire = Wire()
    async with (
        own_server(SAMPLE_ROOMS, extra=KEEP_JOURNAL) as server,
        lossy_proxy(media_address(server)) as proxy,
        async_playwright() as playwright,
    ):
        proxy.keep = wire.note
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        context = await browser.new_context(locale="zh-CN", viewport=STUDIO_SIZE)
        folder, ended = await teach(await context.new_page(), server, proxy, seconds)
        await browser.close()
        made = read_manifest(folder)
        return {
            track.name: {**asdict(compare(track, folder, wire, ended)), "gaps": len(track.gaps)}
            for track in made.tracks
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60)
    print(json.dumps(asyncio.run(every_frame(parser.parse_args().seconds)), indent=1))
