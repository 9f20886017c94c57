"""Pictures that are not H.264: in the journal only when the bell rings, in the recording after class."""

from __future__ import annotations

from pathlib import Path

import pytest

from recorder.archive.manifest import GapCause, Manifest
from recorder.archive.published import PublishingState, RenditionKind, StepName, read_published
from recorder.archive.reading import read_recording
from recorder.publish.contract import Submit
from recorder.publish.jobs import Job, Settings
from recorder.publish.worker import Work
from server.drill.lessonkit.report import report
from tests.fakes import recorded_lesson as sent
from tests.fakes.archived_lesson import archive_sent
from tests.fakes.foreign_rtp import camera_in, foreign_packets
from tests.fakes.publisher_process import publisher_process

SECONDS = 4.0


def transcoded(archive: Path, lesson: str) -> Manifest:
    outcome = Work(archive, Settings(preset="ultrafast", least_free_bytes=0)).do(
        Job(lesson, StepName.TRANSCODE)
    )
    assert outcome.problem is None
    assert outcome.poster
    return read_recording(archive, lesson)


@pytest.mark.parametrize("codec", ["VP8", "VP9", "AV1"])
def test_a_lesson_in_another_codec_plays_after_class(tmp_path: Path, codec: str) -> None:
    packets = sent.in_order(
        foreign_packets(codec, SECONDS), sent.voice_packets_sent(sent.voice_sender(), SECONDS)
    )
    before = archive_sent(tmp_path, "L1", packets, SECONDS, [camera_in(codec), sent.VOICE])
    assert [(track.codec, track.playlist) for track in before.tracks if track.name == "camera"] == [
        (codec, "")
    ]
    camera = next(track for track in transcoded(tmp_path, "L1").tracks if track.name == "camera")
    assert (camera.codec, camera.came_as, camera.samples) == ("H264", codec, 100)
    assert (camera.width, camera.height, camera.gaps) == (320, 180, [])
    found = report(tmp_path / "L1" / "camera.mp4", tmp_path / "L1" / "voice.mp4")
    assert (found.frames, found.repeats) == (100, 0), "every picture, once, in order"
    assert found.distinct_ratio > 0.97
    assert found.av_offset_ms is not None
    assert abs(found.av_offset_ms) < 40


def test_a_lost_packet_costs_pictures_up_to_the_next_keyframe_and_is_listed(tmp_path: Path) -> None:
    packets = sent.in_order(
        foreign_packets("VP8", SECONDS), sent.voice_packets_sent(sent.voice_sender(), SECONDS)
    )
    packets = [one for one in packets if not (one.track == sent.CAMERA.number and one.frame in (20, 21))]
    archive_sent(tmp_path, "L1", packets, SECONDS, [camera_in("VP8"), sent.VOICE])
    camera = next(track for track in transcoded(tmp_path, "L1").tracks if track.name == "camera")
    assert (camera.samples, [gap.cause for gap in camera.gaps]) == (70, [GapCause.LOSS])
    assert camera.gaps[0].start_s == pytest.approx(0.8, abs=0.1)
    assert camera.gaps[0].end_s == pytest.approx(2.0, abs=0.1)


def test_a_browser_that_comes_back_with_another_codec_goes_on_in_one_track(tmp_path: Path) -> None:
    packets = sent.in_order(
        sent.camera_packets(sent.camera_sender(), 2.0),
        foreign_packets("VP8", 2.0, 2.0, sent.camera_sender(ssrc=0x7777)),
        sent.voice_packets_sent(sent.voice_sender(), SECONDS),
    )
    before = archive_sent(tmp_path, "L1", packets, SECONDS, [sent.CAMERA, sent.VOICE])
    assert [gap.cause for gap in before.tracks[0].gaps] == [GapCause.UNPLAYABLE]
    camera = transcoded(tmp_path, "L1").tracks[0]
    assert (camera.name, len(camera.sections), camera.samples, camera.gaps) == ("camera", 2, 100, [])


async def test_a_journal_that_is_away_is_told_and_once_it_is_back_everything_is_made(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    packets = sent.in_order(foreign_packets("VP8", 2.0), sent.voice_packets_sent(sent.voice_sender(), 2.0))
    archive_sent(archive, "L1", packets, 2.0, [camera_in("VP8"), sent.VOICE])
    folder = archive / "L1"
    (folder / "journal").rename(tmp_path / "away")
    async with publisher_process(tmp_path, archive) as publisher:
        done = await publisher.publish(Submit("L1"))
        assert (done.state, done.problem) == (PublishingState.FAILED, "no_journal")
        (tmp_path / "away").rename(folder / "journal")
        again = await publisher.publish(Submit("L1", attempt=2))
        assert (again.state, again.problem) == (PublishingState.DONE, "")
    published = read_published(folder)
    assert published is not None
    assert {RenditionKind.HIGH, RenditionKind.LOW, RenditionKind.FILM} <= {
        one.kind for one in published.renditions
    }
    verdict = read_recording(archive, "L1").verdict
    assert verdict is not None
    assert verdict.whole
    assert not (folder / "journal").exists(), "verified: the journal goes"
    assert "camera.m3u8" in (folder / "lesson.aac.m3u8").read_text()
