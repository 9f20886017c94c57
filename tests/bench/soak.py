"""A small county that never rests: does memory stay flat, is every file closed?

python -m tests.bench.soak --minutes 60 [--rooms 2] [--json FILE]

One installation. Lesson follows lesson; in each, rooms are called in turn, one leaves and comes back, a WHEP
viewer comes and goes, a stranger floods the media port. Every 10 s the memory of each process (resident, its
own alone) and its open files are read. The slope is a straight line through the second half, when caches
are full. What is known so far is written after each lesson, and patience is long: it runs beside other work.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import socket
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from server.drill.classroom import Classroom
from server.drill.own_server import OwnServer, own_server
from server.protocol import messages as m
from tests.peers.lessons import Holding, decodes, forget, holding, on_air
from tests.peers.test_whip_whep import SDP, Doors, start_lesson

SAMPLE_EVERY_S = 10.0
LESSON_S = 100.0
TURN_S = 5.0
PATIENCE_S = 300.0
NAMES = {"server.app": "campus", "server.media": "worker", "recorder": "recorder"}


@dataclass
class Watch:
    """Samples by process: (seconds, resident MB, open files). One that was started again is a new one."""

    server: OwnServer
    began: float = field(default_factory=time.monotonic)
    samples: dict[str, list[tuple[float, float, int]]] = field(default_factory=lambda: defaultdict(list))

    async def run(self) -> None:
        while True:
            self.sample()
            await asyncio.sleep(SAMPLE_EVERY_S)

    def sample(self) -> None:
        at = time.monotonic() - self.began
        for pid, name in self.processes().items():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                status = Path(f"/proc/{pid}/status").read_text()
                if "RssAnon:" not in status:
                    continue  # it has just ended
                resident = int(status.split("RssAnon:")[1].split()[0]) / 1024
                files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
                self.samples[f"{name} {pid}"].append((at, resident, files))

    def processes(self) -> dict[int, str]:
        found = {self.server.pid: "supervisor"}
        children = Path(f"/proc/{self.server.pid}/task/{self.server.pid}/children").read_text().split()
        for child in children:
            words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
            module = words[words.index("-m") + 1] if "-m" in words else words[0]
            found[int(child)] = NAMES.get(module, module)
        return found

    def figures(self) -> dict[str, Any]:
        """By process: first, middle and last memory, MB an hour in the second half, open files."""
        return {name: _line(rows) for name, rows in self.samples.items() if len(rows) >= 4}


def _line(rows: list[tuple[float, float, int]]) -> dict[str, float]:
    half = rows[len(rows) // 2 :]
    slope = float(np.polyfit([row[0] for row in half], [row[1] for row in half], 1)[0]) * 3600
    return {
        "seconds": round(rows[-1][0] - rows[0][0]),
        "mb_first": round(rows[0][1], 1),
        "mb_middle": round(half[0][1], 1),
        "mb_last": round(rows[-1][1], 1),
        "mb_an_hour": round(slope, 2),
        "files_middle": half[0][2],
        "files_last": rows[-1][2],
    }


@dataclass
class Counts:
    lessons: int = 0
    calls: int = 0
    returns: int = 0
    viewers: int = 0
    hostile: int = 0
    late: int = 0


async def lesson(held: Holding, rooms: int, counts: Counts, dice: random.Random, until: float) -> None:
    """Start, teach for LESSON_S at most, end."""
    studio = held.studio()
    await studio.until(lambda: studio.lesson is not None, PATIENCE_S)
    pages = [held.room(number) for number in range(rooms)]
    for page in pages:
        await page.until(lambda page=page: page.welcome is not None, PATIENCE_S)  # type: ignore[misc]
    doors = await start_lesson(held)
    for page in pages:
        await page.until(lambda page=page: on_air(page) and decodes(page), PATIENCE_S)  # type: ignore[misc]
    counts.lessons += 1
    end = min(until, time.monotonic() + LESSON_S)
    while time.monotonic() < end:
        await _turn(held, doors, studio, pages, counts, dice)
        await asyncio.sleep(TURN_S)
    await held.end_lessons()
    for page in (studio, *pages):
        await held.close(page)


async def _turn(
    held: Holding,
    doors: Doors,
    studio: Classroom,
    pages: list[Classroom],
    counts: Counts,
    dice: random.Random,
) -> None:
    match dice.randrange(4):
        case 0:
            await studio.say(m.CallOn(room=dice.choice([*held.demo.rooms[: len(pages)]]).room))
            counts.calls += 1
        case 1:
            page = dice.choice(pages)
            await page.cut()
            await asyncio.sleep(dice.uniform(0.1, 3.0))
            forget(page)
            page.restore()
            try:
                await page.until(lambda: decodes(page), 30)
            except TimeoutError:
                counts.late += 1
            counts.returns += 1
        case 2:
            counts.viewers += await _viewer(held, doors)
        case _:
            _flood(held, dice)
            counts.hostile += 2_000


async def _viewer(held: Holding, doors: Doors) -> bool:
    """A WHEP viewer for two seconds, that leaves without a word. Whether it was let in."""
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        pc.addTransceiver("video", direction="recvonly")
        await pc.setLocalDescription(await pc.createOffer())
        text, headers = pc.localDescription.sdp, {**SDP, **doors.watch}
        async with held.http.post(doors.whep, data=text, headers=headers) as answer:
            if answer.status != 201:
                return False
            await pc.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))
        await asyncio.sleep(2)
        return True
    finally:
        await pc.close()


def _flood(held: Holding, dice: random.Random) -> None:
    text = held.server.config.read_text()
    port = int(text.split("port_base =")[1].split()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(2_000):
            stranger.sendto(dice.randbytes(dice.randrange(1, 1_200)), ("127.0.0.1", port))


async def soak(minutes: float, rooms: int, tell: Callable[[dict[str, Any]], None]) -> None:
    """Tells what was done and how memory stands after each lesson and at the end."""
    counts, dice = Counts(), random.Random(7)
    async with own_server() as server, holding(server) as held:
        watch = Watch(server)
        watching = asyncio.create_task(watch.run(), name="watch")
        until = time.monotonic() + minutes * 60
        while time.monotonic() < until:
            await lesson(held, rooms, counts, dice, until)
            tell({"did": vars(counts), "processes": watch.figures()})
        watching.cancel()
        watch.sample()
        tell({"minutes": minutes, "did": vars(counts), "processes": watch.figures()})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rooms", type=int, default=2)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()

    def tell(figures: dict[str, Any]) -> None:
        told = json.dumps(figures, indent=2) + "\n"
        if chosen.json is not None:
            chosen.json.write_text(told)
        if "minutes" in figures:
            sys.stdout.write(told)

    asyncio.run(soak(chosen.minutes, chosen.rooms, tell))


if __name__ == "__main__":
    main()
