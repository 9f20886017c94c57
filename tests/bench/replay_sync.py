"""How far apart picture, courseware and voice are in the playing replay page, read from what it shows.

    python -m tests.bench.replay_sync [--lesson 25] [--seconds 20]

A sample lesson is held through the pages and its replay played in Chromium. Every picture carries the
time it was drawn, every fifth second of the voice begins with a tone; both are noted when the browser gives
them out. Figures are ms, positive where the picture is behind the voice: `camera` against the tone (its sync
block), `screen` against the camera, `clocks` as the elements' own times tell (voice minus
picture), `files_ms` how late the sound is in the decoded files, before any player; `ear_ms`
the delay of listening itself, by the voice's own clock, already taken off.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
from playwright.async_api import Browser, Page, async_playwright, expect

from server.drill.lessonkit.report import judge as judge_files
from server.drill.lessonkit.report import read_pictures, read_sound
from server.drill.lessonkit.tones import sync_starts
from server.drill.own_server import own_server
from server.protocol.resources import Demo
from tests.e2e.conftest import FLAGS, STUDIO_SIZE
from tests.e2e.pictures import OBSERVE, picture_time_ms
from tests.e2e.sample import sees

FRAME_MS, TONE_EVERY_MS = 40, 5000
TELL_MEDIA_TIME = (
    OBSERVE.replace("const next = (now) => {", "const next = (_, frame) => {")
    .replace("+ now,", "+ frame.expectedDisplayTime,")
    .replace("seen.push([number, at])", "seen.push([number, at, frame.mediaTime * 1000])")
)
LISTEN = """async () => {
  const voice = document.querySelector('[data-testid=sound-voice]');
  const context = new AudioContext({sampleRate: 48000});
  const worklet = `registerProcessor('tone', class extends AudioWorkletProcessor {
    loud = true; quiet = 0;
    process([[samples]]) {
      if (!samples) return true;
      let re = 0, im = 0, all = 0;
      for (let k = 0; k < samples.length; k++) {
        const turn = 2 * Math.PI * 1000 * (currentFrame + k) / sampleRate;
        re += samples[k] * Math.cos(turn); im += samples[k] * Math.sin(turn); all += samples[k] ** 2;
      }
      const power = 2 * (re * re + im * im) / samples.length;
      const tone = all > 0.5 && power > 0.7 * all;
      this.quiet = tone ? 0 : this.quiet + 1;
      if (tone && !this.loud) this.port.postMessage(currentTime);
      this.loud = tone || (this.loud && this.quiet < 40);
      return true;
    }
  })`;
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], {type: 'text/javascript'})));
  const ear = new AudioWorkletNode(context, 'tone'), tones = window.tones = [], clocks = window.clocks = [];
  const source = context.createMediaElementSource(voice);
  source.connect(ear).connect(context.destination);
  ear.port.onmessage = ({data}) => {
    const {contextTime, performanceTime} = context.getOutputTimestamp();
    const heard = performanceTime + (data - contextTime) * 1000;
    const media = voice.currentTime * 1000 + heard - performance.now();
    tones.push([performance.timeOrigin + heard, media]);
  };
  setInterval(() => {
    if (voice.paused) return;
    const row = {};
    for (const video of document.querySelectorAll('video')) {
      const late = (voice.currentTime - video.currentTime) * 1000;
      row[video.parentElement.dataset.testid] = [late, video.playbackRate];
    }
    clocks.push(row);
  }, 50);
}"""


def spread(found: Sequence[float]) -> dict[str, Any]:
    """Median, extremes and count."""
    if not found:
        return {"median_ms": None, "count": 0}
    low, middle, high = min(found), statistics.median(found), max(found)
    names = ("median_ms", "low_ms", "high_ms")
    return {name: round(value, 1) for name, value in zip(names, (middle, low, high), strict=True)} | {
        "count": len(found)
    }


def thirds(found: Sequence[float]) -> list[Sequence[float]]:
    edges = [round(k * len(found) / 3) for k in range(4)]
    return [found[start:end] for start, end in pairwise(edges)]


def in_files(folder: Path) -> tuple[dict[str, Any], list[float]]:
    """How far sound and courseware are from the camera in the decoded files; where tones begin."""
    camera, screen = read_pictures(folder / "camera.mp4"), read_pictures(folder / "screen.mp4")
    start, sound = read_sound(folder / "voice.mp4")
    begins = [start + at for at in sync_starts(sound)]
    length = camera[-1][0]
    parts = [
        judge_files(
            [row for row in camera if k * length / 3 <= row[0] < (k + 1) * length / 3], begins, length
        ).av_offset_ms
        for k in range(3)
    ]
    late = [
        statistics.median(1000 * at - FRAME_MS * stamp.number for at, stamp in rows if stamp is not None)
        for rows in (camera, screen)
    ]
    return {
        "files_ms": judge_files(camera, begins, length).av_offset_ms,
        "files_thirds_ms": parts,
        "files_screen_ms": round(late[1] - late[0], 1),
    }, begins


class Picture(NamedTuple):
    """When it was drawn, when it was shown (both ms since 1970), and its time in the file (ms)."""

    drawn: float
    shown: float
    media: float


def pictures_of(seen: Sequence[Sequence[float]]) -> list[Picture]:
    return [Picture(picture_time_ms(int(number), at), at, media) for number, at, media in seen]


def drawn_at(pictures: Sequence[Picture], at: float) -> float | None:
    """Drawing time of the picture on show at a time, going on within it."""
    before = [picture for picture in pictures if picture.shown <= at]
    if not before or at - before[-1].shown > 2 * FRAME_MS:
        return None
    return before[-1].drawn + at - before[-1].shown


def off_beat(drawn_ms: float) -> float:
    """How far a time lies from the nearest tone's begin: negative where it is earlier."""
    away = drawn_ms % TONE_EVERY_MS
    return away if away < TONE_EVERY_MS / 2 else away - TONE_EVERY_MS


