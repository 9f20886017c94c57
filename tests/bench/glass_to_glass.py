"""From the teacher's own preview of a picture to a room's picture of it, in Chromium, on one machine.

    python tests/bench/glass_to_glass.py [--seconds 10] [--json]

The camera is a file of numbered pictures (960x540, 25 a second). First two plain pages are joined
directly, browser to browser; then the studio's page and a room's page through a server of our own. In both,
every picture is noted when the browser gives it to the screen (requestVideoFrameCallback), in the
preview and in the viewer; the figure is the difference for the same number. `first_frame_s` is the time
from a second room's knock (it opens its WebSocket) to its first picture.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
from playwright.async_api import Browser, Locator, Page, async_playwright

from server.drill.lessonkit.files import write_mjpeg, write_wav
from server.drill.lessonkit.media import Camera, Voice, plan_lesson
from server.drill.lessonkit.tones import SAMPLE_RATE
from server.drill.own_server import OwnServer, own_server
from server.protocol.resources import Demo
from tests.e2e.conftest import FLAGS, STUDIO_SIZE
from tests.e2e.pictures import Shown, observe, shown
from tests.e2e.sample import sees

WIDTH, HEIGHT, FPS, LOOP_S = 960, 540, 25, 20.0
WARM_UP_S = 4.0
KNOCK = """const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...all) { super(...all); window.knockedAt ??= performance.now(); }
};
document.addEventListener('loadeddata', event => {
  if (event.target.dataset.testid == 'picture-stage') window.firstPictureAt ??= performance.now();
}, true);"""
GATHERED = """window.gathered = pc => new Promise(done => {
  const look = () => pc.iceGatheringState == 'complete' && done();
  pc.onicegatheringstatechange = look;
  look();
});"""
PREVIEW = """async () => {
  const stream = await navigator.mediaDevices.getUserMedia({video: {width: 960, height: 540, frameRate: 25}});
  const video = document.createElement('video');
  Object.assign(video, {id: 'preview', muted: true, autoplay: true, srcObject: stream});
  document.body.append(video);
  const pc = window.pc = new RTCPeerConnection();
  const {sender} = pc.addTransceiver(stream.getVideoTracks()[0], {
    direction: 'sendonly', sendEncodings: [{maxBitrate: 2500000}]});
  await sender.setParameters({...sender.getParameters(), degradationPreference: 'maintain-resolution'});
  const h264 = RTCRtpSender.getCapabilities('video').codecs.filter(codec => /H264|rtx/.test(codec.mimeType));
  pc.getTransceivers()[0].setCodecPreferences(h264);
  await pc.setLocalDescription();
  await gathered(pc);
  return pc.localDescription.sdp;
}"""
VIEW = """async sdp => {
  const pc = window.pc = new RTCPeerConnection();
  pc.ontrack = ({track}) => {
    const video = document.createElement('video');
    Object.assign(video, {id: 'view', muted: true, autoplay: true, srcObject: new MediaStream([track])});
    document.body.append(video);
  };
  await pc.setRemoteDescription({type: 'offer', sdp});
  await pc.setLocalDescription();
  await gathered(pc);
  return pc.localDescription.sdp;
}"""
ANSWERED = "sdp => pc.setRemoteDescription({type: 'answer', sdp})"


class Delay(msgspec.Struct, frozen=True):
    """Over `pictures` matched numbers, in ms."""

    median_ms: float
    p95_ms: float
    pictures: int


class GlassFigures(msgspec.Struct, frozen=True):
    """`above_ms`: how much longer the median picture takes through the server."""

    direct: Delay
    server: Delay
    above_ms: float
    first_frame_s: float


def delays(preview: list[Shown], viewed: list[Shown]) -> Delay:
    """Each viewed picture against the last preview of the same number before it (numbers come again)."""
    found = []
    for picture in viewed:
        before = [
            one.at_ms for one in preview if one.number == picture.number and one.at_ms <= picture.at_ms + 20
        ]
        if before and picture.at_ms - before[-1] < LOOP_S * 500:
            found.append(picture.at_ms - before[-1])
    if len(found) < 20:
        raise SystemExit(
            f"{len(preview)} pictures in the preview, {len(viewed)} in the view, {len(found)} in both"
        )
    high = statistics.quantiles(found, n=20)[-1]
    return Delay(round(statistics.median(found), 1), round(high, 1), len(found))


async def measure(preview: Locator, view: Locator, seconds: float) -> Delay:
    await observe(preview)
    await observe(view)
    await asyncio.sleep(WARM_UP_S)
    await shown(view)
    await asyncio.sleep(seconds)
    viewed = await shown(view)
    return delays(await shown(preview), viewed)


async def direct(browser: Browser, url: str, seconds: float) -> Delay:
    """Two plain pages, joined without a server."""
    sender, viewer = await plain_page(browser, url), await plain_page(browser, url)
    await sender.evaluate(ANSWERED, await viewer.evaluate(VIEW, await sender.evaluate(PREVIEW)))
    try:
        return await measure(sender.locator("#preview"), viewer.locator("#view"), seconds)
    finally:
        await sender.context.close()
        await viewer.context.close()


async def window(browser: Browser) -> Page:
    """A page in a window of its own: a tab behind another is drawn once a second."""
    context = await browser.new_context(locale="zh-CN", viewport=STUDIO_SIZE)
    return await context.new_page()


async def plain_page(browser: Browser, url: str) -> Page:
    page = await window(browser)
    await page.add_init_script(GATHERED)
    await page.route("**/plain", lambda route: route.fulfill(body="<body></body>", content_type="text/html"))
    await page.goto(f"{url}/plain")
    return page


async def through_server(browser: Browser, own: OwnServer, seconds: float) -> tuple[Delay, float]:
    """The studio's page and a room's page; then a second room's first picture."""
    async with aiohttp.ClientSession() as http, http.get(f"{own.url}/api/v1/demo") as answer:
        demo = msgspec.json.decode(await answer.read(), type=Demo)
    room, studio = await window(browser), await window(browser)
    await room.goto(f"{own.url}/room#token={demo.rooms[0].token}&sample=1&volume=0.1")
    await studio.goto(f"{own.url}/studio#token={demo.studio.token}")
    await studio.get_by_test_id("start").click(timeout=30_000)
    await sees(room.get_by_test_id("room"), 15_000)
    found = await measure(studio.get_by_test_id("own-camera"), room.get_by_test_id("picture-stage"), seconds)
    late = await window(browser)
    await late.add_init_script(KNOCK)
    await late.goto(f"{own.url}/room#token={demo.rooms[1].token}&sample=1&volume=0")
    return found, await first_frame_s(late)


