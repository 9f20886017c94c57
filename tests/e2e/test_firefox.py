"""Debian's Firefox, which decodes no H.264: a whole lesson in VP8, and a room beside a Chromium studio."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest
from playwright.async_api import expect

from server.drill.own_server import OwnServer, own_server
from server.protocol.resources import Demo
from tests.e2e.conftest import ARTIFACTS, Window
from tests.e2e.firefox import Firefox, FirefoxPage, firefox, installed

ROOMS = ("luoping", "shahe", "yefan")
pytestmark = pytest.mark.skipif(installed() is None, reason="no Firefox: apt-get install firefox-esr")


@pytest.fixture
async def server() -> AsyncIterator[OwnServer]:
    """Media on every address: Firefox never connects to 127.0.0.1."""
    async with own_server(media_listen="0.0.0.0") as own:
        yield own
        print(own.log.read_text())  # pytest shows it where the test failed


@pytest.fixture
async def fox() -> AsyncIterator[Firefox]:
    async with firefox() as found:
        yield found
        print("\n".join(found.log))


async def test_the_sample_lesson_is_held_heard_called_and_ended_in_firefox(
    server: OwnServer, fox: Firefox
) -> None:
    page = await fox.open(server.url)
    await page.click("hold")
    await page.until("document.querySelector('iframe[name=studio]') !== null")
    studio = await page.frame("studio")
    rooms = {room: await page.frame(room) for room in ROOMS}
    await studio.click("start")
    for room in rooms.values():
        await sees(room)
    for name in ROOMS:
        await studio.becomes(f"tile-{name}", "data-state", "here")
    await studio.click("courseware")
    await rooms["shahe"].becomes("stage", "data-arrangement", "both")
    await page.click("raise-luoping")
    await studio.click("call-luoping")
    await rooms["luoping"].becomes("room", "data-heard", "true")
    await studio.becomes("tile-luoping", "data-called", "true")
    await sees(rooms["yefan"])
    ARTIFACTS.mkdir(exist_ok=True)
    await page.screenshot(ARTIFACTS / "firefox-lesson.png")
    await studio.click("call-luoping")
    await studio.click("end")
    await studio.click("end-confirm")
    await studio.until("document.querySelector('[data-testid=lesson]') === null")
    assert fox.errors == []


async def test_a_firefox_room_hears_a_chromium_studio_and_both_say_why_it_sees_nothing(
    server: OwnServer, window: Window, fox: Firefox
) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/api/v1/demo") as answer:
        demo = msgspec.json.decode(await answer.read(), type=Demo)
    chromium = await window()
    await chromium.goto(f"{server.url}/studio#token={demo.studio.token}&sample=1&volume=0")
    room = await fox.open(f"{server.url}/room#token={demo.rooms[0].token}&sample=1&volume=0.5")
    await chromium.get_by_test_id("start").click()
    await room.becomes("room", "data-sound", "moving")
    await room.becomes("trouble", "data-trouble", "codec")
    assert "H.264" in await room.evaluate("document.querySelector('[data-testid=trouble]').innerText")
    ARTIFACTS.mkdir(exist_ok=True)
    await room.screenshot(ARTIFACTS / "firefox-room-zh.png")
    tile = chromium.get_by_test_id(f"tile-{demo.rooms[0].room}")
    await expect(tile).to_have_attribute("data-state", "no_picture")
    await expect(tile).to_contain_text("浏览器")
    video = await tile.locator("video").element_handle()
    moved = "video => video.videoWidth > 0 && video.currentTime > 0"  # the room's VP8 is seen in Chromium
    await chromium.wait_for_function(moved, arg=video)


async def sees(room: FirefoxPage) -> None:
    await room.becomes("room", "data-motion", "moving")
    await room.becomes("room", "data-sound", "moving")
