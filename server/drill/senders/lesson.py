"""The drill's numbered lesson as FFmpeg sends it: what a recording room's camera or encoder would send."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import IO

import numpy as np

from server.drill.lessonkit.media import Camera, Voice
from server.drill.lessonkit.tones import SAMPLE_RATE
from server.drill.senders import NoSender

BLOCK = SAMPLE_RATE // 25  # samples written at once
H264 = (
    *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"),
    *("-g", "{gop}", "-bf", "0", "-b:v", "800k", "-maxrate", "800k", "-bufsize", "400k"),
    *("-c:a", "aac", "-b:a", "96k"),
)  # a group of pictures fits into the 128 packets that the drill's rooms hold (aiortc)
STOP_S = 5.0


@dataclass(slots=True)
class LessonSender:
    """FFmpeg fed with pictures and sound as they become due. `sent_at`: number -> when it went in."""

    camera: Camera
    voice: Voice
    width: int
    height: int
    sent_at: dict[int, float] = field(default_factory=dict)

    @asynccontextmanager
    async def sending(self, output: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
        """Send until the end of the block; `output`: FFmpeg's options and address after the encoder's.
        NoSender where there is no FFmpeg."""
        ffmpeg = shutil.which("ffmpeg")
        if ffmpeg is None:
            raise NoSender("FFmpeg is missing: apt-get install ffmpeg")
        pictures, sounds = os.pipe(), os.pipe()
        process = await asyncio.create_subprocess_exec(
            ffmpeg, *self._command(pictures[0], sounds[0]), *output,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            pass_fds=(pictures[0], sounds[0]),
        )  # fmt: skip
        for end in (pictures[0], sounds[0]):
            os.close(end)
        taken = Future[float]()
        feeds = [
            asyncio.create_task(asyncio.to_thread(self._feed_pictures, pictures[1], taken), name="pictures"),
            asyncio.create_task(asyncio.to_thread(self._feed_sound, sounds[1], taken), name="sound"),
        ]
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            async with asyncio.timeout(STOP_S):  # the threads end at their broken pipes
                await asyncio.gather(*feeds, return_exceptions=True)

    def _command(self, pictures: int, sounds: int) -> list[str]:
        fps = self.camera.fps
        raw = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{self.width}x{self.height}", "-r", str(fps)]
        wave = ["-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1"]
        queue = ["-thread_queue_size", "64"]
        return [
            *("-loglevel", "error", "-nostdin"),
            *(*queue, *raw, "-i", f"pipe:{pictures}"),
            *(*queue, *wave, "-i", f"pipe:{sounds}"),
            *("-map", "0:v", "-map", "1:a"),
            *(each.format(gop=fps) for each in H264),
        ]

    def _feed_pictures(self, pipe: int, taken: Future[float]) -> None:
        """The lesson's time runs from FFmpeg's taking the first picture: it may be long in starting."""
        begun = 0.0
        with self._feeding(pipe, taken) as into:
            for number in count():
                picture = self.camera.frame(number)
                _wait(begun + number / self.camera.fps)
                self.sent_at[number] = time.monotonic()
                _write(into.fileno(), picture.tobytes())
                if number == 0:
                    begun = time.monotonic()
                    taken.set_result(begun)

    def _feed_sound(self, pipe: int, taken: Future[float]) -> None:
        begun = 0.0
        with self._feeding(pipe, taken) as into:
            for block in count():
                samples = self.voice.samples(block * BLOCK, BLOCK)
                _wait(begun + block * BLOCK / SAMPLE_RATE)
                _write(into.fileno(), (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
                if block == 0:  # FFmpeg may wait for some sound before it takes a picture
                    begun = taken.result()

    @staticmethod
    @contextlib.contextmanager
    def _feeding(pipe: int, taken: Future[float]) -> Iterator[IO[bytes]]:
        """Until FFmpeg ends. However long it takes to start, neither feed goes on without the other."""
        try:
            with (
                contextlib.suppress(BrokenPipeError, CancelledError),
                os.fdopen(pipe, "wb", buffering=0) as into,
            ):
                yield into
        finally:
            taken.cancel()


def _wait(until: float) -> None:
    if (left := until - time.monotonic()) > 0:
        time.sleep(left)


def _write(pipe: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(pipe, view) :]
