"""A lesson for many: its link, viewers, questions, the phone remote, a guest on stage, the wall."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from server.drill.own_server import SAMPLE_ROOMS, OwnServer, own_server
from server.protocol.resources import Demo
from tests.e2e.conftest import Shoot, Window
from tests.e2e.sample import demo_of, sees
from tests.e2e.speaking import in_both_languages

PHONE = {"width": 360, "height": 740}
MOVES = """chosen => [...document.querySelectorAll(chosen)]
  .some(video => video.videoWidth > 0 && video.currentTime > 0.3)"""


async def test_a_broadcast_is_opened_watched_asked_conducted_by_phone_and_ended(
    server: OwnServer, window: Window, shoot: Shoot
) -> None:
    demo = await demo_of(server)
    studio, room = await window(), await window()
    await begin(server, demo, studio, room)
    watch_url, remote_url = await make_links(studio)

    first, second, phone = await window(), await window(), await window()
    await phone.set_viewport_size(PHONE)
    await second.set_viewport_size(PHONE)
    for page in (first, second):
        await page.goto(watch_url)
        await page.reload()  # the fragment alone would not load it anew
        await moves(page)
    await phone.goto(remote_url)
    await expect(phone.get_by_test_id("remote")).to_have_attribute("data-face", "live")
    await expect(first.get_by_test_id("viewers")).to_contain_text("2")
    await expect(studio.get_by_test_id("watched")).to_contain_text("2")
    await expect(studio.get_by_test_id("remote-held")).to_contain_text("Linux")

    await second.get_by_test_id("question-text").fill("这句话为什么用过去时？")
    await second.get_by_test_id("question-name").fill("王老师 沙河小学")
    await second.get_by_test_id("ask").click()
    await expect(phone.get_by_test_id("question-1")).to_be_visible()
    await expect(first.get_by_test_id("shown-1")).to_have_count(0)
    microphone = studio.get_by_test_id("microphone")
    for closed in ("false", "true"):
        await phone.get_by_test_id("microphone").click()
        await expect(microphone).to_have_attribute("aria-pressed", closed)
    await in_both_languages(phone, shoot, "remote-360")
    await phone.get_by_test_id("approve").click()
    await expect(first.get_by_test_id("shown-1")).to_contain_text("过去时")

    wall = await open_wall(studio)
    await phone.get_by_test_id("call-luoping").click()
    await sees_called(room, wall)
    await in_both_languages(wall, shoot, "wall")
    await phone.get_by_test_id("call-luoping").click()

    await phone.get_by_test_id("invite").click()
    await expect(second.get_by_test_id("invitation")).to_be_visible()
    await in_both_languages(second, shoot, "watch-invited-360")
    await in_both_languages(first, shoot, "watch")
    await in_both_languages(studio, shoot, "studio-broadcast")

    await studio.get_by_test_id("end-link").click()
    for page in (first, second):
        await expect(page.get_by_test_id("watch")).to_have_attribute("data-face", "over")
    await expect(studio.get_by_test_id("watched")).not_to_contain_text("公开课")
    await phone.get_by_test_id("end").click()
    await phone.get_by_test_id("end-confirm").click()
    await expect(studio.get_by_test_id("replay-after")).to_be_visible()


async def begin(server: OwnServer, demo: Demo, studio: Page, room: Page) -> None:
    """A live sample lesson with one receiving room."""
    await room.goto(f"{server.url}/room#token={demo.rooms[0].token}&sample=1&volume=0.1")
    await studio.goto(f"{server.url}/studio#token={demo.studio.token}&sample=1&volume=0.1")
    await expect(studio.get_by_test_id("start")).to_be_enabled()
    await studio.get_by_test_id("start").click()
    await sees(room.get_by_test_id("room"))


async def make_links(studio: Page) -> tuple[str, str]:
    """The broadcast's and the phone remote's addresses, made in the studio."""
    await studio.get_by_test_id("tools-open").click()
    await studio.get_by_test_id("make-link").click()
    await studio.get_by_test_id("make-remote").click()
    remote = await studio.get_by_test_id("remote-url").get_attribute("href")
    watch = await studio.get_by_test_id("watch-url").input_value()
    assert remote is not None
    await expect(studio.get_by_test_id("make-remote")).to_be_enabled()
    return watch, remote


async def moves(page: Page) -> None:
    """The viewer's picture has frames, and no camera was asked for."""
    await expect(page.get_by_test_id("watch")).to_have_attribute("data-connected", "true")
    await page.wait_for_function(MOVES, arg="video")


async def open_wall(studio: Page) -> Page:
    async with studio.expect_popup() as opened:
        await studio.get_by_test_id("open-wall").click()
    wall = await opened.value
    await expect(wall.get_by_test_id("wall-luoping")).to_be_visible()
    return wall


async def sees_called(room: Page, wall: Page) -> None:
    """The called room knows that it is heard, and is big on the wall, in motion."""
    await expect(room.get_by_test_id("room")).to_have_attribute("data-heard", "true")
    called: Locator = wall.get_by_test_id("wall-luoping")
    await expect(called).to_have_attribute("data-called", "true")
    await wall.wait_for_function(MOVES, arg="[data-testid=wall-luoping] video")


async def test_who_finds_no_place_watches_some_seconds_behind_and_climbs_when_one_is_free(
    window: Window, shoot: Shoot
) -> None:
    async with own_server(SAMPLE_ROOMS, extra="[broadcast]\nwebrtc_viewers = 1") as server:
        demo = await demo_of(server)
        studio, room, first, second = [await window() for _ in range(4)]
        await begin(server, demo, studio, room)
        watch_url, _ = await make_links(studio)
        await first.goto(watch_url)
        await moves(first)
        await second.goto(watch_url)
        place = second.get_by_test_id("watch")
        await expect(place).to_have_attribute("data-via", "hls")
        player = second.get_by_test_id("live-hls")
        await expect(player).to_have_attribute("data-playing", "true")
        await expect(studio.get_by_test_id("watched")).to_contain_text("2")
        await shoot(second, "watch-late-zh")
        await first.close()
        await expect(place).to_have_attribute("data-via", "webrtc")
        await moves(second)
        await expect(player).to_have_count(0)
