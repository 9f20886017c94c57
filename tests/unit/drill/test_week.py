"""A county's days over a virtual clock: what goes wrong is in the store as it was, and nothing else."""

from __future__ import annotations

import asyncio
import time

import pytest

from server.domain.reception import Kind, Side, Span
from server.drill.week.compare import differences
from server.drill.week.plan import Fault, Injected, Planned, faults, week
from server.drill.week.virtual_time import VirtualClock, VirtualLoop
from server.drill.week.week import Size, play_week

SEED = 9
BELL = 1_800_000_000_000
LESSON = Planned("r1-1-1", "r1", ("p1",), BELL, BELL + 300_000)


def test_a_virtual_day_passes_at_once_in_the_order_of_its_timers_and_waits_for_threads() -> None:
    order: list[str] = []

    async def day() -> float:
        async with asyncio.TaskGroup() as group:
            for hours in (9, 3, 6):
                group.create_task(later(hours))
        await asyncio.to_thread(time.sleep, 0.05)
        return loop.time()

    async def later(hours: int) -> None:
        await asyncio.sleep(hours * 3600)
        order.append(f"{hours} h")

    loop = VirtualLoop(lambda: False)
    clock = VirtualClock(loop, BELL)
    assert loop.run_until_complete(day()) == pytest.approx(9 * 3600)
    assert order == ["3 h", "6 h", "9 h"]
    assert clock.wall_ms() == BELL + 9 * 3_600_000
    loop.close()


def test_a_week_has_every_period_of_every_day_and_no_two_faults_meet() -> None:
    lessons = week({"r1": ["p1", "p2"], "r2": ["p3"]}, BELL, days=5, periods=6, minutes=5)
    assert len({lesson.key for lesson in lessons}) == 60
    drawn = faults(lessons, seed=3, share=0.5)
    assert drawn == faults(lessons, seed=3, share=0.5)
    assert {each.fault for each in drawn} == set(Fault)
    assert len({(each.lesson, each.room) for each in drawn}) == len(drawn)


def test_a_span_of_another_kind_or_side_is_a_difference_and_an_edge_is_none() -> None:
    cut = Injected(LESSON.key, "p1", Fault.CUT, 100, 40)
    spans = [
        Span(BELL, BELL + 103_000, Kind.PICTURE),
        Span(BELL + 103_000, BELL + 145_000, Kind.HOLE, Side.LINE),
        Span(BELL + 145_000, LESSON.ends_at, Kind.PICTURE),
    ]
    assert differences(LESSON, "p1", [cut], spans) == []
    unnoticed = [Span(BELL, LESSON.ends_at, Kind.PICTURE)]
    (told,) = differences(LESSON, "p1", [cut], unnoticed)
    assert (told.since_s, told.until_s, told.expected, told.found) == (108, 139, "hole line", "picture")
    (nothing,) = differences(LESSON, "p1", [], [])
    assert (nothing.since_s, nothing.until_s, nothing.found) == (8, 300, "")


def test_everything_done_to_the_rooms_of_two_days_is_stored_with_its_kind_and_side() -> None:
    said: list[str] = []
    found = play_week(Size(mains=2, days=2, periods=1, minutes=4, share=0.9, seed=SEED), said.append)
    assert found.differences == []
    assert found.ok
    assert (found.lessons, found.points) == (4, 6)
    assert len({each.fault for each in found.injected}) >= 6
    assert said == ["day 1: 0 differences", "day 2: 0 differences"]
