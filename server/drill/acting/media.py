"""What an acting room sends: a few seconds of a drawn class and a hum, encoded once and repeated for ever."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np

from server.drill.lessonkit.stamps import Picture
from server.ingest.rtp import nals_of, parameter_sets, with_parameter_sets

WIDTH, HEIGHT, FPS = 320, 180, 10
LOOP_S = 4
RATE, BLOCK = 48_000, 960
COLOURS = ((120, 96, 40), (60, 104, 60), (96, 60, 110))
FIRST_TONE_HZ, TONE_STEP_HZ = 240.0, 60.0
LEVEL = 0.05
PUPILS = 4


@dataclass(frozen=True, slots=True)
class Loop:
    """`pictures`: NAL units of each, the first one a keyframe; `sounds`: Opus packets of 20 ms."""

    pictures: list[list[bytes]]
    sounds: list[bytes]


def loop_of(number: int) -> Loop:
    """Of acting room `number`, from 1; takes some tens of milliseconds."""
    return Loop(_pictures(number), _sounds(number))


def _drawn(number: int, at: int) -> Picture:
    """A wall, the room's number on the board, pupils who nod."""
    picture: Picture = np.full((HEIGHT, WIDTH, 3), COLOURS[(number - 1) % len(COLOURS)], np.uint8)
    cv2.rectangle(picture, (110, 18), (210, 88), (50, 70, 40), -1)
    cv2.putText(picture, str(number), (142, 74), cv2.FONT_HERSHEY_SIMPLEX, 1.9, (240, 240, 240), 3)
    for pupil in range(PUPILS):
        nod = int(4 * np.sin(2 * np.pi * (at / (FPS * LOOP_S) * (pupil + 1) + pupil / PUPILS)))
        x = 40 + 80 * pupil
        cv2.ellipse(picture, (x, HEIGHT), (30, 44), 0, 180, 360, (140, 110 + 20 * pupil, 90), -1)
        cv2.circle(picture, (x, 124 + nod), 18, (150, 180, 220), -1)
    return picture


def _pictures(number: int) -> list[list[bytes]]:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(FPS), Fraction(1, FPS)
    encoder.options = {
        "preset": "veryfast", "tune": "zerolatency", "profile": "baseline", "crf": "28",
        "g": str(FPS * 2), "threads": "1",
    }  # fmt: skip
    packets = []
    for at in range(FPS * LOOP_S):
        frame = av.VideoFrame.from_ndarray(_drawn(number, at), format="bgr24")
        frame.pts = at
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    sets, _ = parameter_sets(encoder.extradata or b"")
    return [with_parameter_sets(nals_of(bytes(packet), 0), sets) for packet in packets]


def _sounds(number: int) -> list[bytes]:
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.format, encoder.layout = RATE, "s16", "stereo"
    encoder.bit_rate, encoder.time_base = 32_000, Fraction(1, RATE)
    encoder.options = {"frame_duration": "20"}
    time = np.arange(RATE * LOOP_S) / RATE
    breath = 0.5 - 0.5 * np.cos(2 * np.pi * time / LOOP_S)  # as loud at its end as at its beginning
    hum = LEVEL * breath * np.sin(2 * np.pi * (FIRST_TONE_HZ + TONE_STEP_HZ * number) * time)
    packets = []
    for at in range(0, len(hum), BLOCK):
        block = (hum[at : at + BLOCK] * 32767).astype(np.int16).repeat(2).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = RATE, at
        packets += encoder.encode(frame)
    return [bytes(packet) for packet in packets]
