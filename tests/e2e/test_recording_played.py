"""Chromium plays a recording with a late camera, a cut and another picture size: right picture at each time,
sound in step."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Page, async_playwright

from recorder.archive.reading import served_file
from tests.fakes.made_recording import make_recording
from tests.fakes.recorded_lesson import (
    Sent,
    camera_packets,
    camera_sender,
    in_order,
    voice_packets_sent,
    voice_sender,
)

SECONDS = 20.0
HLS = Path(__file__).parents[2] / "web/node_modules/hls.js/dist/hls.min.js"
PAGE = Path(__file__).with_name("player.html")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or not HLS.exists(), reason="needs Debian's chromium and the pages' hls.js"
)


def trouble() -> list[Sent]:
    """The camera comes at 4 s, is cut from 8 to 12 s, and has another size from 14 s on."""
    small = [s for s in camera_packets(camera_sender(), SECONDS) if 4 <= s.at_s < 8 or 12 <= s.at_s < 14]
    wide = camera_packets(camera_sender(ssrc=99), SECONDS, width=480, height=270)
    return in_order(small, [s for s in wide if s.at_s >= 14.02], voice_packets_sent(voice_sender(), SECONDS))


@asynccontextmanager
async def player(folder: Path) -> AsyncIterator[Page]:
    async def media(request: web.Request) -> web.FileResponse:
        return web.FileResponse(served_file(folder, request.match_info["name"]))

    async def page_file(request: web.Request) -> web.FileResponse:
        return web.FileResponse(HLS if request.path == "/hls.js" else PAGE)

    app = web.Application()
    app.router.add_get("/", page_file)
    app.router.add_get("/hls.js", page_file)
    app.router.add_get("/media/{name}", media)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"],
            )
            page = await browser.new_page()
            await page.goto(f"http://127.0.0.1:{port}/")
            yield page
            await browser.close()
    finally:
        await runner.cleanup()


async def test_chromium_shows_the_right_picture_at_each_time_and_sound_in_step(tmp_path: Path) -> None:
    make_recording(tmp_path, trouble(), SECONDS)
    async with player(tmp_path) as page:
        assert await page.evaluate("load(video, '/media/camera.m3u8')") == pytest.approx(SECONDS, abs=0.1)
        assert await page.evaluate("load(sound, '/media/voice.m3u8')") == pytest.approx(SECONDS, abs=0.1)
        expected = {0.5: 100, 3.5: 100, 7.5: 187, 9: 199, 11.5: 199, 12.6: 315, 14.5: 362, 19: 475}
        for at_s, number in expected.items():
            shown = await page.evaluate(f"seek({at_s})")
            assert abs(shown - number) <= 1, f"at {at_s} s picture {shown} instead of {number}"
        played = await page.evaluate("play(13.5)")
        assert await page.evaluate("problems") == []
    (mark, *_), (tone, *_) = played["marks"], played["tones"]
    assert abs(mark - 15) < 0.08
    assert abs(tone - mark) < 0.04 + 0.025  # a picture lasts 40 ms, the analyser hears 20 ms late
