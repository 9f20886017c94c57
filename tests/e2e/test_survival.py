"""What dies comes back by itself: a media worker, campus, the studio's page."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from itertools import pairwise

import aiohttp
import msgspec
import pytest
from playwright.async_api import Locator, Page, expect

from server.drill.own_server import OwnServer
from server.protocol.resources import Demo
from tests.e2e.conftest import Window
from tests.e2e.pictures import Shown, observe, picture_time_ms, shown
from tests.e2e.sample import sees

ROOM_BACK_S = 5.0
STUDIO_BACK_S = 3.0
FREEZE_S = 0.5
STAYS_AWAY_S = 20.0


class Lesson:
    """A studio's and a room's page of their own, with the sample's devices, on air."""

    def __init__(self, studio: Page, room: Page) -> None:
        self.studio, self.room_page = studio, room

    @property
    def room(self) -> Locator:
        return self.room_page.get_by_test_id("room")

    @property
    def picture(self) -> Locator:
        return self.room_page.get_by_test_id("picture-stage")

    async def seen_of_after(self, moment_ms: float, within_s: float) -> float:
        """Wait for a picture that was drawn after the moment; seconds from the moment to its showing."""
        async with asyncio.timeout(within_s + 30):
            while True:
                await observe(self.picture)
                for one in await shown(self.picture):
                    if picture_time_ms(one.number, one.at_ms) > moment_ms:
                        return (one.at_ms - moment_ms) / 1000
                await asyncio.sleep(0.05)


@pytest.fixture
async def lesson(server: OwnServer, window: Window) -> Lesson:
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/api/v1/demo") as answer:
        demo = msgspec.json.decode(await answer.read(), type=Demo)
    studio, room = await window(), await window()
    await room.goto(f"{server.url}/room#token={demo.rooms[0].token}&sample=1&volume=0.1")
    await studio.goto(f"{server.url}/studio#token={demo.studio.token}&sample=1&volume=0")
    await studio.get_by_test_id("start").click()
    found = Lesson(studio, room)
    await sees(found.room)
    await found.seen_of_after(0, 10)
    return found


async def test_a_killed_worker_is_replaced_and_its_room_sees_again(server: OwnServer, lesson: Lesson) -> None:
    moment = kill(server, "w0")
    back = await lesson.seen_of_after(moment, ROOM_BACK_S)
    print(f"\nroom back {back:.2f} s after its worker was killed")
    assert back < ROOM_BACK_S
    await sees(lesson.room)
    await expect(lesson.room).to_have_attribute("data-trouble", "")


async def test_a_lesson_goes_on_while_campus_restarts_and_an_end_pressed_meanwhile_is_kept(
    server: OwnServer, lesson: Lesson
) -> None:
    await shown(lesson.picture)
    moment = kill(server, "campus")
    await expect(lesson.room).not_to_have_attribute("data-link", "on", timeout=8_000)
    gone = time.time() * 1000
    await expect(lesson.room).to_have_attribute("data-link", "on", timeout=STAYS_AWAY_S * 1000)
    back = time.time() * 1000
    await expect(lesson.studio.get_by_test_id("live")).to_be_visible()
    through = await shown(lesson.picture)
    print(f"\ncampus away {(back - moment) / 1000:.2f} s, longest stand {longest_stand_s(through):.2f} s")
    taken_and_seen = [
        one for one in through if gone < picture_time_ms(one.number, one.at_ms) and one.at_ms < back
    ]
    assert taken_and_seen, "pictures taken while campus was away were seen while it was away"
    assert longest_stand_s(through) < FREEZE_S, "the picture stood while campus was away"

    kill(server, "campus")
    line = lesson.studio.get_by_test_id("line")
    await expect(line).not_to_have_attribute("data-state", "on", timeout=8_000)
    await lesson.studio.get_by_test_id("end").click()
    await lesson.studio.get_by_test_id("end-confirm").click()
    await expect(lesson.studio.get_by_test_id("replay-after")).to_be_visible(
        timeout=(STAYS_AWAY_S + 20) * 1000
    )


async def test_a_reloaded_studio_is_live_again_without_a_second_start(lesson: Lesson) -> None:
    await lesson.studio.reload(wait_until="commit")
    old_page_gone = time.time() * 1000
    opened = float(await lesson.studio.evaluate("() => performance.timeOrigin"))
    back = (old_page_gone - opened) / 1000 + await lesson.seen_of_after(old_page_gone, STUDIO_BACK_S)
    print(f"\nroom sees the studio {back:.2f} s after its page was opened again")
    await expect(lesson.studio.get_by_test_id("lesson")).to_be_visible()
    assert back < STUDIO_BACK_S
    await sees(lesson.room)


def kill(server: OwnServer, program: str) -> float:
    """kill -9; the moment, in ms since 1970."""
    os.kill(server.child(program), signal.SIGKILL)
    return time.time() * 1000


def longest_stand_s(pictures: list[Shown]) -> float:
    return max((after.at_ms - before.at_ms for before, after in pairwise(pictures)), default=0.0) / 1000
