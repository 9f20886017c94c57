"""What feeds the drill's FFmpeg: pictures and sound begin together, however long it takes to start."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future

import pytest

from server.drill.lessonkit.media import Camera, Voice, plan_lesson
from server.drill.senders import lesson
from server.drill.senders.lesson import BLOCK, LessonSender

PATIENCE_S = 20.0


def test_the_sound_waits_for_an_encoder_that_is_slow_to_take_its_first_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lesson, "STOP_S", 0.1)
    plan = plan_lesson(seconds=60)
    sender = LessonSender(Camera(plan, 320, 180, 25), Voice(plan), 320, 180)  # a picture fills the pipe
    pictures, sounds = os.pipe(), os.pipe()
    taken = Future[float]()
    feeds = [
        threading.Thread(target=feed, args=(pipe[1], taken), daemon=True)
        for feed, pipe in ((sender._feed_pictures, pictures), (sender._feed_sound, sounds))
    ]
    for feed in feeds:
        feed.start()
    heard = len(os.read(sounds[0], 2 * BLOCK))
    time.sleep(0.3)  # it is not ready for a picture
    over = threading.Event()
    drain = threading.Thread(target=_drain, args=(pictures[0], over), daemon=True)
    drain.start()
    until = time.monotonic() + PATIENCE_S
    while heard < 8 * BLOCK and time.monotonic() < until and (piece := os.read(sounds[0], 2 * BLOCK)):
        heard += len(piece)
    assert heard >= 8 * BLOCK, "the sound had ended"
    os.close(sounds[0])
    over.set()
    for feed in feeds:
        feed.join(PATIENCE_S)
        assert not feed.is_alive(), "it ends with its reader"


def _drain(pipe: int, over: threading.Event) -> None:
    while not over.is_set() and os.read(pipe, 1 << 20):
        pass
    os.close(pipe)