async def first_frame_s(room: Page) -> float:
    """From the page's knock to its first picture."""
    await sees(room.get_by_test_id("room"), 15_000)
    return float(await room.evaluate("() => window.firstPictureAt - window.knockedAt")) / 1000


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Browser]:
    """With the numbered file as camera and the voice as microphone."""
    plan = plan_lesson(1, LOOP_S)
    camera = Camera(plan, WIDTH, HEIGHT, FPS)
    pictures = (camera.frame(number) for number in range(int(LOOP_S * FPS)))
    await asyncio.to_thread(write_mjpeg, folder / "camera.mjpeg", pictures)
    write_wav(folder / "voice.wav", Voice(plan).samples(0, int(LOOP_S) * SAMPLE_RATE))
    devices = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={folder / 'camera.mjpeg'}",
        f"--use-file-for-fake-audio-capture={folder / 'voice.wav'}",
        "--disable-features=WebRtcHideLocalIpsWithMdns",
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS + devices)
        try:
            yield browser
        finally:
            await browser.close()


async def glass_to_glass(seconds: float) -> GlassFigures:
    with tempfile.TemporaryDirectory(prefix="lianke-glass-") as folder:
        async with own_server() as own, chromium(Path(folder)) as browser:
            plain = await direct(browser, own.url, seconds)
            served, first = await through_server(browser, own, seconds)
            above = round(served.median_ms - plain.median_ms, 1)
            return GlassFigures(plain, served, above, round(first, 3))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()
    print(msgspec.json.encode(asyncio.run(glass_to_glass(args.seconds))).decode())
