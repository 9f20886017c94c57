"""Every page by axe-core's rules in both languages, and a lesson from Start to End by keyboard alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
from playwright.async_api import Page, expect

from server.drill.own_server import OwnServer
from tests.e2e.conftest import Window
from tests.e2e.sample import demo_of, sees
from tests.e2e.speaking import speak
from tests.e2e.test_broadcast import begin, make_links, moves, open_wall

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
FAULTS = """() => axe.run(document, {resultTypes: ['violations']}).then(found => found.violations
  .filter(rule => rule.impact === 'serious' || rule.impact === 'critical')
  .map(rule => `${rule.id}: ${rule.nodes.map(node => node.target.join(' ')).join(', ')}`))"""
FOCUSED = "() => document.activeElement?.dataset.testid ?? ''"
MOST_TABS = 40
PASSWORD = "correct horse battery"


async def test_no_page_has_a_serious_fault_and_a_lesson_goes_by_keyboard(
    server: OwnServer, window: Window
) -> None:
    demo = await demo_of(server)
    axe = await asyncio.to_thread(AXE.read_text)
    studio, room = await window(), await window()
    await studio.goto(server.url)
    await expect(studio.get_by_test_id("hold")).to_be_visible()
    await well(studio, axe, "first screen")
    await room.goto(f"{server.url}/room#token={demo.rooms[0].token}&sample=1&volume=0.1")
    await studio.goto(f"{server.url}/studio#token={demo.studio.token}&sample=1&volume=0")
    await expect(studio.get_by_test_id("start")).to_be_enabled()
    await well(studio, axe, "check")
    await well(room, axe, "waiting room")

    await press(studio, "start")
    await sees(room.get_by_test_id("room"))
    await press(studio, "call-luoping")
    await expect(room.get_by_test_id("room")).to_have_attribute("data-heard", "true")
    await well(studio, axe, "lesson")
    await well(room, axe, "room")
    await press(studio, "end")
    await press(studio, "end-confirm")
    await expect(studio.get_by_test_id("replay-after")).to_be_visible()
    await well(studio, axe, "ended")
    lesson = await replay_of(server)
    await studio.goto(f"{server.url}/replay/{lesson}")
    await expect(studio.get_by_test_id("player")).to_be_visible()
    await well(studio, axe, "replay")
    await desk(studio, server, axe)


async def test_no_page_beside_the_lesson_has_a_serious_fault(server: OwnServer, window: Window) -> None:
    demo, axe = await demo_of(server), await asyncio.to_thread(AXE.read_text)
    studio, room = await window(), await window()
    await begin(server, demo, studio, room)
    watch_url, remote_url = await make_links(studio)
    await well(studio, axe, "studio with its links")
    viewer, phone = await window(), await window()
    await viewer.goto(watch_url)
    await moves(viewer)
    await viewer.get_by_test_id("question-text").fill("为什么?")
    await viewer.get_by_test_id("ask").click()
    await phone.goto(remote_url)
    await expect(phone.get_by_test_id("question-1")).to_be_visible()
    await well(phone, axe, "phone remote")
    await phone.get_by_test_id("approve").click()
    await expect(viewer.get_by_test_id("shown-1")).to_be_visible()
    await phone.get_by_test_id("invite").click()
    await expect(viewer.get_by_test_id("invitation")).to_be_visible()
    await well(viewer, axe, "broadcast")
    wall = await open_wall(studio)
    await well(wall, axe, "wall")
    await viewer.goto(f"{server.url}/watch/nothing")
    await viewer.reload()
    await well(viewer, axe, "broadcast without a link")


async def desk(page: Page, server: OwnServer, axe: str) -> None:
    """The admin's first log-in, and the lessons."""
    await page.goto(f"{server.url}/login")
    await expect(page.locator("input[type=password]").first).to_be_visible()
    await well(page, axe, "log-in")
    for box in await page.locator("input[type=password]").all():
        await box.fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/lessons")
    await expect(page.get_by_test_id("lessons")).to_be_visible()
    await well(page, axe, "lessons")


async def well(page: Page, axe: str, name: str) -> None:
    """axe finds nothing serious, in Chinese and in English."""
    await page.evaluate(axe)
    for language in ("en", "zh"):
        await speak(page, language)
        assert await page.evaluate(FAULTS) == [], f"{name} in {language}"


async def press(page: Page, button: str) -> None:
    """Tab to the button, then Enter."""
    await expect(page.get_by_test_id(button)).to_be_enabled()
    for _ in range(MOST_TABS):
        if await page.evaluate(FOCUSED) == button:
            await page.keyboard.press("Enter")
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{button} cannot be reached by keyboard")


async def replay_of(server: OwnServer) -> str:
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/api/v1/lessons") as answer:
        lessons = await answer.json()
    return str(lessons[0]["lesson"])
