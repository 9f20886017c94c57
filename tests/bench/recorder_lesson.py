"""What a recorded lesson costs: `python -m tests.bench.recorder_lesson --lessons 4 --minutes 45`.

Live: the recorder process reads rings that fill in real time with packets of a 1080p25 camera (about 3
Mbit/s) and a voice; its CPU time a lesson, and how long after End each is ready. Recovery: a whole lesson's
journal made into files in one go, as after a crash just before the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from recorder.archive.manifest import Manifest, write_manifest
from recorder.contract import Finish, Recording, RecordingState, RecordKind
from recorder.engine import Engine
from recorder.journal import EntryKind, JournalWriter, Opened
from recorder.making import Making
from tests.fakes.recorded_lesson import (
    CAMERA,
    FPS,
    VOICE,
    Sender,
    Sent,
    camera_sender,
    camera_units,
    h264_payloads,
    span_of,
    voice_packets,
    voice_sender,
    write_sent,
)
from tests.fakes.recorder_process import recorder_process
from tests.fakes.ring_writer import RingWriter, TapServer

LOOP_S = 20.0
_FILL = b"\x06" + b"\x55" * 1100  # a SEI message: bytes that decoders skip


def frame(camera: Sender, voice: Sender, number: int) -> Iterator[Sent]:
    """All packets of one picture time: 12 kbit of filling make about 3 Mbit/s."""
    units, sounds = camera_units(LOOP_S), voice_packets(LOOP_S)
    at = number / FPS
    yield from camera.unit(at, h264_payloads(units[number % len(units)]) + [_FILL] * 12, number)
    for k in range(2):
        yield from voice.unit(at + k / 50, [sounds[(number * 2 + k) % len(sounds)]], number)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def live(lessons: int, seconds: float) -> dict[str, float]:
    names = [f"L{number}" for number in range(lessons)]
    senders = {name: (camera_sender(), voice_sender()) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        rings = {name: RingWriter() for name in names}
        run = Path(folder)
        async with recorder_process(run, run / "archive") as recorder:
            with TapServer(run / "w0.taps", rings) as tap:
                base = time.monotonic_ns()
                for name, ring in rings.items():
                    ring.note(CAMERA, base)
                    ring.note(VOICE, base)
                    recorder.begin(name, tap.path)
                assert recorder.process is not None
                await asyncio.sleep(1)
                before, packets = cpu_s(recorder.process.pid), 0
                base = time.monotonic_ns()
                for number in range(int(seconds * FPS)):
                    for name, ring in rings.items():
                        sent = list(frame(*senders[name], number))
                        packets += len(sent)
                        write_sent(ring, sent, base)
                    due = base / 1e9 + number / FPS
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                used = cpu_s(recorder.process.pid) - before
                for name, ring in rings.items():
                    ring.write(RecordKind.END, 0, b"", time.monotonic_ns())
                    recorder.say(Finish(name))
                ready: dict[str, float] = {}
                while len(ready) < lessons:
                    event = await recorder.hear()
                    if isinstance(event, Recording) and event.state is RecordingState.READY:
                        ready[event.lesson] = event.ready_after_s or 0.0
        for ring in rings.values():
            ring.close()
    return {
        "lessons": lessons,
        "seconds": seconds,
        "packets_per_s": round(packets / seconds / lessons),
        "cpu_percent_per_lesson": round(100 * used / seconds / lessons, 2),
        "ready_after_s": max(ready.values()),
    }


def recovery(minutes: float, died_s: float | None) -> dict[str, float]:
    """A recorder that died `died_s` after its last checkpoint, just before the lesson's end, comes back;
    None: without any checkpoint, so that the whole journal counts."""
    with tempfile.TemporaryDirectory() as folder:
        archive, lesson = Path(folder), "L45"
        write_journal(archive / lesson / "journal", minutes)
        write_manifest(archive / lesson, Manifest(lesson, "", "", RecordingState.RECORDING))
        if died_s is not None:
            record_until(archive / lesson, minutes * 60 - died_s)
        told: list[Recording] = []
        cpu, began = time.process_time(), time.monotonic()
        engine = Engine(archive, told.append)
        engine.start()
        while told[-1].state is not RecordingState.READY:
            time.sleep(0.02)
        took, used = time.monotonic() - began, time.process_time() - cpu
        engine.stop()
        size = sum(path.stat().st_size for path in (archive / lesson / "journal").glob("*.lkj"))
    return {
        "minutes": minutes,
        "journal_mb": round(size / 1e6),
        "ready_s": round(took, 2),
        "cpu_s": round(used, 2),
        "seconds_playable": told[-1].seconds,
    }


def record_until(folder: Path, seconds: float) -> None:
    """A recorder's work on the journal up to about there, its last checkpoint, and its death."""
    making = Making(folder, folder.name)
    while making.step(None):
        if making.recorded_s >= seconds:
            break
    making.publish()
    making.keep_checkpoint()
    making.abandon()
    os.sync()  # what a lesson's 45 minutes put on the disk is there by then


def write_journal(folder: Path, minutes: float) -> None:
    writer = JournalWriter(folder)
    opened = Opened(ring=b"r" * 16, boot=b"boot", clock_ns=0)
    writer.append(EntryKind.OPENED, 0, msgspec.msgpack.encode(opened))
    camera, voice, position = camera_sender(), voice_sender(), 0
    for second in range(int(minutes * 60)):
        sent = [s for number in range(FPS) for s in frame(camera, voice, second * FPS + number)]
        last = second == int(minutes * 60) - 1
        notes = (CAMERA, VOICE) if second == 0 else ()
        span = span_of(sent, notes, second + 1.0 if last else None)
        position += len(span)
        writer.append(EntryKind.SPAN, position, span)
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lessons", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--died", type=float, help="seconds since the last checkpoint; else there is none")
    arguments = parser.parse_args()
    figures = {"live": asyncio.run(live(arguments.lessons, arguments.seconds))}
    if arguments.minutes:
        figures["recovery"] = recovery(arguments.minutes, arguments.died)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
