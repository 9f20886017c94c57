"""The recorder says that only a keyframe ends a hole: soon, not often, and no longer than it is so."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from recorder.archive.manifest import GapCause, read_manifest
from recorder.contract import KeyframeWanted, RecordKind
from tests.fakes.recorded_lesson import CAMERA, VOICE, lesson, write_sent
from tests.fakes.recorder_process import RecorderProcess, recorder_process
from tests.fakes.ring_writer import RingWriter, TapServer

SECONDS = 20.0
LOST_AT_S = 10.5  # a keyframe every 2 s


async def wanted(recorder: RecorderProcess) -> float:
    async with asyncio.timeout(10):
        while True:
            event = await recorder.hear()
            if isinstance(event, KeyframeWanted):
                assert (event.lesson, event.track) == ("Lwant", "camera")
                return time.monotonic()


async def test_a_lost_packet_is_told_at_once_and_every_2_s_until_the_keyframe(tmp_path: Path) -> None:
    sent = lesson(SECONDS)
    victim = next(one for one in sent if one.track == CAMERA.number and one.at_s > LOST_AT_S)
    ring, base = RingWriter(), time.monotonic_ns() - round(SECONDS * 1e9)
    async with recorder_process(tmp_path, tmp_path / "archive") as recorder:
        with TapServer(tmp_path / "w0.taps", {"Lwant": ring}) as tap:
            for note in (CAMERA, VOICE):
                ring.note(note, base)
            recorder.begin("Lwant", tap.path)
            write_sent(ring, [one for one in sent if one.at_s < 11.9 and one is not victim], base)
            written = time.monotonic()
            first = await wanted(recorder)
            second = await wanted(recorder)
            assert first - written < 2
            assert 1.9 < second - first < 4
            write_sent(ring, [one for one in sent if one.at_s >= 11.9], base)
            ring.write(RecordKind.END, 0, b"", base + round(SECONDS * 1e9))
            ready = await recorder.finish("Lwant")
    ring.close()
    assert ready.seconds > SECONDS - 1
    gaps = {track.name: track.gaps for track in read_manifest(tmp_path / "archive" / "Lwant").tracks}
    assert gaps["voice"] == []
    assert [gap.cause for gap in gaps["camera"]] == [GapCause.LOSS]
    assert gaps["camera"][0].end_s < 12.2
