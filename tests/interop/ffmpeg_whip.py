"""FFmpeg's `whip` muxer (in PyAV's wheel) as a publisher: a moving picture in H.264 and a tone in Opus.

python -m tests.interop.ffmpeg_whip URL TOKEN [OPTION=VALUE ...] sends until its standard input ends,
then hangs up. It needs a process: the muxer blocks.
"""

from __future__ import annotations

import fractions
import sys
import threading
import time

import av
import numpy as np

WIDTH, HEIGHT, FPS = 320, 240, 25
SAMPLES = 960
RATE = 48_000


def picture(number: int) -> av.VideoFrame:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    left = number * 4 % (WIDTH - 20)
    pixels[:, left : left + 20] = (200, 80, 40)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    frame.pts, frame.time_base = number, fractions.Fraction(1, FPS)
    return frame


def tone(first: int) -> av.AudioFrame:
    wave = 8_000 * np.sin(2 * np.pi * 440 * (first + np.arange(SAMPLES)) / RATE)
    both = np.repeat(wave.astype(np.int16), 2).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(both, format="s16", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = RATE, first, fractions.Fraction(1, RATE)
    return frame


def main(url: str, token: str, *more: str) -> None:
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    options = {"authorization": token, **dict(each.split("=", 1) for each in more)}
    baseline = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": "50"}
    with av.open(url, "w", format="whip", options=options) as out:
        video = out.add_stream("libx264", rate=FPS, options=baseline)
        video.width, video.height, video.pix_fmt, video.bit_rate = WIDTH, HEIGHT, "yuv420p", 300_000
        audio = out.add_stream("libopus", rate=RATE, layout="stereo")
        audio.bit_rate = 64_000
        began, number, sample = time.monotonic(), 0, 0
        while not ended.is_set():
            out.mux(video.encode(picture(number)))
            number += 1
            while sample * FPS < number * RATE:
                out.mux(audio.encode(tone(sample)))
                sample += SAMPLES
            ended.wait(max(0.0, began + number / FPS - time.monotonic()))


if __name__ == "__main__":
    main(*sys.argv[1:])
