"""The first lesson of somebody who has never seen Lianke, on a machine without a camera."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Locator, Page, expect

from server.drill.own_server import OwnServer
from tests.e2e.conftest import Shoot, Window
from tests.e2e.replaying import plays
from tests.e2e.sample import ROOMS, Sample, open_sample, seconds_in, sees

CUT_S = 3.0  # a deliberate length, not a wait for something to happen


async def test_a_whole_sample_lesson_from_the_first_screen_to_the_replay(
    server: OwnServer, window: Window, shoot: Shoot
) -> None:
    page = await window()
    await page.goto(server.url)
    await in_both_languages(page, shoot, "first")
    sample = await open_sample(page, server.url)
    await in_both_languages(page, shoot, "check")

    await sample.start()
    await sample.all_see()
    await sample.step_is_done("start")
    joined = await page.get_by_test_id("figures-start").inner_text()
    assert seconds_in(joined) > 0, joined
    await every_room_reads_numbers(sample)
    await page.frame_locator("iframe[name=studio]").get_by_test_id("courseware").click()
    await expect(courseware_in(sample, "shahe")).to_be_visible()
    await in_both_languages(page, shoot, "lesson")

    await unplug_a_room_and_see_it_return(sample, shoot)
    await unplug_the_camera(sample)
    await call_on_the_room_that_asks(sample, shoot)

    replay_url = await end(sample)
    await in_both_languages(page, shoot, "ended")
    await watch_the_replay(page, replay_url, shoot)


async def in_both_languages(page: Page, shoot: Shoot, name: str) -> None:
    """Pictures of the page in Chinese and in English; Chinese afterwards."""
    switch = page.get_by_test_id("language").first
    await shoot(page, f"{name}-zh")
    await switch.click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await shoot(page, f"{name}-en")
    await switch.click()
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


async def every_room_reads_numbers(sample: Sample) -> None:
    """A room's delay is known only from the numbers in the pictures it shows."""
    for room in ROOMS:
        await expect(sample.page.get_by_test_id(f"delay-{room}")).to_be_visible()


def courseware_in(sample: Sample, room: str) -> Locator:
    return sample.room(room).get_by_test_id("picture-screen")


async def unplug_a_room_and_see_it_return(sample: Sample, shoot: Shoot) -> None:
    await sample.toggle_plug("yefan")
    await sample.tile_is("yefan", "away")
    await shoot(sample.page, "unplugged-zh")
    await sample.toggle_plug("yefan")
    await sees(sample.room("yefan"))
    await sample.tile_is("yefan", "here")
    await sample.step_is_done("unplug")
    for room in ("luoping", "shahe"):
        await expect(sample.room(room)).to_have_attribute("data-trouble", "")


async def unplug_the_camera(sample: Sample) -> None:
    """The main room's line is cut: the rooms say so, and it comes back by itself."""
    plug = sample.page.get_by_test_id("unplug-camera")
    await plug.click()
    await expect(sample.room("shahe")).not_to_have_attribute("data-motion", "moving")
    await asyncio.sleep(CUT_S)
    await plug.click()
    await sample.all_see()


async def call_on_the_room_that_asks(sample: Sample, shoot: Shoot) -> None:
    await sample.page.get_by_test_id("raise-luoping").click()
    await expect(sample.studio.get_by_test_id("hand-luoping")).to_be_visible()
    await sample.studio.get_by_test_id("call-luoping").click()
    await expect(sample.room("luoping")).to_have_attribute("data-heard", "true")
    await expect(sample.studio.get_by_test_id("tile-luoping")).to_have_attribute("data-called", "true")
    await sample.step_is_done("call")
    await sees(sample.room("shahe"))
    await shoot(sample.page, "called-zh")
    await sample.studio.get_by_test_id("call-luoping").click()
    await expect(sample.room("luoping")).to_have_attribute("data-heard", "false")


async def end(sample: Sample) -> str:
    """End and confirm; the replay's address."""
    await sample.studio.get_by_test_id("end").click()
    await sample.studio.get_by_test_id("end-confirm").click()
    link = sample.page.get_by_test_id("walk-replay")
    await expect(link).to_be_visible()
    await expect(sample.studio.get_by_test_id("replay-after")).to_be_visible()
    address = await link.get_attribute("href")
    assert address
    return address


async def watch_the_replay(page: Page, url: str, shoot: Shoot) -> None:
    await page.get_by_test_id("walk-replay").click()
    await page.wait_for_url(f"**{url.split('#')[0]}*")
    player = page.get_by_test_id("player")
    await plays(page)
    await expect(player).to_have_attribute("data-at", re.compile(r"0\.[5-9]|[1-9]\d*\."))
    await expect(page.get_by_test_id("gap").first).to_be_visible()
    await expect(page.get_by_test_id("truth")).to_have_attribute("data-whole", "true", timeout=90_000)
    await expect(page.get_by_test_id("picture-camera")).to_be_visible()
    await page.keyboard.press("0")  # it may have come to its end before the verdict came
    await expect(player).to_have_attribute("data-at", re.compile(r"^[0-3]\."))
    await plays(page)
    await page.keyboard.press("5")
    await expect(page.get_by_test_id("picture-screen")).to_be_visible()
    await expect(player).to_have_attribute("data-playing", "true")
    await in_both_languages(page, shoot, "replay")
