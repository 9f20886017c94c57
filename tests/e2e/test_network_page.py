"""The network self-test on an open line: every road with its figures, in words, on screens and on phones."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from server.drill.own_server import OwnServer
from tests.e2e.conftest import STUDIO_SIZE, Shoot, Window
from tests.e2e.sample import demo_of
from tests.e2e.speaking import in_both_languages

PHONE = {"width": 360, "height": 740}
WITHIN_MS = 60_000


async def fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_every_road_is_told_with_what_it_carries_down_and_up(
    server: OwnServer, window: Window, shoot: Shoot
) -> None:
    demo = await demo_of(server)
    page = await window()
    await page.goto(f"{server.url}/network#token={demo.rooms[0].token}")
    await in_both_languages(page, shoot, "network-before")
    await page.get_by_test_id("test").click()
    await expect(page.get_by_test_id("network")).to_have_attribute("data-state", "done", timeout=WITHIN_MS)
    for road, state in (("https", "works"), ("udp", "works"), ("tcp", "works"), ("turn", "absent")):
        row = page.get_by_test_id(f"road-{road}")
        await expect(row).to_have_attribute("data-state", state)
        if state == "works":
            told = await row.inner_text()
            assert re.search(r"下行 \D*[\d.]+\D*Mbit/s", told), told
            assert re.search(r"上行 \D*[\d.]+\D*Mbit/s", told), told
    await expect(page.get_by_test_id("verdict")).to_contain_text("可以上课")
    for name, size in (("network", STUDIO_SIZE), ("network-360", PHONE)):
        await page.set_viewport_size(size)
        await in_both_languages(page, shoot, name)
        await fits(page)
