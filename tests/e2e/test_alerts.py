"""The teacher shows slides in another window: hands and lost rooms float over them and are answered there."""

from __future__ import annotations

from playwright.async_api import Page

from server.drill.own_server import OwnServer
from tests.e2e.conftest import ARTIFACTS, Window
from tests.e2e.sample import demo_of
from tests.e2e.test_broadcast import begin

SAYS = """([room, words]) => documentPictureInPicture.window?.document
  .querySelector(`[data-testid="seat-${room}"]`)?.innerText.includes(words) ?? false"""
GONE = 'room => !documentPictureInPicture.window?.document.querySelector(`[data-testid="seat-${room}"]`)'
TOUCH = 'test => documentPictureInPicture.window.document.querySelector(`[data-testid="${test}"]`).click()'


async def floats(studio: Page, room: str, words: str) -> None:
    await studio.wait_for_function(SAYS, arg=[room, words])


async def test_hands_and_lost_rooms_float_over_the_slides_and_are_answered_there(
    server: OwnServer, window: Window
) -> None:
    demo = await demo_of(server)
    studio, room = await window(), await window()
    await begin(server, demo, studio, room)
    await studio.get_by_test_id("float-alerts").click()
    await studio.wait_for_function("() => documentPictureInPicture.window !== null")
    await room.keyboard.press("h")
    await floats(studio, "luoping", "罗平")
    for opened in studio.context.pages:
        if opened is not studio:
            ARTIFACTS.mkdir(exist_ok=True)
            await opened.screenshot(path=ARTIFACTS / "alerts-float.png")
    await studio.evaluate(TOUCH, "call-luoping")
    await floats(studio, "luoping", "正在发言")
    await studio.evaluate(TOUCH, "call-luoping")
    await studio.wait_for_function(GONE, arg="luoping")
    await room.close()
    await floats(studio, "luoping", "已离开")
    await studio.get_by_test_id("float-alerts").click()
    await studio.wait_for_function("() => documentPictureInPicture.window === null")
