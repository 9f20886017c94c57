"""Processes of an installation are killed at random moments of a lesson; then its recording is looked at.

    python -m tests.chaos.lesson [--kills 20] [--seed 1] [--every 6]

Exits with 1 where the lesson has not become one recording that plays, or a hole is longer than it may be: 2 s
after the death of recorder or campus, the outage and 1 s after the media worker's.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
import time
from datetime import datetime
from pathlib import Path

from recorder.archive.manifest import BadManifest, Manifest, read_manifest
from server.drill.classroom import Classroom
from server.drill.own_server import own_server
from server.protocol import messages as m
from server.protocol.messages import LessonState
from tests.peers.lessons import Holding, holding, on_air, view

VICTIMS = ("recorder", "server.app", "server.media", "all")
OUTAGE_S = 5.0
HOLE_S = {"recorder": 2.0, "server.app": 2.0, "server.media": OUTAGE_S + 1, "all": OUTAGE_S + 3}


def manifest(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except BadManifest:
        return None


def strike(held: Holding, victim: str) -> None:
    for module in VICTIMS[:3] if victim == "all" else (victim,):
        try:
            held.kill(module)
        except AssertionError:
            continue  # it is dead already


async def end(studio: Classroom) -> None:
    """As a teacher does: press End until it is the end; what is said while the line is away is lost."""
    async with asyncio.timeout(60):
        while view(studio).state is not LessonState.ENDED:
            await studio.say(m.End())
            with contextlib.suppress(TimeoutError):
                await studio.until(lambda: view(studio).state is LessonState.ENDED, 3)


async def lesson(kills: int, seed: int, every_s: float) -> dict[str, object]:
    """What was done, and what became of the recording."""
    chance = random.Random(seed)
    async with own_server() as server, holding(server) as held:
        studio = held.studio()
        await studio.until(lambda: studio.lesson is not None, 30)
        await studio.say(m.Start())
        await studio.until(lambda: on_air(studio), 20)
        name = view(studio).id
        folder = server.archive / name
        await studio.until(lambda: (told := manifest(folder)) is not None and told.seconds > 4, 30)
        deaths: list[tuple[float, str]] = []
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.5, 1.5) * every_s)
            victim = chance.choice(VICTIMS)
            deaths.append((time.time(), victim))
            strike(held, victim)
        await asyncio.sleep(2 * every_s)
        await studio.until(lambda: on_air(studio), 30)
        await end(studio)
        await studio.until(lambda: (told := manifest(folder)) is not None and told.verdict is not None, 90)
        return judge(read_manifest(folder), deaths, len(list(server.archive.iterdir())))


def judge(made: Manifest, deaths: list[tuple[float, str]], recordings: int) -> dict[str, object]:
    verdict, zero = made.verdict, datetime.fromisoformat(made.zero_at).timestamp()
    assert verdict is not None
    holes = []
    for gap in next(track for track in made.tracks if track.name == "voice").gaps:
        if gap.cause == "not_started" or gap.end_s > made.seconds - 0.5:
            continue
        near = [victim for at, victim in deaths if -6 < zero + gap.start_s - at < 12]
        allowed = max((HOLE_S[victim] for victim in near), default=0.0) + OUTAGE_S * (len(near) > 1)
        holes.append(
            (round(gap.start_s, 2), round(gap.end_s - gap.start_s, 2), str(gap.cause), near, allowed)
        )
    bad = [hole for hole in holes if hole[1] > hole[4]]
    return {
        "killed": {victim: sum(v == victim for _, v in deaths) for victim in VICTIMS},
        "seconds": made.seconds,
        "recordings": recordings,
        "pictures": [verdict.pictures_decoded, verdict.pictures],
        "sounds": [verdict.sounds_decoded, verdict.sounds],
        "problems": list(verdict.problems),
        "holes": holes,
        "too_long": bad,
        "well": not bad and recordings == 1 and verdict.whole,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=6.0)
    asked = parser.parse_args()
    found = asyncio.run(lesson(asked.kills, asked.seed, asked.every))
    print(json.dumps(found, indent=1))
    return 0 if found["well"] else 1


if __name__ == "__main__":
    sys.exit(main())
