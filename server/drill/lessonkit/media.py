"""The lesson itself: a camera, a screen and a voice, the same for the same seed.

Pictures are made one at a time and at random access, so that a live source may skip those it is late
for. A lesson has no end: the voice and the slides repeat after `LessonPlan.seconds` (a multiple of
SYNC_EVERY_S, so that sync marks stay whole), frame numbers go on rising.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np

from server.drill.lessonkit.stamps import SYNC_EVERY_S, SYNC_LENGTH_S, Picture, Stamp, draw_stamp, sync_on
from server.drill.lessonkit.tones import SAMPLE_RATE, SYNC_HZ, Samples

SUBJECTS = {
    "English, unit 4": ("Where is the library?", "It is next to the science room.", "Say it after me.",
                        "Now Luoping point, please."),
    "Halves and quarters": ("One cake for four children.", "Each of them gets a quarter.",
                            "Two quarters make one half.", "Show me with your paper."),
    "How plants drink": ("Roots take water from the soil.", "It climbs inside the stem.",
                         "The leaf breathes it out.", "We put celery into red ink."),
    "Beat and rest": ("Four beats, then a rest.", "Clap with the drum.", "Softer on the second line.",
                      "The other room answers us."),
}  # fmt: skip
_SLIDE_S = (4.0, 11.0)
_SPEECH_EVERY_S = 3.5
_NOISES = 8


@dataclass(frozen=True, slots=True)
class Slide:
    """One page of the courseware, from `start_s` of the lesson on."""

    start_s: float
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """What the voice says, and when it begins."""

    start_s: float
    text: str


@dataclass(frozen=True, slots=True)
class LessonPlan:
    """Everything that happens in a lesson; `seconds` is the length after which it repeats."""

    seed: int
    seconds: float
    subject: str
    slides: tuple[Slide, ...]
    sentences: tuple[Sentence, ...]


def plan_lesson(seed: int = 1, seconds: float = 60.0) -> LessonPlan:
    """A lesson of at least SYNC_EVERY_S, its length rounded up to a whole number of sync periods."""
    chance = random.Random(seed)
    seconds = max(1, -(-seconds // SYNC_EVERY_S)) * SYNC_EVERY_S
    subject = chance.choice(sorted(SUBJECTS))
    starts = [0.0]
    while (at := starts[-1] + chance.uniform(*_SLIDE_S)) < seconds - 2:
        starts.append(round(at, 2))
    words = SUBJECTS[subject]
    slides = tuple(Slide(at, subject, tuple(chance.sample(words, chance.randint(2, 4)))) for at in starts)
    said = np.arange(0.5, max(seconds - 3, 0.6), _SPEECH_EVERY_S)
    sentences = tuple(Sentence(round(float(at), 2), words[k % len(words)]) for k, at in enumerate(said))
    return LessonPlan(seed, seconds, subject, slides, sentences)


class Camera:
    """The teacher's camera: a moving figure in a textured room with sensor noise. Pictures are BGR."""

    def __init__(self, plan: LessonPlan, width: int = 1280, height: int = 720, fps: int = 25) -> None:
        self.fps = fps
        chance = np.random.default_rng(plan.seed)
        coarse = chance.integers(60, 200, (max(height // 8, 2), max(width // 8, 2), 3), np.uint8)
        smooth = cv2.resize(cv2.GaussianBlur(coarse, (5, 5), 0), (width, height))
        self._room: Picture = np.asarray(smooth, np.uint8)
        shape, size = (height // 2, width // 2), (width, height)
        self._noises = [_grain(chance.integers(0, 7, shape, np.uint8), size) for _ in range(_NOISES)]

    def frame(self, number: int) -> Picture:
        """Picture `number` (height x width x 3), its stamp in it."""
        at = number / self.fps
        picture = self._room.copy()
        height, width = picture.shape[:2]
        x, body = int(width * (0.5 + 0.3 * np.sin(at * 0.4))), int(height * 0.22)
        cv2.ellipse(picture, (x, height), (body, int(height * 0.45)), 0, 180, 360, (90, 60, 30), -1)
        cv2.circle(picture, (x, int(height * 0.45)), int(height * 0.09), (150, 180, 220), -1)
        hand = (int(x + body * np.cos(at * 2.1)), int(height * 0.6 - body * abs(np.sin(at * 2.1))))
        cv2.line(picture, (x, int(height * 0.68)), hand, (90, 60, 30), max(int(height * 0.04), 1))
        cv2.add(picture, self._noises[number % _NOISES], dst=picture)
        draw_stamp(picture, Stamp(number, sync_on(at)))
        return picture


class Screen:
    """The courseware: still pages that change at the plan's times. Pictures are BGR."""

    def __init__(self, plan: LessonPlan, width: int = 1280, height: int = 720, fps: int = 25) -> None:
        self.fps = fps
        self._plan = plan
        self._pages = [_draw_slide(width, height, k + 1, slide) for k, slide in enumerate(plan.slides)]

    def frame(self, number: int) -> Picture:
        """Picture `number` (height x width x 3), its stamp in it."""
        at = number / self.fps
        shown = sum(slide.start_s <= at % self._plan.seconds for slide in self._plan.slides) - 1
        picture = self._pages[shown].copy()
        draw_stamp(picture, Stamp(number, sync_on(at)))
        return picture


class Voice:
    """The teacher's voice with a sync tone every SYNC_EVERY_S: espeak-ng where it is installed, else hums."""

    def __init__(self, plan: LessonPlan, speech: bool | None = None) -> None:
        self.speech = shutil.which("espeak-ng") is not None if speech is None else speech
        self._loop = np.zeros(int(plan.seconds * SAMPLE_RATE), np.float32)
        clips: dict[str, Samples] = {}
        for k, sentence in enumerate(plan.sentences):
            if sentence.text not in clips:
                clips[sentence.text] = _speak(sentence.text) if self.speech else _hum(k)
            start = int(sentence.start_s * SAMPLE_RATE)
            clip = clips[sentence.text][: len(self._loop) - start]
            self._loop[start : start + len(clip)] += clip
        t = np.arange(int(SYNC_LENGTH_S * SAMPLE_RATE)) / SAMPLE_RATE
        tone = (0.6 * np.sin(2 * np.pi * SYNC_HZ * t)).astype(np.float32)
        for start in range(0, len(self._loop), int(SYNC_EVERY_S * SAMPLE_RATE)):
            self._loop[start : start + len(tone)] = tone

    def samples(self, start: int, count: int) -> Samples:
        """`count` samples from sample `start` of the lesson on (48 kHz, mono, -1 to 1)."""
        return self._loop[np.arange(start, start + count) % len(self._loop)]

    def blocks(self, length: int = SAMPLE_RATE // 50) -> Iterator[Samples]:
        """The voice from its beginning in blocks of `length` samples, without end."""
        start = 0
        while True:
            yield self.samples(start, length)
            start += length


class Tone:
    """A room's voice: one steady tone, so that whoever hears it knows whose it is."""

    def __init__(self, frequency: float, level: float = 0.4) -> None:
        self.frequency, self.level = frequency, level

    def samples(self, start: int, count: int) -> Samples:
        """As `Voice.samples`."""
        t = np.arange(start, start + count) / SAMPLE_RATE
        return (self.level * np.sin(2 * np.pi * self.frequency * t)).astype(np.float32)


def _grain(coarse: Picture, size: tuple[int, int]) -> Picture:
    grain = cv2.resize(coarse, size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.merge([grain, grain, grain]), np.uint8)


def _draw_slide(width: int, height: int, number: int, slide: Slide) -> Picture:
    page: Picture = np.full((height, width, 3), (250, 250, 246), np.uint8)
    unit, thick = height / 720, max(round(height / 360), 1)
    cv2.rectangle(page, (0, 0), (width, int(120 * unit)), (110, 60 + number * 31 % 150, 50), -1)

    def write(text: str, x: float, y: float, size: float, colour: tuple[int, int, int], weight: int) -> None:
        place = (int(x * unit), int(y * unit))
        cv2.putText(page, text, place, cv2.FONT_HERSHEY_SIMPLEX, size * unit, colour, weight, cv2.LINE_AA)

    write(f"{number}  {slide.title}", 40, 98, 1.5, (255, 255, 255), thick)
    for row, line in enumerate(slide.lines):
        write(f"* {line}", 60, 220 + 70 * row, 1.0, (30, 30, 30), thick)
    for row in range(6):  # small print: does text stay sharp?
        write(f"{number}.{row}) {number * 5 + row} : {row + 2} = ?", 60, 560 + 22 * row, 0.5, (60, 60, 60), 1)
    return page


def _speak(text: str) -> Samples:
    said = subprocess.run(
        ["espeak-ng", "-s", "150", "--stdout", text], check=True, capture_output=True
    ).stdout
    with wave.open(BytesIO(said)) as speech:
        rate = speech.getframerate()
        pcm = np.frombuffer(speech.readframes(1 << 24), "<i2").astype(np.float32) / 32768
    places = np.arange(0, len(pcm), rate / SAMPLE_RATE)
    return (0.5 * np.interp(places, np.arange(len(pcm)), pcm)).astype(np.float32)


def _hum(number: int) -> Samples:
    t = np.arange(int(1.5 * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = 180 + 20 * (number % 6)
    return (0.15 * np.sin(2 * np.pi * pitch * t) * np.hanning(len(t))).astype(np.float32)
