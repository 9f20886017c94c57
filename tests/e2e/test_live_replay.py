"""A live lesson is watched out of its growing recording: a little behind, back on the bar, past the bell."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import msgspec
import pytest
from playwright.async_api import Locator, Page, expect

from server.drill.own_server import OwnServer
from server.protocol.resources import Demo
from tests.e2e.conftest import Shoot, Window
from tests.e2e.pictures import Shown, observe, picture_time_ms, shown

DELAY_S = 6.0
# ten seconds back are only there once they were taught
OLD_ENOUGH = "() => Number(document.querySelector('[data-testid=live-hls]').dataset.at) > 12"


@pytest.fixture
async def lesson(server: OwnServer, window: Window) -> tuple[str, Page]:
    """A studio on the air with the sample's devices, and its lesson's id."""
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/api/v1/demo") as answer:
        demo = msgspec.json.decode(await answer.read(), type=Demo)
    studio = await window()
    await studio.goto(f"{server.url}/studio#token={demo.studio.token}&sample=1&volume=0")
    await studio.get_by_test_id("start").click()
    await expect(studio.get_by_test_id("end")).to_be_visible()
    await studio.get_by_test_id("courseware").click()
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/api/v1/lessons") as answer:
        lessons = await answer.json()
    return lessons[0]["lesson"], studio


def delays_s(pictures: list[Shown]) -> list[float]:
    """From the drawing of each picture to its showing."""
    return sorted((one.at_ms - picture_time_ms(one.number, one.at_ms)) / 1000 for one in pictures)


async def watched(picture: Locator, count: int) -> list[Shown]:
    """The next so many pictures."""
    await observe(picture)
    await shown(picture)
    began, seen = time.monotonic(), list[Shown]()
    async with asyncio.timeout(60):
        while len(seen) < count:
            await asyncio.sleep(0.2)
            seen += await shown(picture)
    print(f"{len(seen)} pictures in {time.monotonic() - began:.1f} s")
    return seen


async def behind(picture: Locator, player: Locator) -> None:
    """Until the player has caught up, which one without parts never does, and tells the true delay."""
    async with asyncio.timeout(90):
        while True:
            delays = delays_s(await watched(picture, 60))
            median = delays[len(delays) // 2]
            print(
                f"\nbehind the lesson: median {median:.2f} s, most {delays[-1]:.2f} s, {len(delays)} pictures"
            )
            told = float(await player.get_attribute("data-delay") or "nan")
            if median < DELAY_S and abs(told - median) < 1.0:
                return


async def test_a_lesson_is_watched_some_seconds_behind_and_back_and_on_past_the_bell(
    server: OwnServer, lesson: tuple[str, Page], window: Window, shoot: Shoot
) -> None:
    name, studio = lesson
    page = await window()
    await page.goto(f"{server.url}/replay/{name}")
    player, picture = (
        page.get_by_test_id("live-hls"),
        page.get_by_test_id("live-picture-camera").locator("video"),
    )
    await expect(player).to_have_attribute("data-playing", "true")
    await expect(player).to_have_attribute("data-live", "true")
    await behind(picture, player)
    await shoot(page, "live-replay")

    await page.wait_for_function(OLD_ENOUGH)
    await page.get_by_test_id("live-back").click()
    await expect(player).to_have_attribute("data-live", "false")
    await expect(player).to_have_attribute("data-playing", "true")
    assert delays_s(await watched(picture, 20))[0] > DELAY_S + 4
    screen = page.get_by_test_id("live-picture-screen").locator("video")
    assert delays_s(await watched(screen, 5))[0] > DELAY_S + 4, "far from its next keyframe, too"
    await shoot(page, "live-replay-back")
    await page.get_by_test_id("live-now").click()
    await expect(player).to_have_attribute("data-live", "true")
    await watched(picture, 40)
    assert delays_s(await watched(picture, 20))[0] < DELAY_S + 1

    await studio.get_by_test_id("end").click()
    await studio.get_by_test_id("end-confirm").click()
    await expect(page.get_by_test_id("player")).to_be_visible()
