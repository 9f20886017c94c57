"""From a camera's picture to a room's, in Chromium: by a browser without a server, and by a box.

    python -m tests.bench.box_latency [--source rtsp] [--seconds 10]

The browser's part is `glass_to_glass`'s: two plain pages joined directly. For the box, every numbered picture
is noted when it is handed to the camera's encoder and when the room's browser gives it to the screen; so
the sender's own encoder and server are in the figure. Both in one run, on one machine.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp
import msgspec
from playwright.async_api import Browser

from server.drill.boxes import box, networks_of, operator_door
from server.drill.classroom import Classroom
from server.drill.drill import FPS, HEIGHT, WIDTH
from server.drill.lessonkit.media import Camera, Voice, plan_lesson
from server.drill.own_server import OwnServer, own_server, sample_rooms
from server.drill.replay import cookie_jar
from server.protocol import messages as ws
from server.protocol.resources import Demo
from tests.bench.glass_to_glass import WARM_UP_S, Delay, chromium, direct, window
from tests.e2e.pictures import observe, shown
from tests.e2e.sample import sees


class BoxLatency(msgspec.Struct, frozen=True):
    """`above_ms`: how much longer the median picture takes by the box."""

    source: str
    browser: Delay
    box: Delay
    above_ms: float


async def by_box(browser: Browser, own: OwnServer, source: str, seconds: float) -> Delay:
    """A lesson taught by the box; a room's page watches."""
    plan = plan_lesson(seconds=60)
    async with aiohttp.ClientSession(cookie_jar=cookie_jar()) as http:
        async with http.get(f"{own.url}/api/v1/demo") as answer:
            demo = msgspec.json.decode(await answer.read(), type=Demo)
        door = operator_door(http, own.url, own.folder / "run")
        studio = Classroom(http, f"{own.url}/ws", demo.studio.token, {})
        work = box(
            source, door, demo.studio.room, Camera(plan, WIDTH, HEIGHT, FPS), Voice(plan), (WIDTH, HEIGHT)
        )
        async with work as sent_at, asyncio.TaskGroup() as group:
            running = group.create_task(studio.run(), name="studio")
            await studio.until(lambda: studio.lesson is not None and len(studio.lesson.main_sends) == 2, 60)
            await studio.say(ws.Start())
            room = await window(browser)
            await room.goto(f"{own.url}/room#token={demo.rooms[0].token}&sample=1&volume=0.1")
            await sees(room.get_by_test_id("room"), 30_000)
            stage = room.get_by_test_id("picture-stage")
            await observe(stage)
            await asyncio.sleep(WARM_UP_S)
            await shown(stage)
            await asyncio.sleep(seconds)
            seen, wall = await shown(stage), time.time() - time.monotonic()
            running.cancel()
    sent = sent_at or {}
    late = [each.at_ms - (sent[each.number] + wall) * 1000 for each in seen if each.number in sent]
    high = statistics.quantiles(late, n=20)[-1]
    return Delay(round(statistics.median(late), 1), round(high, 1), len(late))


async def box_latency(source: str, seconds: float) -> BoxLatency:
    with tempfile.TemporaryDirectory(prefix="lianke-box-") as folder:
        async with (
            own_server(sample_rooms(1), extra=networks_of(source)) as own,
            chromium(Path(folder)) as browser,
        ):
            plain = await direct(browser, own.url, seconds)
            found = await by_box(browser, own, source, seconds)
            return BoxLatency(source, plain, found, round(found.median_ms - plain.median_ms, 1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", choices=("rtsp", "rtmp"), default="rtsp")
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()
    print(msgspec.json.encode(asyncio.run(box_latency(args.source, args.seconds))).decode())
