"""Processes of an installation are killed in a lesson; then its recording is held against what was sent.

    python -m tests.chaos.lesson [--kills 20] [--seed 1] [--every 6] [--log FILE]

The recorder, campus, the media worker, the publisher or everything but the supervisor, at random moments.
Exits with 1 where the lesson has not become one recording that plays whole, where a packet is missing from
its journal that was sent outside of an outage, or where a hole is longer than its outage and 1 s, or is not
listed. An outage lasts from a worker's death until the studio sends by a new connection; how long they were
is told, as it depends on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from recorder.archive.manifest import BadManifest, Manifest, read_manifest
from server.drill.classroom import Classroom
from server.drill.own_server import own_server
from server.protocol import messages as m
from server.protocol.messages import LessonState
from tests.chaos.judging import (
    ALL,
    CAMPUS,
    PUBLISHER,
    RECORDER,
    WORKER,
    Death,
    Verdict,
    judge,
    sends_again,
)
from tests.chaos.sent import Sent, everything_sent, journalled
from tests.chaos.telling import state_of
from tests.peers.lessons import Holding, holding, on_air, view
from tests.peers.workers import holds

VICTIMS = (RECORDER, CAMPUS, WORKER, PUBLISHER, ALL)
EVERYTHING = (CAMPUS, WORKER, RECORDER, PUBLISHER)
BACK_S = 60.0
BEHIND_S = 8.0
"""A manifest is written each 5 s, of what came 1 s before."""
KEEP_JOURNAL = "[recording]\nkeep_journal = true\n"


class NotSurvived(AssertionError):
    """What the studio sends was not recorded again; the message tells how everything stood."""


@dataclass(frozen=True)
class Told:
    """A lesson that was survived, or not."""

    manifest: Manifest
    deaths: list[Death]
    verdict: Verdict
    recordings: int

    @property
    def well(self) -> bool:
        return self.recordings == 1 and not self.verdict.faults


def manifest(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except BadManifest:
        return None


def verified(folder: Path) -> bool:
    told = manifest(folder)
    return told is not None and told.verdict is not None


def follows(told: Manifest | None, since: float) -> bool:
    """What is sent now is recorded, and something of what was sent from `since` on: a connection that is dead
    sends, too."""
    if told is None or not told.zero_at:
        return False
    recorded_until = datetime.fromisoformat(told.zero_at).timestamp() + told.seconds
    return recorded_until > max(since, time.time() - BEHIND_S)


def strike(held: Holding, victim: str) -> Death:
    for module in EVERYTHING if victim == ALL else (victim,):
        with contextlib.suppress(AssertionError):  # it is dead already
            held.kill(module)
    return Death(time.time(), victim)


async def end(studio: Classroom) -> None:
    """As a teacher does: press End until it is the end; what is said while the line is away is lost."""
    async with asyncio.timeout(60):
        while view(studio).state is not LessonState.ENDED:
            await studio.say(m.End())
            with contextlib.suppress(TimeoutError):
                await studio.until(lambda: view(studio).state is LessonState.ENDED, 3)


async def lesson(kills: Sequence[tuple[float, str]], rest_s: float, log: Path | None = None) -> Told:
    """Hold a lesson with these deaths: seconds since the one before, and who."""
    async with own_server(extra=KEEP_JOURNAL) as server, holding(server) as held:
        try:
            with everything_sent() as sent:
                folder, deaths, span = await _hold(held, kills, rest_s, sent)
            await holds(lambda: verified(folder), 90)
        finally:
            if log is not None:
                shutil.copy(server.log, log)
        made = read_manifest(folder)
        verdict = judge(made, deaths, sent, journalled(folder), span)
        return Told(made, deaths, verdict, len(list(server.archive.iterdir())))


async def _hold(
    held: Holding, kills: Sequence[tuple[float, str]], rest_s: float, sent: list[Sent]
) -> tuple[Path, list[Death], tuple[float, float]]:
    """The lesson itself: its folder, its deaths, from when to when it was looked at."""
    studio = held.studio()
    await studio.until(lambda: studio.lesson is not None, 30)
    await studio.say(m.Start())
    await studio.until(lambda: on_air(studio), 20)
    folder = held.server.archive / view(studio).id
    await studio.until(lambda: (told := manifest(folder)) is not None and told.seconds > 1, 30)
    began, deaths = time.time(), []
    for pause_s, victim in kills:
        await asyncio.sleep(pause_s)
        deaths.append(strike(held, victim))
    await asyncio.sleep(rest_s)
    try:
        await studio.until(
            lambda: on_air(studio) and follows(manifest(folder), sends_again(deaths, sent)), BACK_S
        )
    except TimeoutError:
        raise NotSurvived(state_of(held, studio, deaths, sent)) from None
    ended = time.time()
    await end(studio)
    return folder, deaths, (began, ended)


def by_chance(kills: int, seed: int, every_s: float) -> list[tuple[float, str]]:
    chance = random.Random(seed)
    return [(chance.uniform(0.5, 1.5) * every_s, chance.choice(VICTIMS)) for _ in range(kills)]


def figures(told: Told) -> dict[str, object]:
    verdict = told.manifest.verdict
    return {
        "killed": {victim: sum(d.victim == victim for d in told.deaths) for victim in VICTIMS},
        "seconds": told.manifest.seconds,
        "recordings": told.recordings,
        "pictures": [verdict.pictures_decoded, verdict.pictures] if verdict else None,
        "sounds": [verdict.sounds_decoded, verdict.sounds] if verdict else None,
        "outages_s": [(o.victim, round(o.end - o.start, 2)) for o in told.verdict.outages],
        "holes": told.verdict.holes,
        "faults": told.verdict.faults,
        "well": told.well,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=6.0)
    parser.add_argument("--log", type=Path, help="keep the installation's log here")
    asked = parser.parse_args()
    kills = by_chance(asked.kills, asked.seed, asked.every)
    told = asyncio.run(lesson(kills, 2 * asked.every, asked.log))
    print(json.dumps(figures(told), indent=1))
    return 0 if told.well else 1


if __name__ == "__main__":
    sys.exit(main())
