"""The sample lesson's pages as a person uses them: the first screen and its four frames."""

from __future__ import annotations

import re
from dataclasses import dataclass

import aiohttp
import msgspec
from playwright.async_api import Frame, Locator, Page, expect

from server.drill.own_server import OwnServer
from server.protocol.resources import Demo

ROOMS = ("luoping", "shahe", "yefan")


@dataclass(frozen=True, slots=True)
class Sample:
    """The first screen with the sample lesson open."""

    page: Page

    @property
    def studio(self) -> Frame:
        return self._frame("studio")

    def room(self, room: str) -> Locator:
        """The room page's root, whose data attributes tell its state."""
        return self._frame(room).get_by_test_id("room")

    def _frame(self, name: str) -> Frame:
        frame = self.page.frame(name=name)
        assert frame is not None, f"no frame {name}"
        return frame

    async def start(self) -> None:
        await self.studio.get_by_test_id("start").click()
        await expect(self.studio.get_by_test_id("lesson")).to_be_visible()

    async def all_see(self) -> None:
        """Every room's stage moves and its sound is there."""
        for room in ROOMS:
            await sees(self.room(room))

    async def step_is_done(self, step: str) -> None:
        await expect(self.page.get_by_test_id(f"step-{step}")).to_have_attribute("data-done", "true")

    async def tile_is(self, room: str, state: str) -> None:
        tile = self.studio.get_by_test_id(f"tile-{room}")
        await expect(tile).to_have_attribute("data-state", state)

    async def toggle_plug(self, room: str) -> None:
        await self.page.get_by_test_id(f"unplug-{room}").click()


async def sees(room: Locator, timeout_ms: float | None = None) -> None:
    """The room's page shows moving pictures and hears the main room."""
    await expect(room).to_have_attribute("data-motion", "moving", timeout=timeout_ms)
    await expect(room).to_have_attribute("data-sound", "moving", timeout=timeout_ms)


async def open_sample(page: Page, url: str) -> Sample:
    """The first screen's one button; the studio's check is ready when this returns."""
    await page.goto(url)
    await page.get_by_test_id("hold").click()
    await expect(page.get_by_test_id("sample")).to_be_visible()
    sample = Sample(page)
    for name in ("studio", *ROOMS):
        await expect(page.locator(f"iframe[name={name}]")).to_be_attached()
    await expect(page.frame_locator("iframe[name=studio]").get_by_test_id("start")).to_be_enabled()
    return sample


async def demo_of(server: OwnServer) -> Demo:
    """The sample county's tokens."""
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/api/v1/demo") as answer:
        return msgspec.json.decode(await answer.read(), type=Demo)


def seconds_in(text: str) -> float:
    """The first number of a figure such as "12.3 秒"."""
    found = re.search(r"\d+(?:\.\d+)?", text)
    assert found, f"no figure in {text!r}"
    return float(found.group())
