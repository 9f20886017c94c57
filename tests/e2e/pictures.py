"""Which numbered picture a page shows, and when: read from its video elements while they play."""

from __future__ import annotations

from typing import NamedTuple

from playwright.async_api import Locator

# Installs an observer on a video element: element.seen collects [number, ms since 1970] of each new picture.
OBSERVE = """video => {
  if (video.seen) return;
  const seen = video.seen = [];
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const BITS = 20, BLOCKS = BITS + 3;
  const read = () => {
    const {videoWidth: width, videoHeight: height} = video;
    if (!width) return null;
    const y = Math.floor(height / 36);
    canvas.width = width; canvas.height = 1;
    context.drawImage(video, 0, y, width, 1, 0, 0, width, 1);
    const pixels = context.getImageData(0, 0, width, 1).data;
    const level = k => pixels[4 * Math.floor((k + 0.5) * width / BLOCKS) + 1];
    if (level(0) < 140 || level(1) > 110) return null;
    let number = 0;
    for (let k = 2; k < 2 + BITS; k++) number = number * 2 + (level(k) > 127 ? 1 : 0);
    return number;
  };
  const next = (now) => {
    const at = performance.timeOrigin + now, number = read();
    if (number !== null && (!seen.length || seen[seen.length - 1][0] !== number)) seen.push([number, at]);
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
}"""
TAKE = "video => video.seen ? video.seen.splice(0) : []"


class Shown(NamedTuple):
    """A picture and when it was given to the screen (ms since 1970)."""

    number: int
    at_ms: float


async def observe(video: Locator) -> None:
    """From now on the element's pictures are noted."""
    await video.evaluate(OBSERVE)


async def shown(video: Locator) -> list[Shown]:
    """Pictures since `observe` or since last asked."""
    return [Shown(int(number), float(at)) for number, at in await video.evaluate(TAKE)]


def picture_time_ms(number: int, now_ms: float) -> float:
    """When a picture of the pages' sample camera was drawn: it counts 40 ms steps of the machine's clock."""
    wrap = (1 << 20) * 40
    age = (now_ms - number * 40) % wrap
    return now_ms - age
