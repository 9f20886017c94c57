"""A finished recording in an archive: numbered pictures, numbered courseware, a voice with tones."""

from __future__ import annotations

import functools
from fractions import Fraction
from pathlib import Path

import av

from recorder.archive.layout import MULTIVARIANT, lesson_folder
from recorder.archive.manifest import Manifest, write_manifest
from recorder.archive.reading import read_recording
from recorder.contract import RecordingState, Subject, TrackNote
from server.drill.lessonkit.media import Screen, plan_lesson
from tests.fakes import recorded_lesson as sent
from tests.fakes.made_recording import make_recording

SCREEN_FPS = 10
STARTED_AT = "2026-11-21T08:00:00+08:00"
PUPILS = TrackNote(number=16, name="room-shahe-camera", subject=Subject.PUPILS, kind="video", codec="H264",
                   room="shahe")  # fmt: skip


@functools.cache
def screen_units(seconds: float, width: int = 320, height: int = 180) -> tuple[bytes, ...]:
    """One Annex B access unit a picture, a keyframe at the beginning and every 30 s."""
    screen = Screen(plan_lesson(1, seconds), width, height, SCREEN_FPS)
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, SCREEN_FPS), Fraction(SCREEN_FPS)
    encoder.options = {
        "preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "crf": "26",
        "x264-params": "keyint=300:min-keyint=300:scenecut=0:repeat-headers=1:threads=1",
    }  # fmt: skip
    units = []
    for number in range(int(seconds * SCREEN_FPS)):
        frame = av.VideoFrame.from_ndarray(screen.frame(number), format="bgr24")
        frame.pts = number
        units += [bytes(packet) for packet in encoder.encode(frame)]
    return (*units, *(bytes(packet) for packet in encoder.encode(None)))


def archive_lesson(
    archive: Path,
    lesson: str,
    seconds: float,
    *,
    camera: bool = True,
    screen: bool = False,
    voice: bool = True,
    pupils: bool = False,
) -> Manifest:
    """The recording of such a lesson, READY, its journal kept."""
    streams, notes = [], []
    if camera:
        notes.append(sent.CAMERA)
        streams.append(sent.camera_packets(sent.camera_sender(), seconds))
    if voice:
        notes.append(sent.VOICE)
        streams.append(sent.voice_packets_sent(sent.voice_sender(), seconds))
    if screen:
        notes.append(sent.SCREEN)
        sender = sent.camera_sender(sent.SCREEN, 0x3333)
        streams.append(
            part
            for number, unit in enumerate(screen_units(seconds))
            for part in sender.unit(number / SCREEN_FPS, sent.h264_payloads(unit), number)
        )
    if pupils:
        notes.append(PUPILS)
        streams.append(sent.camera_packets(sent.camera_sender(PUPILS, 0x4444), seconds))
    return archive_sent(archive, lesson, sent.in_order(*streams), seconds, notes)


def archive_sent(
    archive: Path, lesson: str, packets: list[sent.Sent], seconds: float, notes: list[TrackNote]
) -> Manifest:
    """The recording of what was sent."""
    folder = lesson_folder(archive, lesson)
    folder.mkdir(parents=True)
    tracks = list(make_recording(folder, packets, seconds, notes).values())
    write_manifest(folder, Manifest(
        lesson, "分数 Fractions", STARTED_AT, RecordingState.READY, seconds=max(t.seconds for t in tracks),
        ready_after_s=0.4, playlist=MULTIVARIANT, tracks=tracks, bytes=sum(t.bytes for t in tracks),
    ))  # fmt: skip
    return read_recording(archive, lesson)
