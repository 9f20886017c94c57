"""The recorder as a process: a ring in, files that play out, whatever dies on the way."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.archive.holding import held
from recorder.archive.manifest import BadRecording, GapCause, read_manifest
from recorder.contract import Finish, RecordingState, RecordKind
from server.drill.lessonkit.report import report
from tests.fakes.playlists import finished_lines
from tests.fakes.recorded_lesson import CAMERA, VOICE, Sent, camera_sender, lesson, voice_sender, write_sent
from tests.fakes.recorder_process import recorder_process
from tests.fakes.ring_writer import RingWriter, TapServer

SECONDS = 20.0


@pytest.fixture
def ring() -> Iterator[RingWriter]:
    ring = RingWriter()
    yield ring
    ring.close()


def begin_ns() -> int:
    """So that a lesson written at once ends now."""
    return time.monotonic_ns() - round(SECONDS * 1e9)


def start(ring: RingWriter, base_ns: int) -> None:
    ring.note(CAMERA, base_ns)
    ring.note(VOICE, base_ns)


def end(ring: RingWriter, at_ns: int) -> None:
    ring.write(RecordKind.END, 0, b"", at_ns)


def before(sent: list[Sent], at_s: float) -> list[Sent]:
    return [one for one in sent if one.at_s < at_s]


def after(sent: list[Sent], at_s: float) -> list[Sent]:
    return [one for one in sent if one.at_s >= at_s]


async def test_a_lesson_is_recorded_whole_in_step_and_ready_at_once(tmp_path: Path, ring: RingWriter) -> None:
    archive = tmp_path / "archive"
    sent = lesson(SECONDS)
    async with recorder_process(tmp_path, archive) as recorder:
        with TapServer(tmp_path / "w0.taps", {"Lone": ring}) as tap:
            base = begin_ns()
            start(ring, base)
            recorder.begin("Lone", tap.path)
            write_sent(ring, sent, base)
            end(ring, base + round(SECONDS * 1e9))
            ready = await recorder.finish("Lone")
    assert ready.ready_after_s is not None
    assert ready.ready_after_s < 3
    folder = archive / "Lone"
    facts = report(folder / "camera.mp4", folder / "voice.mp4")
    assert (facts.distinct, facts.frames, facts.repeats, facts.unreadable) == (500, 500, 0, 0)
    assert facts.av_offset_ms is not None
    assert abs(facts.av_offset_ms) < 20
    manifest = read_manifest(folder)
    assert manifest.state is RecordingState.READY
    assert [track.name for track in manifest.tracks] == ["camera", "voice"]
    assert all(abs(track.seconds - SECONDS) < 0.5 for track in manifest.tracks)
    assert all(track.gaps == [] for track in manifest.tracks)


async def test_a_recorder_that_is_killed_in_the_middle_loses_nothing(
    tmp_path: Path, ring: RingWriter
) -> None:
    archive = tmp_path / "archive"
    sent = lesson(SECONDS)
    async with recorder_process(tmp_path, archive) as recorder:
        with TapServer(tmp_path / "w0.taps", {"Lkill": ring}) as tap:
            base = begin_ns()
            start(ring, base)
            recorder.begin("Lkill", tap.path)
            write_sent(ring, before(sent, 9), base)
            await recorder.until_seconds("Lkill", 4)
            playlist = (archive / "Lkill" / "camera.m3u8").read_text()
            await recorder.kill()
            write_sent(ring, before(after(sent, 9), 15), base)
            with held(archive / "Lkill"):
                pass  # the dead hold nothing
            welcome = await recorder.start()
            with pytest.raises(BadRecording), held(archive / "Lkill"):
                pass
            assert [(r.lesson, r.state) for r in welcome.recordings] == [("Lkill", RecordingState.RECORDING)]
            # Nobody says again where the ring is: campus may be dead too.
            write_sent(ring, after(sent, 15), base)
            end(ring, base + round(SECONDS * 1e9))
            await recorder.finish("Lkill")
    folder = archive / "Lkill"
    facts = report(folder / "camera.mp4", folder / "voice.mp4")
    assert (facts.distinct, facts.frames, facts.repeats) == (500, 500, 0)
    assert facts.av_offset_ms is not None
    assert abs(facts.av_offset_ms) < 20
    assert all(track.gaps == [] for track in read_manifest(folder).tracks)
    growing = finished_lines(playlist)
    assert finished_lines((folder / "camera.m3u8").read_text())[: len(growing)] == growing


async def test_a_recorder_that_dies_again_and_again_even_while_finishing_loses_nothing(
    tmp_path: Path, ring: RingWriter
) -> None:
    chance, sent, archive = random.Random(3), lesson(SECONDS), tmp_path / "archive"
    async with recorder_process(tmp_path, archive) as recorder:
        recorder.checkpoints = True  # from its second life on
        with TapServer(tmp_path / "w0.taps", {"Lchaos": ring}) as tap:
            base, at_s = begin_ns(), 0.0
            start(ring, base)
            for until_s in (6.0, 11.0, 16.0, SECONDS):
                recorder.begin("Lchaos", tap.path)
                write_sent(ring, before(after(sent, at_s), until_s), base)
                at_s = until_s
                if until_s == SECONDS:
                    end(ring, base + round(SECONDS * 1e9))
                    recorder.say(Finish("Lchaos"))
                await asyncio.sleep(0.5 + chance.random())  # any moment is as good as another
                await recorder.kill()
                await recorder.start()
            recorder.begin("Lchaos", tap.path)
            await recorder.finish("Lchaos")
    facts = report(archive / "Lchaos" / "camera.mp4", archive / "Lchaos" / "voice.mp4")
    assert (facts.distinct, facts.frames, facts.repeats) == (500, 500, 0)
    assert all(track.gaps == [] for track in read_manifest(archive / "Lchaos").tracks)


async def test_a_dead_worker_leaves_one_recording_with_the_hole_listed(
    tmp_path: Path, ring: RingWriter
) -> None:
    archive = tmp_path / "archive"
    sent = lesson(SECONDS)
    another = lesson(SECONDS, camera_sender(ssrc=0x3333), voice_sender(ssrc=0x4444))
    second = RingWriter()
    async with recorder_process(tmp_path, archive) as recorder:
        base = begin_ns()
        with TapServer(tmp_path / "w0.taps", {"Lwork": ring}) as tap:
            start(ring, base)
            recorder.begin("Lwork", tap.path)
            write_sent(ring, before(sent, 8), base)
            await recorder.until_seconds("Lwork", 3)
        with TapServer(tmp_path / "w1.taps", {"Lwork": second}) as tap:
            start(second, base + 12 * 10**9)
            recorder.begin("Lwork", tap.path)
            write_sent(second, after(another, 12), base)
            end(second, base + round(SECONDS * 1e9))
            await recorder.finish("Lwork")
    second.close()
    folder = archive / "Lwork"
    facts = report(folder / "camera.mp4", folder / "voice.mp4")
    assert facts.distinct == 400
    assert facts.av_offset_ms is not None
    assert abs(facts.av_offset_ms) < 20
    for track in read_manifest(folder).tracks:
        assert abs(track.seconds - SECONDS) < 0.5
        assert [gap.cause for gap in track.gaps] == [GapCause.SERVER]
        assert abs(track.gaps[0].start_s - 8) < 0.2
        assert abs(track.gaps[0].end_s - 12) < 0.2


async def test_it_ends_when_its_supervisor_is_gone_and_takes_up_the_lesson_again(
    tmp_path: Path, ring: RingWriter
) -> None:
    archive = tmp_path / "archive"
    async with recorder_process(tmp_path, archive) as recorder:
        with TapServer(tmp_path / "w0.taps", {"Lsup": ring}) as tap:
            base = begin_ns()
            start(ring, base)
            recorder.begin("Lsup", tap.path)
            write_sent(ring, lesson(SECONDS), base)
            await recorder.until_seconds("Lsup", 10)
        await recorder.aclose()
        assert recorder.process is not None
        assert recorder.process.returncode == 0
        await recorder.start()
        ready = await recorder.finish("Lsup")
        assert ready.seconds > SECONDS - 0.5
        assert await recorder.terminate() == 0
    assert report(archive / "Lsup" / "camera.mp4").distinct == 500


async def test_finishing_what_is_finished_or_unknown_answers_and_changes_nothing(
    tmp_path: Path, ring: RingWriter
) -> None:
    archive = tmp_path / "archive"
    async with recorder_process(tmp_path, archive) as recorder:
        with TapServer(tmp_path / "w0.taps", {"Ltwice": ring}) as tap:
            base = begin_ns()
            start(ring, base)
            recorder.begin("Ltwice", tap.path)
            write_sent(ring, before(lesson(SECONDS), 5), base)
            end(ring, base + 5 * 10**9)
            await recorder.until("Ltwice", RecordingState.READY)
            before_bytes = (archive / "Ltwice" / "manifest.json").read_bytes()
            recorder.begin("Ltwice", tap.path)
            await recorder.until("Ltwice", RecordingState.READY)
            await recorder.finish("Ltwice")
            assert (archive / "Ltwice" / "manifest.json").read_bytes() == before_bytes
        for lesson_id, problem in (("Lnone", "unknown_lesson"), ("../x", "bad_name")):
            recorder.say(Finish(lesson_id))
            refused = await recorder.until(lesson_id, RecordingState.FAILED)
            assert refused.problem == problem
        assert sorted(path.name for path in archive.iterdir()) == ["Ltwice"]
