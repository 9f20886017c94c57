"""What encoders push is judged as what is pulled: by a process apart, beside the lesson that reads it too."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
import pytest

from server.ingest import apart
from server.ingest.contract import Event, ProbePush, PushKeys, PushProbed
from server.ingest.facts import Fitness, Report
from server.ingest.opening import flv
from server.ingest.rtmp.slot import PushSlot
from server.ingest.service import Ingest
from tests.fakes.encoder import WITH_B_FRAMES_AND_LONG_GOP, pushing
from tests.peers.workers import holds

GOOD, BAD = "main/camera", "main/camera2"


def key_of(source: str) -> str:
    return f"key-of-{source.partition('/')[2]}"


KEYS = {hashlib.sha256(key_of(source).encode()).hexdigest(): source for source in (GOOD, BAD)}

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="apt-get install ffmpeg")


@dataclass
class Asking:
    """An ingest service and what it answered."""

    ingest: Ingest
    port: int
    answers: dict[str, PushProbed] = field(default_factory=dict)

    def hear(self, event: Event) -> None:
        if isinstance(event, PushProbed):
            self.answers[event.ask] = event

    def ask(self, source: str, seconds: float = 2.0) -> str:
        ask = f"{source} {len(self.answers)}"
        self.ingest.handle(ProbePush(ask, source, seconds))
        return ask

    async def report(self, ask: str) -> Report:
        await holds(lambda: ask in self.answers, 60)
        return msgspec.json.decode(self.answers[ask].report, type=Report)


@asynccontextmanager
async def asking() -> AsyncIterator[Asking]:
    ingest = Ingest(None)
    ingest.handle(PushKeys(KEYS))
    asked = Asking(ingest, await ingest.door.start("127.0.0.1", 0))
    ingest.tell = asked.hear
    try:
        yield asked
    finally:
        await ingest.close()


def codes(report: Report) -> set[str]:
    return {point.code for point in report.points}


def lesson_of(slot: PushSlot, stop: threading.Event, times: list[int]) -> None:
    """Reads as a lesson does; the time of each picture, ms."""
    reader = slot.opened(stop.is_set, 30.0)
    assert reader is not None
    with flv(reader) as container:
        times.extend(packet.dts for packet in container.demux(video=0) if packet.dts is not None)


@needs_ffmpeg
async def test_two_encoders_are_judged_at_once_and_a_lesson_beside_them_loses_nothing() -> None:
    times: list[int] = []
    stop = threading.Event()
    async with (
        asking() as asked,
        pushing(asked.port, key_of(GOOD)),
        pushing(asked.port, key_of(BAD), sound=(), coded=WITH_B_FRAMES_AND_LONG_GOP),
    ):
        await holds(lambda: asked.ingest.door.pushing() == [GOOD, BAD], 30)
        reading = asyncio.create_task(asyncio.to_thread(lesson_of, asked.ingest.door.slot(GOOD), stop, times))
        try:
            first, second = asked.ask(GOOD), asked.ask(BAD)
            asked.ingest.handle(ProbePush("third", GOOD, 1.0))
            assert asked.answers["third"].busy
            good, bad = await asked.report(first), await asked.report(second)
            seen = len(times)
            await holds(lambda: len(times) > seen + 5, 30)
        finally:
            stop.set()
            await reading
    assert set(times) >= set(range(times[0], times[-1], 40)), "each picture came to the lesson"

    video, audio = good.video, good.audio
    assert video is not None
    assert audio is not None
    assert (video.codec, video.profile, video.width, video.height) == (
        *("h264", "Constrained Baseline"),
        *(320, 180),
    )
    assert video.level
    assert (video.b_frames, video.broken) == (False, 0)
    assert video.keyframes >= 2
    assert video.bitrate_bps
    assert (audio.codec, audio.rate_hz, audio.channels) == ("aac", 44100, 1)
    assert audio.loudness_dbfs == pytest.approx(-21, abs=3)
    assert good.snapshot_jpeg is not None
    assert good.snapshot_jpeg.startswith(b"\xff\xd8")
    assert {"codec_h264", "audio_converted"} <= codes(good)

    assert bad.fitness is Fitness.TRANSCODE
    assert {"b_frames", "no_audio"} <= codes(bad)
    assert codes(bad) & {"long_keyframes", "no_keyframe"}, "by whether it began with one"


@needs_ffmpeg
async def test_an_encoder_that_does_not_push_or_stops_in_the_middle_is_told_in_words() -> None:
    async with asking() as asked:
        nobody = await asked.report(asked.ask(GOOD))
        assert (nobody.problem, nobody.fitness) == ("not_pushing", Fitness.UNFIT)
        async with pushing(asked.port, key_of(GOOD)):
            slot = asked.ingest.door.slot(GOOD)
            await holds(lambda: slot.pushing, 30)
            ask = asked.ask(GOOD, seconds=60.0)
            await holds(lambda: bool(slot._readers), 30)
        stopped = await asked.report(ask)
        assert stopped.problem == "push_ended"
        assert "停止了推流" in stopped.points[0].words.zh
        assert not slot._readers


async def test_a_probe_that_hangs_is_ended_in_time_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "SLACK_S", 0.0)
    async with asking() as asked:
        slot = asked.ingest.door.slot(GOOD)
        slot.begin()
        ask = asked.ask(GOOD, seconds=0.1)
        await holds(lambda: ask in asked.answers, 30)
        assert (asked.answers[ask].report, asked.answers[ask].busy) == (b"", False)
        assert not asked.ingest.probes._tasks
        asked.ask(BAD, seconds=60.0)


async def test_the_end_of_the_ingest_process_does_not_wait_for_a_probe() -> None:
    async with asking() as asked:
        asked.ingest.door.slot(GOOD).begin()
        asked.ask(GOOD, seconds=60.0)
        assert asked.ingest.probes._tasks
    assert not asked.answers
