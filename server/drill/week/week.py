"""`lianke drill --county`: a county's week over a virtual clock, and whether every stored span is true.

Real are campus' live service, the scheduler, every lesson's rules and rows; acted are media, pages and faults
(`neighbours`, `pages`).
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from server.config import Config, build
from server.demo import county as demo
from server.drill.week.compare import Difference, differences
from server.drill.week.plan import DAY_MS, Fault, Injected, Planned, faults, week
from server.drill.week.play import BEFORE_S, Day, booked, offer_of_a_page
from server.drill.week.virtual_time import VirtualClock, VirtualLoop
from server.protocol.messages import LessonState
from server.store.bulk import Bulk
from server.store.spans import Spans
from server.store.store import Store
from server.store.timetable_records import Names

MONDAY_MS = 1_795_363_200_000 - 8 * 3_600_000  # 23 November 2026, midnight in the county's zone
START_LATE_MS = 2_000

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """`mains`: teaching rooms, each with its own one to three points; `share` of rooms that are hurt."""

    mains: int = 55
    days: int = 5
    periods: int = 2
    minutes: int = 5
    share: float = 0.2
    seed: int = 1


class WeekFigures(msgspec.Struct, frozen=True):
    """What `lianke drill --county --json` prints."""

    ok: bool
    lessons: int
    points: int
    injected: list[Injected]
    differences: list[Difference]


def play_week(size: Size, progress: Progress) -> WeekFigures:
    """Blocks until the last evening. Each day is a campus and a store of its own, as many at a time as there
    are cores."""
    lessons, injected = _plan(size)
    found: list[Difference] = []
    days = range(size.days)
    if size.days == 1:
        found = _play_day(size, 0)
    else:
        cores = min(size.days, os.cpu_count() or 1)
        with ProcessPoolExecutor(cores, multiprocessing.get_context("spawn")) as pool:
            for day, differing in zip(days, pool.map(_play_day, [size] * size.days, days), strict=True):
                progress(f"day {day + 1}: {len(differing)} differences")
                found += differing
    points = len({room for lesson in lessons for room in lesson.rooms})
    return WeekFigures(not found, len(lessons), points, injected, found)


def _plan(size: Size) -> tuple[list[Planned], list[Injected]]:
    """The week's lessons and what goes wrong in it: the same in every process."""
    taught = dict(list(demo.build(demo.Size()).taught.items())[: size.mains])
    lessons = week(taught, MONDAY_MS, days=size.days, periods=size.periods, minutes=size.minutes)
    return lessons, faults(lessons, size.seed, size.share)


def _play_day(size: Size, day: int) -> list[Difference]:
    """One day of it; blocks."""
    databases: list[Store] = []
    loop = VirtualLoop(lambda: any(store.database.in_flight for store in databases))
    lessons, injected = _plan(size)
    lessons = [each for each in lessons if (each.starts_at - MONDAY_MS) // DAY_MS == day]
    keys = {each.key for each in lessons}
    hurt = [each for each in injected if each.lesson in keys]
    try:
        return loop.run_until_complete(_day(loop, lessons, hurt, databases))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


async def _day(
    loop: VirtualLoop, lessons: list[Planned], hurt: list[Injected], databases: list[Store]
) -> list[Difference]:
    made = demo.build(demo.Size())
    clock = VirtualClock(loop, lessons[0].starts_at - round(BEFORE_S * 1000))
    with tempfile.TemporaryDirectory(prefix="lianke-week-") as name:
        config = _config(Path(name))
        store = await Store.open(config.store_path, clock, config.county.time_zone)
        databases.append(store)
        try:
            await Bulk(store.database, store.county, clock).organisation(made.units, made.bonds, made.mains)
            await store.timetable.add(booked(lessons, ZoneInfo(config.county.time_zone)), Names())
            await Day(config, store, clock, lessons, hurt).play(await offer_of_a_page())
            return [each for lesson in lessons for each in await _judged(store, lesson, hurt)]
        finally:
            await store.close()


def _config(folder: Path) -> Config:
    run = folder / "run"
    run.mkdir()
    return build(
        {
            "data": {"directory": str(folder), "run_directory": str(run)},
            "media": {"workers": 1},
            "lessons": {"open_before_s": 300},
        },
        {},
    )


async def _judged(store: Store, lesson: Planned, injected: Sequence[Injected]) -> list[Difference]:
    """The lesson itself, then each of its rooms."""
    row = await store.lesson(lesson.key)
    held = row.lesson if row is not None else None
    started = held.started_at if held is not None else None
    on_time = started is not None and 0 <= started - lesson.starts_at <= START_LATE_MS
    if held is None or held.state is not LessonState.ENDED or not on_time:
        said = "nothing" if held is None else f"{held.state}, started {started}"
        whole = (lesson.key, lesson.main_room, 0, lesson.seconds)
        return [Difference(*whole, "started at the bell, ended", said)]
    received = {one.room: one.spans for one in await Spans(store.database).of(lesson.key)}
    return [
        each
        for room in lesson.rooms
        for each in differences(lesson, room, _of(injected, lesson, room), received.get(room, ()))
    ]


def _of(injected: Sequence[Injected], lesson: Planned, room: str) -> list[Injected]:
    mine = (room, lesson.main_room)
    return [each for each in injected if each.lesson == lesson.key and each.room in mine]


__all__ = ["Fault", "Size", "WeekFigures", "play_week"]
