"""From the teacher's click on a room to its full picture in another room, in Chromium, on one machine.

    python -m tests.bench.called [--times 5]

The main camera is 960x540, a sample room's 640x360: the other room's stage is of the called room from its
first decoded picture of that size on. Figures in seconds: `picture_s`, one a call. (The drill measures
the voice: `call_heard_s`.)
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

import aiohttp
import msgspec
from playwright.async_api import Browser, Page

from server.drill.own_server import OwnServer, own_server
from server.protocol.resources import Demo
from tests.bench.glass_to_glass import chromium, window
from tests.e2e.sample import sees

PAUSE_S = 2.0
CLICK = """button => { const at = Date.now(); button.click(); return at; }"""
SHOWN = """height => new Promise(done => {
  const video = document.querySelector('[data-testid="picture-stage"]');
  const look = () => video.videoHeight == height && done(Date.now());
  video.addEventListener('resize', look);
  look();
})"""


async def entered(browser: Browser, own: OwnServer) -> tuple[Page, Page]:
    """The studio and the second room, with the first room there too."""
    async with aiohttp.ClientSession() as http, http.get(f"{own.url}/api/v1/demo") as answer:
        demo = msgspec.json.decode(await answer.read(), type=Demo)
    studio, *rooms = [await window(browser) for _ in range(3)]
    await studio.goto(f"{own.url}/studio#token={demo.studio.token}")
    await studio.get_by_test_id("start").click(timeout=30_000)
    for page, room in zip(rooms, demo.rooms, strict=False):
        await page.goto(f"{own.url}/room#token={room.token}&sample=1&volume=0.1")
        await sees(page.get_by_test_id("room"), 15_000)
    return studio, rooms[1]


async def called(times: int) -> list[float]:
    figures: list[float] = []
    with tempfile.TemporaryDirectory(prefix="lianke-called-") as folder:
        async with own_server() as own, chromium(Path(folder)) as browser:
            studio, other = await entered(browser, own)
            button = studio.get_by_test_id("call-luoping")
            for _ in range(times):
                await asyncio.sleep(PAUSE_S)
                seen = asyncio.create_task(other.evaluate(SHOWN, 360))
                asked = await button.evaluate(CLICK)
                figures.append(round((await asyncio.wait_for(seen, 10) - asked) / 1000, 3))
                await asyncio.sleep(PAUSE_S)
                await button.evaluate(CLICK)
                await other.evaluate(SHOWN, 540)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=5)
    print(msgspec.json.encode({"picture_s": asyncio.run(called(parser.parse_args().times))}).decode())