def hearing_ms(tones: Sequence[Sequence[float]], begins: Sequence[float]) -> float:
    """How much later a tone is heard here than the voice's own clock passes it: the ear's delay."""
    late = [min((media - 1000 * begin for begin in begins), key=abs) for _, media in tones]
    return statistics.median(late)


def judge(seen: tuple[Any, Any], tones: Any, clocks: Any, begins: Sequence[float]) -> dict[str, Any]:
    """`begins`: where in the voice's file a tone begins, in seconds."""
    seen_camera, seen_screen = seen
    camera, screen = pictures_of(seen_camera), pictures_of(seen_screen)
    ear_ms = hearing_ms(tones, begins)
    played = [drawn_at(camera, wall - ear_ms) for wall, _ in tones]
    late = [-off_beat(at) for at in played if at is not None]
    beside = [(drawn_at(camera, picture.shown), picture.drawn) for picture in screen]
    names = sorted({name for row in clocks for name in row})
    return {
        "ear_ms": round(ear_ms, 1),
        "camera": spread(late),
        "camera_thirds_ms": [round(statistics.median(part), 1) for part in thirds(late) if part],
        "screen": spread([drawn - own for drawn, own in beside if drawn is not None]),
        "clocks": {name: spread([row[name][0] for row in clocks if name in row]) for name in names},
        "rates": {name: sorted({row[name][1] for row in clocks if name in row}) for name in names},
    }


async def window(browser: Browser) -> Page:
    context = await browser.new_context(locale="zh-CN", viewport=STUDIO_SIZE, bypass_csp=True)
    return await context.new_page()


async def hold_lesson(browser: Browser, url: str, seconds: float) -> str:
    """A lesson with courseware; its id."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/api/v1/demo") as answer:
        demo = msgspec.json.decode(await answer.read(), type=Demo)
    studio, room = await window(browser), await window(browser)
    await room.goto(f"{url}/room#token={demo.rooms[0].token}&sample=1&volume=0")
    await studio.goto(f"{url}/studio#token={demo.studio.token}&sample=1&volume=0")
    await studio.get_by_test_id("start").click(timeout=30_000)
    await sees(room.get_by_test_id("room"), 20_000)
    await studio.get_by_test_id("courseware").click()
    await asyncio.sleep(seconds)
    await studio.get_by_test_id("end").click()
    await studio.get_by_test_id("end-confirm").click()
    await expect(studio.get_by_test_id("replay-after")).to_be_visible(timeout=15_000)
    async with aiohttp.ClientSession() as http, http.get(f"{url}/api/v1/lessons") as answer:
        lesson = str((await answer.json())[0]["lesson"])
    await studio.context.close()
    await room.context.close()
    return lesson


async def play(
    browser: Browser, url: str, lesson: str, seconds: float, begins: Sequence[float]
) -> dict[str, Any]:
    page = await window(browser)
    await page.goto(f"{url}/replay/{lesson}?t=2")
    await expect(page.get_by_test_id("player")).to_be_visible()
    await page.get_by_test_id("play").click()
    await expect(page.get_by_test_id("player")).to_have_attribute("data-playing", "true")
    videos = {name: page.get_by_test_id(f"picture-{name}").locator("video") for name in ("camera", "screen")}
    for video in videos.values():
        await video.evaluate(TELL_MEDIA_TIME)
    await page.evaluate(LISTEN)
    await asyncio.sleep(seconds)
    camera, screen = [await video.evaluate("video => video.seen") for video in videos.values()]
    return judge((camera, screen), *await page.evaluate("() => [window.tones, window.clocks]"), begins)


async def replay_sync(lesson_s: float, seconds: float) -> dict[str, Any]:
    async with own_server() as own, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        lesson = await hold_lesson(browser, own.url, lesson_s)
        folder = own.archive / lesson
        files, begins = await asyncio.to_thread(in_files, folder)
        found = await play(browser, own.url, lesson, seconds, begins)
        await browser.close()
        load = round(os.getloadavg()[0], 1)
        return {"lesson_s": lesson_s, "load": load, **files, **found}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lesson", type=float, default=25)
    parser.add_argument("--seconds", type=float, default=20)
    args = parser.parse_args()
    print(json.dumps(asyncio.run(replay_sync(args.lesson, args.seconds))))
