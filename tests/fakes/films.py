"""Small films as people bring them: an MP4 with numbered pictures and a tone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FPS = 25


def make_film(
    path: Path,
    *,
    seconds: float = 4.0,
    codec: str = "libx264",
    sound: bool = True,
    size: tuple[int, int] = (320, 180),
) -> Path:
    """Pictures whose brightness rises, a keyframe each second, B-frames as encoders make them."""
    with av.open(str(path), "w", format="mp4") as container:
        video = container.add_stream(codec, rate=FPS)
        assert isinstance(video, av.VideoStream)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        video.gop_size = FPS
        audio = container.add_stream("aac", rate=48_000, layout="mono") if sound else None
        for number in range(int(seconds * FPS)):
            image = np.full((size[1], size[0], 3), number % 200 + 20, np.uint8)
            image[:, : 1 + number * size[0] // int(seconds * FPS)] = (60, 160, 220)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            assert isinstance(audio, av.AudioStream)
            _tone(container, audio, seconds)
    return path


def _tone(container: av.container.OutputContainer, audio: av.AudioStream, seconds: float) -> None:
    for block in range(int(seconds * 48_000) // 1024):
        at = np.arange(block * 1024, (block + 1) * 1024) / 48_000
        wave = (np.sin(2 * np.pi * 440 * at) * 8000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, block * 1024, Fraction(1, 48_000)
        container.mux(audio.encode(frame))
    container.mux(audio.encode(None))
