"""A lesson as files: what a browser takes for a camera, a screen and a microphone, and the truth.

Chromium: `--use-fake-device-for-media-stream --use-file-for-fake-video-capture=camera.mjpeg
--use-file-for-fake-audio-capture=voice.wav` (it plays them in a loop).
"""

from __future__ import annotations

import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import msgspec
import numpy as np

from server.drill.lessonkit.media import Camera, LessonPlan, Screen, Sentence, Slide, Voice, plan_lesson
from server.drill.lessonkit.stamps import SYNC_EVERY_S, SYNC_LENGTH_S, Picture
from server.drill.lessonkit.tones import SAMPLE_RATE, Samples


@dataclass(frozen=True, slots=True)
class LessonFiles:
    """Where the files of one lesson are."""

    camera: Path
    screen: Path
    voice: Path
    truth: Path


class Truth(msgspec.Struct, frozen=True):
    """What is in the files; `frames` pictures at `fps`, the voice as long."""

    seed: int
    seconds: float
    fps: int
    frames: int
    subject: str
    slides: list[Slide]
    sentences: list[Sentence]
    speech: bool
    sync_every_s: float = SYNC_EVERY_S
    sync_length_s: float = SYNC_LENGTH_S


def write_mjpeg(path: Path, pictures: Iterable[Picture], quality: int = 80) -> None:
    """Pictures (BGR) one after the other as JPEG."""
    with path.open("wb") as file:
        for picture in pictures:
            file.write(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())


def write_wav(path: Path, sound: Samples) -> None:
    """48 kHz mono, 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


def write_lesson(
    folder: Path, plan: LessonPlan | None = None, width: int = 1280, height: int = 720, fps: int = 25
) -> LessonFiles:
    """Write camera.mjpeg, screen.mjpeg, voice.wav and truth.json into `folder` (made where missing)."""
    plan = plan or plan_lesson()
    folder.mkdir(parents=True, exist_ok=True)
    files = LessonFiles(*(folder / n for n in ("camera.mjpeg", "screen.mjpeg", "voice.wav", "truth.json")))
    frames = int(plan.seconds * fps)
    camera, screen, voice = Camera(plan, width, height, fps), Screen(plan, width, height, fps), Voice(plan)
    write_mjpeg(files.camera, (camera.frame(number) for number in range(frames)))
    write_mjpeg(files.screen, (screen.frame(number) for number in range(frames)))
    write_wav(files.voice, voice.samples(0, int(plan.seconds * SAMPLE_RATE)))
    truth = Truth(plan.seed, plan.seconds, fps, frames, plan.subject, list(plan.slides), list(plan.sentences),
                  voice.speech)  # fmt: skip
    files.truth.write_bytes(msgspec.json.format(msgspec.json.encode(truth)) + b"\n")
    return files
