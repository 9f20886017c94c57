"""The real publisher process: what it makes of a lesson; kills, upgrades and bad files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import av
import msgspec
import pytest

from recorder.archive.layout import PIECES
from recorder.archive.manifest import write_manifest
from recorder.archive.published import (
    Published,
    PublishingState,
    RenditionKind,
    StepName,
    StepState,
    read_published,
)
from recorder.archive.reading import read_recording
from recorder.contract import RecordingState
from recorder.publish.contract import Load, Moment, Publishing, Remove, Removed, Submit
from recorder.publish.passing import pieces_made
from server.drill.lessonkit.media import plan_lesson
from server.drill.lessonkit.report import report
from tests.fakes.archived_lesson import archive_lesson
from tests.fakes.publisher_process import publisher_process

KINDS = {RenditionKind.AAC, RenditionKind.SOUND, RenditionKind.HIGH, RenditionKind.LOW, RenditionKind.FILM}


def published(archive: Path, lesson: str) -> Published:
    found = read_published(archive / lesson)
    assert found is not None
    return found


def states(archive: Path, lesson: str) -> dict[str, StepState]:
    return {step.name: step.state for step in published(archive, lesson).steps}


async def test_a_lesson_becomes_everything_that_people_watch(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    manifest = archive_lesson(archive, "L1", 12.0, screen=True)
    folder = archive / "L1"
    async with publisher_process(tmp_path, archive) as publisher:
        done = await publisher.publish(Submit("L1"))
        assert (done.state, done.progress, done.problem) == (PublishingState.DONE, 1.0, "")
        publisher.say(Submit("L1"))
        again = await publisher.until("L1", PublishingState.DONE)
        assert again == done, "said again it changes nothing"
        await holds(lambda: not (archive / "L1" / PIECES).exists())  # cleaned after it is told as done
    made = published(archive, "L1")
    assert {one.kind for one in made.renditions} == KINDS
    assert all((folder / one.file).stat().st_size == one.bytes for one in made.renditions)
    for kind in (RenditionKind.HIGH, RenditionKind.LOW):
        rendition = made.rendition(kind, "camera")
        assert rendition is not None
        found = report(folder / rendition.file, folder / "lesson.sound.m4a")
        assert (found.frames, found.distinct, found.repeats) == (300, 300, 0), "every picture, once, in order"
        assert found.av_offset_ms is not None
        assert abs(found.av_offset_ms) < 40
    film = report(folder / "lesson.film.mp4")
    assert film.seconds == pytest.approx(manifest.seconds, abs=0.1)
    assert film.distinct_ratio > 0.95
    assert film.av_offset_ms is not None
    assert abs(film.av_offset_ms) < 60
    aac = report(folder / "camera.mp4", folder / "voice.aac.mp4")
    assert aac.av_offset_ms is not None
    assert abs(aac.av_offset_ms) < 40
    plan = plan_lesson(1, 12.0)
    begins = [chapter.start_s for chapter in made.chapters]
    assert begins == pytest.approx([slide.start_s for slide in plan.slides if slide.start_s < 12], abs=1.0)
    assert all((folder / chapter.picture).exists() for chapter in made.chapters)
    verdict = read_recording(archive, "L1").verdict
    assert verdict is not None
    assert (verdict.whole, verdict.pictures, verdict.pictures_decoded) == (True, 420, 420)
    assert not (folder / "journal").exists(), "verified: the journal goes"


async def test_the_sound_is_even_and_the_playlists_play(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive_lesson(archive, "L1", 6.0)
    async with publisher_process(tmp_path, archive) as publisher:
        await publisher.publish(Submit("L1"))
    made, folder = published(archive, "L1"), archive / "L1"
    assert made.loudness_lufs is not None
    assert loudness(folder / "lesson.sound.m4a") == pytest.approx(-16, abs=1.0)
    for name in ("lesson.aac.m3u8", "camera.720p.m3u8", "voice.aac.m3u8"):
        with av.open(str(folder / name)) as playing:
            stream = playing.streams[0]
            ends = [float(p.pts * p.time_base) for p in playing.demux(stream) if p.pts is not None]
        assert max(ends) > 5.5, name


def loudness(path: Path) -> float:
    graph, last = av.filter.Graph(), "0"
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        source = graph.add_abuffer(template=stream)
        meter, sink = graph.add("ebur128", "metadata=1:framelog=quiet"), graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        graph.configure()
        for frame in container.decode(stream):
            source.push(frame)
            try:
                while True:
                    last = sink.pull().metadata.get("lavfi.r128.I", last)
            except (BlockingIOError, EOFError):
                continue
    return float(last)


@pytest.mark.parametrize(
    ("shape", "skipped"),
    [
        ({"camera": False}, {"poster", "sprites", "chapters", "renditions", "film"}),
        ({"voice": False}, {"aac", "sound", "chapters"}),
    ],
)
async def test_what_a_lesson_lacks_is_passed_over(
    shape: dict[str, bool], skipped: set[str], tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    archive_lesson(archive, "L1", 1.0, **shape)
    async with publisher_process(tmp_path, archive) as publisher:
        done = await publisher.publish(Submit("L1"))
    assert done.state is PublishingState.DONE
    found = states(archive, "L1")
    assert {name for name, state in found.items() if state is StepState.SKIPPED} == skipped
    verdict = read_recording(archive, "L1").verdict
    assert verdict is not None
    assert verdict.whole


async def test_a_corrupted_file_fails_what_needs_it_and_leaves_the_rest(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive_lesson(archive, "L1", 4.0, screen=True)
    path = archive / "L1" / "voice.mp4"
    path.write_bytes(b"\0" * path.stat().st_size)
    async with publisher_process(tmp_path, archive) as publisher:
        done = await publisher.publish(Submit("L1"))
        assert done.state is PublishingState.FAILED
        assert done.problem in ("unreadable", "not_whole")
        found = states(archive, "L1")
        failed = {name for name, state in found.items() if state is StepState.FAILED}
        assert failed == {"aac", "sound", "verify"}
        assert found["film"] is StepState.DONE
        assert (archive / "L1" / "journal").exists(), "what could mend it is kept"
        mended = archive_lesson(tmp_path / "other", "L1", 4.0, screen=True)
        assert mended.tracks
        path.write_bytes((tmp_path / "other" / "L1" / "voice.mp4").read_bytes())
        again = await publisher.publish(Submit("L1", attempt=2))
    assert again.state is PublishingState.DONE
    assert again.attempt == 2


async def test_nothing_is_shown_that_may_not_stand_for_the_lesson(tmp_path: Path) -> None:
    """The pupils' picture is recorded here, so the film shows who is called on; the poster never does."""
    archive = tmp_path / "archive"
    archive_lesson(archive, "L1", 3.0, camera=False, pupils=True)
    async with publisher_process(tmp_path, archive) as publisher:
        await publisher.publish(Submit("L1", moments=[Moment(0.5, "called", "shahe")]))
    made = published(archive, "L1")
    assert made.poster == ""
    assert states(archive, "L1")["poster"] is StepState.SKIPPED
    assert made.rendition(RenditionKind.FILM) is not None


