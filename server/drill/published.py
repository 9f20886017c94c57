"""What was made of the drill's lesson after class, fetched as people get it and read back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import msgspec

from recorder.archive.published import PublishingState, RenditionKind
from server.drill.figures import PublishedFigures, RenditionFigures
from server.drill.lessonkit.report import Report, read_sound, report
from server.drill.lessonkit.tones import SAMPLE_RATE
from server.protocol.library import Download
from server.protocol.publishing import PublishingView
from server.protocol.resources import Replay

LOOK_S = 0.5
WAIT_AT_MOST_S = 150.0
CAMERA = "camera"
FILES = {
    RenditionKind.HIGH: "camera.720p.mp4",
    RenditionKind.LOW: "camera.360p.mp4",
    RenditionKind.SOUND: "lesson.sound.m4a",
    RenditionKind.FILM: "lesson.film.mp4",
}


class NotPublished(Exception):
    """The bulk lane did not get there; the words say how far it came and why."""


async def fetch_published(
    http: aiohttp.ClientSession, server: str, replay: Replay, folder: Path, progress: Callable[[str], None]
) -> float:
    """Wait until everything is made and read the files into `folder`; the seconds it took. NotPublished."""
    begun = time.monotonic()
    view = await _until_done(http, f"{server}/api/v1/lessons/{replay.lesson}/publishing", progress)
    took = time.monotonic() - begun
    if view.state != PublishingState.DONE:
        failed = ", ".join(f"{step.name}: {step.problem}" for step in view.steps if step.problem)
        raise NotPublished(f"made after class: {view.state} ({failed})")
    place = f"{server}{replay.tracks[0].playlist.rpartition('/')[0]}"
    for kind, name in FILES.items():
        url = f"{place}/{name}"
        if kind is RenditionKind.FILM:
            async with http.post(
                f"{server}/api/v1/lessons/{replay.lesson}/download", json={"file": name}
            ) as asked:
                if asked.status != 200:
                    raise NotPublished(f"{name}: the server answered {asked.status}")
                url = server + msgspec.json.decode(await asked.read(), type=Download).url
        async with http.get(url) as answer:
            if answer.status != 200:
                raise NotPublished(f"{name}: the server answered {answer.status}")
            await asyncio.to_thread((folder / name).write_bytes, await answer.read())
    return took


async def _until_done(
    http: aiohttp.ClientSession, url: str, progress: Callable[[str], None]
) -> PublishingView:
    told, until = "", time.monotonic() + WAIT_AT_MOST_S
    while True:
        async with http.get(url) as answer:
            if answer.status != 200:
                raise NotPublished(f"made after class: the server answered {answer.status}")
            view = msgspec.json.decode(await answer.read(), type=PublishingView)
        if view.state in (PublishingState.DONE, PublishingState.FAILED):
            return view
        now = next((step.name for step in view.steps if step.state == "running"), "")
        if now and now != told:
            told = now
            progress(f"made after class: {now}")
        if time.monotonic() > until:
            raise NotPublished(f"made after class: {view.state} after {WAIT_AT_MOST_S:.0f} s, at {now}")
        await asyncio.sleep(LOOK_S)


def read_published(folder: Path, took_s: float, *, numbered: bool = True) -> PublishedFigures:
    """The files as they play; `numbered`: their pictures bear numbers. OSError, av.error.FFmpegError."""
    camera, sound = folder / f"{CAMERA}.mp4", folder / FILES[RenditionKind.SOUND]
    recorded = report(camera)
    start, samples = read_sound(sound)
    found = [
        _figures(RenditionKind.HIGH, report(folder / FILES[RenditionKind.HIGH], sound), numbered),
        _figures(RenditionKind.LOW, report(folder / FILES[RenditionKind.LOW], sound), numbered),
        RenditionFigures(RenditionKind.SOUND, 0, round(start + len(samples) / SAMPLE_RATE, 3), 1.0, None),
        _figures(RenditionKind.FILM, report(folder / FILES[RenditionKind.FILM]), numbered),
    ]
    return PublishedFigures(round(took_s, 1), recorded.frames, recorded.seconds, found)


def _figures(kind: RenditionKind, found: Report, numbered: bool) -> RenditionFigures:
    ratio = round(found.distinct_ratio, 4) if numbered else None
    return RenditionFigures(kind, found.frames, found.seconds, ratio, found.av_offset_ms)
