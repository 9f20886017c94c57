"""A viewer of the broadcast on stage: asked by the teacher, up by a touch, seen and heard by all, down again.

The viewer's page takes Chromium's own camera and microphone (a moving picture, a beep each second).
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from server.drill.own_server import OwnServer
from tests.e2e.conftest import FLAGS, Shoot, Window
from tests.e2e.sample import demo_of
from tests.e2e.speaking import in_both_languages
from tests.e2e.test_accessibility import AXE, well
from tests.e2e.test_broadcast import begin, make_links, moves

DEVICES = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
REMEMBER = """() => {
  const Original = RTCPeerConnection;
  window.connections = [];
  window.RTCPeerConnection = class extends Original {
    constructor(...given) { super(...given); window.connections.push(this); }
  };
  window.asked = 0;
  const take = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.held = [];
  navigator.mediaDevices.getUserMedia = async wanted => {
    window.asked += 1;
    const stream = await take(wanted);
    window.held.push(...stream.getTracks());
    return stream;
  };
}"""
HEARS = """async voices => {
  for (;;) {
    let heard = 0;
    for (const each of window.connections) {
      (await each.getStats()).forEach(entry => {
        if (entry.type == 'inbound-rtp' && entry.kind == 'audio' && entry.totalAudioEnergy > 1e-5) heard += 1;
      });
    }
    if (heard >= voices) return;
    await new Promise(then => setTimeout(then, 200));
  }
}"""
MOVES = """chosen => [...document.querySelectorAll(chosen)]
  .some(video => video.videoWidth > 0 && video.currentTime > 0.3 && video.offsetWidth > 0)"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """As everywhere, with a camera and a microphone."""
    chromium = shutil.which("chromium")
    assert chromium, "these tests need Debian's chromium: apt-get install chromium"
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *DEVICES])
        try:
            yield found
        finally:
            await found.close()


async def hears(page: Page, voices: int) -> None:
    """So many voices were heard in this page."""
    async with asyncio.timeout(30):  # not wait_for_function: it takes a promise itself for a yes
        await page.evaluate(HEARS, voices)


async def through_the_lobby(page: Page, url: str, studio: Page, shoot: Shoot) -> None:
    """By a guest's link: a name, nothing of the lesson before the teacher's word, then it moves."""
    axe = await asyncio.to_thread(AXE.read_text)
    await page.goto(url)
    await page.get_by_test_id("guest-name").fill("赵教研")
    await well(page, axe, "a guest's door")
    await in_both_languages(page, shoot, "guest-door")
    await page.get_by_test_id("knock").click()
    await expect(page.get_by_test_id("watch")).to_have_attribute("data-face", "lobby")
    await expect(page.locator("video")).to_have_count(0)
    await in_both_languages(page, shoot, "guest-lobby")
    await studio.get_by_test_id("let-in").click()
    await moves(page)
    await expect(studio.get_by_test_id("watched")).to_contain_text("客人 赵教研")
    await expect(page.get_by_test_id("watch")).to_have_attribute("data-via", "webrtc")
    await expect(page.get_by_test_id("live-hls")).to_have_count(0)
    await well(page, axe, "a guest inside")


async def test_a_viewer_called_on_stage_is_seen_and_heard_and_gives_everything_back(
    server: OwnServer, window: Window, shoot: Shoot
) -> None:
    demo = await demo_of(server)
    studio, room, guest, other = [await window() for _ in range(4)]
    for page in (studio, guest, other):
        await page.add_init_script(f"({REMEMBER})()")
    await begin(server, demo, studio, room)
    watch_url, _ = await make_links(studio)
    await studio.get_by_test_id("make-guest-link").click()
    lobby_url = await studio.get_by_test_id("guest-url").input_value()
    await studio.get_by_test_id("tools-close").click()
    await guest.goto(watch_url)
    await moves(guest)
    await through_the_lobby(other, lobby_url, studio, shoot)
    await guest.get_by_test_id("question-text").fill("我可以说说我的看法吗？")
    await guest.get_by_test_id("question-name").fill("李老师 云岭小学")
    await guest.get_by_test_id("ask").click()

    await studio.get_by_test_id("invite").click()
    await expect(guest.get_by_test_id("invitation")).to_be_visible()
    assert await guest.evaluate("asked") == 0, "nothing is asked for before the touch"
    await guest.get_by_test_id("come-up").click()
    await expect(guest.get_by_test_id("watch")).to_have_attribute("data-staged", "on")

    tile = studio.locator('[data-testid^="tile-"]', has_text="李老师")
    await expect(tile).to_have_attribute("data-state", "here")
    seat = await tile.get_attribute("data-testid")
    await studio.wait_for_function(MOVES, arg=f'[data-testid="{seat}"] video')
    await in_both_languages(studio, shoot, "studio-guest")
    await tile.locator('[data-testid^="call-"]').click()
    await expect(guest.get_by_test_id("heard")).to_be_visible()
    await expect(other.get_by_test_id("speaking")).to_contain_text("李老师")
    await hears(other, 2)
    await hears(studio, 1)
    await in_both_languages(guest, shoot, "watch-on-stage")
    await in_both_languages(other, shoot, "watch-guest-speaks")
    await in_both_languages(studio, shoot, "studio-guest-speaks")

    await guest.get_by_test_id("leave-stage").click()
    await expect(guest.get_by_test_id("watch")).to_have_attribute("data-staged", "no")
    await expect(tile).to_have_count(0)
    await expect(other.get_by_test_id("speaking")).to_have_count(0)
    assert await guest.evaluate("held.every(track => track.readyState == 'ended')"), (
        "camera and voice are free"
    )
    await moves(guest)
