"""server.store.publishings: the hourly sweep is told what is due, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.clock import SystemClock
from server.domain.lesson import Lesson
from server.protocol.messages import LessonState, Words
from server.store.publishings import Publishings
from server.store.records import RecordingRow, RetentionRow
from server.store.store import Store


@pytest.fixture
async def store(place: Path | str) -> AsyncIterator[Store]:
    """Lessons "1" to "6" that ended at 1,000 to 6,000."""
    opened = await Store.open(place, SystemClock())
    for number in range(1, 7):
        at = 1000 * number
        lesson = Lesson(
            str(number), Words("课", "Lesson"), "main", (), LessonState.ENDED, at - 500, at - 400, at
        )
        await opened.save_lesson(lesson, None)
        await opened.save_recording(RecordingRow(str(number), "recording" if number == 2 else "ready", 60.0))
    yield opened
    await opened.close()


async def test_what_is_over_by_its_class_is_told_and_what_is_held_or_gone_is_not(store: Store) -> None:
    rows = Publishings(store.database)
    await rows.save_retention(RetentionRow("3", "model"))
    await rows.save_retention(RetentionRow("4", "ordinary", hold="a complaint"))
    await rows.save_retention(RetentionRow("5", "trial"))
    await rows.save_retention(RetentionRow("1", "of a later version"))
    limits = {"ordinary": 4_500, "trial": 9_000}
    assert await rows.over(limits, 10) == ["5"]
    await rows.save_retention(RetentionRow("1", "ordinary"))
    assert await rows.over(limits, 10) == ["1", "5"], "2 is still being recorded, 3 a model, 4 held, 6 young"
    assert await rows.over(limits, 1) == ["1"]
    assert await rows.over({}, 10) == []
    await rows.deleted(RetentionRow("1", "ordinary", deleted_at=7))
    assert await rows.over(limits, 10) == ["5"]


async def test_what_left_this_disk_is_not_asked_for_again_until_something_is_made_anew(store: Store) -> None:
    rows = Publishings(store.database)
    await rows.save_retention(RetentionRow("3", "model", hold="kept"))
    assert await rows.local(4_000, 10) == ["1", "3", "4"]
    for lesson in ("1", "3"):
        await rows.freed(lesson, 9_000)
    assert await rows.local(4_000, 10) == ["4"]
    kept = await rows.retention("3")
    assert kept is not None
    assert (kept.kept_as, kept.hold) == ("model", "kept")
    await rows.freed("1", None)
    assert await rows.local(4_000, 10) == ["1", "4"]
    await rows.freed("unknown", 1)
