"""The real relay's rings are read right: what a publisher sends through a worker is in the recording."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from aiortc import RTCRtpSender

from recorder.archive.manifest import read_manifest
from recorder.assemble.records import read_records
from recorder.contract import RING_HEADER, RecordKind, Subject, TrackNote
from recorder.ring import Ring
from server.drill.lessonkit.media import Camera, Voice, plan_lesson
from server.drill.lessonkit.report import report
from server.drill.sources import PictureTrack, SoundTrack, StartTime
from server.media import contract
from server.media.contract import PeerState, TrackName
from server.media.relay.relay import Relay
from server.protocol.parameters import Kind
from tests.fakes.recorder_process import recorder_process
from tests.peers.aiortc_peers import connection
from tests.peers.workers import running_worker

SIZE = 64 << 10
NOTES = {
    Kind.VIDEO: TrackNote(1, "camera", Subject.TEACHER, "video", "H264"),
    Kind.AUDIO: TrackNote(2, "voice", Subject.VOICE, "audio", "opus"),
}


def test_the_relay_and_the_reader_agree_on_the_ring() -> None:
    relay, fd = Relay(), os.memfd_create("ring")
    os.ftruncate(fd, RING_HEADER + SIZE)
    tap = relay.add_tap(fd, RING_HEADER + SIZE)
    ring = Ring(fd)
    seen = []
    for number in range(1000):
        relay.tap_write(tap, RecordKind.TRACK, number % 100, bytes([number % 256]) * (number % 300))
        if number % 7 == 0:
            batch = ring.read()
            assert batch is not None
            assert batch.missed == 0
            seen += list(read_records(batch.span))
    rest = ring.read()
    seen += list(read_records(rest.span)) if rest else []
    assert [(r.kind, r.track, r.data) for r in seen] == [
        (RecordKind.TRACK, n % 100, bytes([n % 256]) * (n % 300)) for n in range(1000)
    ]
    for _ in range(1000):
        relay.tap_write(tap, RecordKind.TRACK, 1, b"x" * 200)
    overtaken = ring.read()
    assert overtaken is not None
    assert overtaken.missed > 0
    assert all(record.data == b"x" * 200 for record in read_records(overtaken.span))
    relay.remove_tap(tap)
    ring.close()
    os.close(fd)


async def test_a_publisher_through_a_real_worker_is_recorded_in_step(tmp_path: Path) -> None:
    plan, clock = plan_lesson(1, 14), StartTime()
    camera = PictureTrack(Camera(plan, 320, 180, 15), clock)
    voice = SoundTrack(Voice(plan, speech=False), clock)
    async with (
        running_worker() as worker,
        connection() as up,
        recorder_process(tmp_path, tmp_path / "archive") as recorder,
    ):
        sender = up.addTransceiver(camera, direction="sendonly")
        known = RTCRtpSender.getCapabilities("video").codecs
        sender.setCodecPreferences([c for c in known if "H264" in c.mimeType or "rtx" in c.mimeType])
        up.addTransceiver(voice, direction="sendonly")
        answer = await worker.answer_offer(up, "L/main/up/1", "L")
        await worker.state("L/main/up/1", PeerState.CONNECTED)
        await worker.do(contract.OpenTap(0, "L"))
        for track in answer.tracks:
            note, name = NOTES[track.kind], TrackName("L/main/up/1", track.mid)
            encoded = msgspec.msgpack.encode(note)
            await worker.do(contract.TapTrack(0, "L", name, note.number, encoded, 2.0))
        recorder.begin("L", worker.directory / "w0.taps")
        await recorder.until_seconds("L", 7)
        worker.link.send(contract.CloseTap("L"))
        ready = await recorder.finish("L")
    assert ready.ready_after_s is not None
    assert ready.ready_after_s < 3
    folder = tmp_path / "archive" / "L"
    for track in read_manifest(folder).tracks:
        assert track.lost == 0
        assert track.gaps == []
    facts = report(folder / "camera.mp4", folder / "voice.mp4")
    sent = [n for n in camera.sent_at if facts.first is not None and facts.first <= n <= (facts.last or 0)]
    assert facts.distinct == len(sent)
    assert facts.repeats == 0
    assert facts.av_offset_ms is not None
    assert (
        abs(facts.av_offset_ms) < 80
    )  # aiortc's reports tell when a picture was sent, not when it was taken