async def test_a_killed_publisher_goes_on_at_the_piece(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive_lesson(archive, "L1", 12.0)
    async with publisher_process(tmp_path, archive, "--piece-s", "1") as publisher:
        publisher.say(Submit("L1"))
        pieces = archive / "L1" / PIECES
        await holds(lambda: len(list(pieces.glob("count.*"))) >= 3)
        await publisher.kill()
        kept = {path.name: path.stat().st_mtime_ns for path in pieces.iterdir() if path.suffix != ".new"}
        assert len(list(pieces.glob("count.*"))) < 13
        await publisher.start()
        seen = asyncio.create_task(publisher.publish(Submit("L1")))
        await holds(lambda: (pieces / "count.00008").exists() or seen.done())
        same = {path.name: path.stat().st_mtime_ns for path in pieces.iterdir() if path.name in kept}
        done = await seen
    assert done.state is PublishingState.DONE
    again = sum(kept[name] != at for name, at in same.items())
    assert again <= 5, "at most the files of the piece at hand were made twice"
    found = report(archive / "L1" / "camera.720p.mp4", archive / "L1" / "lesson.sound.m4a")
    assert (found.frames, found.distinct, found.repeats) == (300, 300, 0)
    verdict = read_recording(archive, "L1").verdict
    assert verdict is not None
    assert verdict.pictures_decoded == 300


async def test_an_upgrade_goes_on_with_what_is_pending(tmp_path: Path) -> None:
    """The next version's workflow has other source; DBOS would leave pending work alone for ever."""
    archive = tmp_path / "archive"
    archive_lesson(archive, "L1", 6.0)
    async with publisher_process(tmp_path, archive, "--piece-s", "1") as publisher:
        publisher.say(Submit("L1"))
        await holds(lambda: (archive / "L1" / PIECES / "count.00001").exists())
        await publisher.kill()
        publisher.program = ("-c", UPGRADED)
        await publisher.start()
        await publisher.until("L1", PublishingState.DONE)
    assert set(states(archive, "L1").values()) <= {StepState.DONE, StepState.SKIPPED}


UPGRADED = """
import inspect, sys
from recorder.publish import pipeline
source = inspect.getsource(pipeline).replace("for name in INSTANT:", "for name in tuple(INSTANT):")
assert source != inspect.getsource(pipeline)
exec(compile(source, pipeline.__file__, "exec"), pipeline.__dict__)
from recorder.publish.__main__ import main
main()
"""


async def test_the_bulk_lane_rests_outside_its_hours_and_the_instant_one_does_not(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive_lesson(archive, "L1", 2.0)
    minute = (time.localtime().tm_hour * 60 + time.localtime().tm_min + 720) % 1440
    later = f"{minute // 60:02}:{minute % 60:02}-{(minute + 1) % 1440 // 60:02}:{(minute + 1) % 60:02}"
    async with publisher_process(tmp_path, archive, "--hours", later) as publisher:
        publisher.say(Load(0))
        publisher.say(Submit("L1"))
        paused = await publisher.until("L1", PublishingState.PAUSED)
        assert isinstance(paused, Publishing)
        found = states(archive, "L1")
        assert found[StepName.POSTER] is found[StepName.AAC] is StepState.DONE
        assert found[StepName.FILM] is StepState.WAITING
    async with publisher_process(tmp_path, archive) as publisher:
        await publisher.until("L1", PublishingState.DONE)


async def test_of_a_lesson_that_is_on_the_voice_is_made_so_far(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    manifest = archive_lesson(archive, "L1", 31.0, camera=False)
    write_manifest(archive / "L1", msgspec.structs.replace(manifest, state=RecordingState.RECORDING))
    async with publisher_process(tmp_path, archive) as publisher:
        publisher.say(Load(2, ["L1", "L2"]))
        await holds(lambda: len(pieces_made(archive / "L1", "voice.aac")) == 1)


async def test_what_was_made_is_deleted_first_and_the_lesson_whole(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive_lesson(archive, "L1", 1.0)
    async with publisher_process(tmp_path, archive) as publisher:
        await publisher.publish(Submit("L1"))
        for derived_only in (True, False):
            publisher.say(Remove("L1", derived_only=derived_only))
            while not isinstance(removed := await publisher.hear(), Removed):
                pass
            assert removed.problem == ""
            assert removed.bytes > 0
            if derived_only:
                assert not list((archive / "L1").glob("*.720p.*"))
                assert (archive / "L1" / "camera.mp4").exists()
        assert not (archive / "L1").exists()


async def holds(fact: Callable[[], bool], timeout_s: float = 60) -> None:
    async with asyncio.timeout(timeout_s):
        while not fact():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
