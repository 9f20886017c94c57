"""What is cut out of a lesson is not in its film, and comes back with an undo."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from recorder.archive.published import PublishingState, RenditionKind, Stretch, read_published
from recorder.publish.contract import Submit
from recorder.publish.trimming import Trim
from server.drill.lessonkit.report import read_pictures, report
from tests.fakes.archived_lesson import archive_lesson
from tests.fakes.publisher_process import publisher_process

KEPT = [Stretch(1.0, 2.5), Stretch(3.5, 5.5)]
PARTS = [Stretch(2.0, 5.0), Stretch(7.5, 11.0), Stretch(11.5, 99.0)]


def test_film_time_and_lesson_time_meet() -> None:
    trim = Trim(PARTS, 12.0)
    assert trim.seconds == 7.0
    assert [trim.lesson_s(at) for at in (0.0, 2.9, 3.0, 6.4, 6.5, 7.0)] == [2.0, 4.9, 7.5, 10.9, 11.5, 12.0]
    assert [trim.film_s(at) for at in (0.0, 2.0, 6.0, 7.5, 12.0)] == [0.0, 0.0, 3.0, 3.0, 7.0]
    assert list(trim.parts(40, 40, 10)) == [(0, 10), (35, 40)]
    assert Trim([], 12.0).whole
    assert (Trim([], 12.0).name, Trim([Stretch(0, 99)], 12.0).name) == ("", "")
    assert trim.name != Trim(KEPT, 12.0).name


async def test_a_trim_makes_the_film_again_and_an_undo_too(tmp_path: Path) -> None:
    archive, folder = tmp_path / "archive", tmp_path / "archive" / "L1"
    whole = archive_lesson(archive, "L1", 6.0)
    async with publisher_process(tmp_path, archive, "--piece-s", "2") as publisher:
        assert (await publisher.publish(Submit("L1"))).state is PublishingState.DONE
        before = read_published(folder)
        publisher.say(Submit("L1", attempt=2, kept=KEPT))
        publisher.say(Submit("L1", attempt=3, kept=KEPT[:1]))
        publisher.say(Submit("L1", attempt=4, kept=KEPT))
        async with asyncio.timeout(120):
            while (told := await publisher.until("L1", PublishingState.DONE)).attempt < 4:
                pass
        published = read_published(folder)
        assert published is not None
        film = published.rendition(RenditionKind.FILM)
        assert film is not None
        assert (film.seconds, published.kept) == (3.5, KEPT)
        stamps = [stamp.number for _, stamp in read_pictures(folder / film.file) if stamp is not None]
        expected = [*range(25, 63), *range(88, 138)]
        assert len(set(stamps) & set(expected)) > 0.95 * len(expected)
        assert not set(stamps) - {*expected, 24, 63, 87, 138}, "nothing of what was cut out"
        found = report(folder / film.file)
        assert found.seconds == pytest.approx(3.5, abs=0.1)
        assert found.sound_seconds == pytest.approx(3.5, abs=0.1)
        assert found.av_offset_ms is not None
        assert abs(found.av_offset_ms) < 60
        assert before is not None
        assert [r for r in published.renditions if r.kind is not RenditionKind.FILM] == [
            r for r in before.renditions if r.kind is not RenditionKind.FILM
        ], "the rest stays as it is"
        assert told.state is PublishingState.DONE
        await publisher.publish(Submit("L1", attempt=5))
    assert report(folder / "lesson.film.mp4").seconds == pytest.approx(whole.seconds, abs=0.1)
