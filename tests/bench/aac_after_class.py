"""How long many lessons that end at one bell wait for the AAC of their voices.

    python -m tests.bench.aac_after_class --lessons 55 --minutes 15 [--unfollowed]

The real publisher process is handed all of them at once. Before that it has followed them as it does while
they are on (`--unfollowed`: it has not); what that cost is told too. The bulk lane begins behind, as always.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import msgspec

from recorder.archive.manifest import read_manifest, write_manifest
from recorder.archive.published import StepName, StepState, read_published
from recorder.publish import old_players
from recorder.publish.contract import Submit
from tests.fakes import recorded_lesson
from tests.fakes.archived_lesson import archive_lesson
from tests.fakes.publisher_process import publisher_process

MADE_S = 20


def a_lesson(archive: Path, minutes: float) -> Path:
    """Of 20 s that come again and again."""
    for name, rate in (("voice_packets", 50), ("camera_units", recorded_lesson.FPS)):
        made = getattr(recorded_lesson, name)(float(MADE_S))[: MADE_S * rate]
        setattr(
            recorded_lesson, name, lambda s, made=made, rate=rate: tuple(islice(cycle(made), int(s * rate)))
        )
    archive_lesson(archive, "L1", 60.0 * minutes)
    return archive / "L1"


def done(archive: Path, lessons: list[str]) -> int:
    found = [read_published(archive / name) for name in lessons]
    return sum(
        step.name == StepName.AAC and step.state is StepState.DONE
        for one in found
        if one is not None
        for step in one.steps
    )


async def all_at_once(archive: Path, lessons: list[str], state: Path) -> dict[str, float]:
    """Seconds until half of them and all of them have it."""
    async with publisher_process(state, archive) as publisher:
        begun = time.monotonic()
        for name in lessons:
            publisher.say(Submit(name))
        times: dict[str, float] = {}
        while "all_s" not in times:
            await asyncio.sleep(0.2)
            count, now = await asyncio.to_thread(done, archive, lessons), round(time.monotonic() - begun, 1)
            if count * 2 >= len(lessons):
                times.setdefault("half_s", now)
            if count == len(lessons):
                times["all_s"] = now
        return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lessons", type=int, default=55)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--unfollowed", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        archive, state = Path(name) / "archive", Path(name) / "state"
        state.mkdir()
        folder = a_lesson(archive, asked.minutes)
        cpu = time.process_time()
        while not asked.unfollowed and old_players.follow(folder, read_manifest(folder)):
            pass
        cpu = time.process_time() - cpu
        lessons = ["L1", *(f"L{k}" for k in range(2, asked.lessons + 1))]
        for lesson in lessons[1:]:
            shutil.copytree(folder, archive / lesson, ignore=shutil.ignore_patterns("journal"))
            manifest = read_manifest(archive / lesson)
            write_manifest(archive / lesson, msgspec.structs.replace(manifest, lesson=lesson))
        times = asyncio.run(all_at_once(archive, lessons, state))
    about = {"lessons": asked.lessons, "minutes": asked.minutes, "following_cpu_s": round(cpu, 1)}
    print(json.dumps(about | times))


if __name__ == "__main__":
    main()
