"""The library and the replay as a teacher and an admin use them; without the right nothing is found."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import aiohttp
import msgspec
import pytest
from playwright.async_api import Page, expect

from server.drill.own_server import SAMPLE_ROOMS, OwnServer, RoomName, own_server
from server.protocol.resources import Demo, Room
from tests.e2e.conftest import Shoot, Window
from tests.e2e.replaying import plays
from tests.e2e.test_accessibility import AXE, PASSWORD, replay_of, speak, well
from tests.fakes.films import make_film

T = TypeVar("T")
SECOND = RoomName("second", "二号录播室", "Recording room 2", main=True)
ELSEWHERE = {"X-Forwarded-For": "192.0.2.7"}
"""A browser that is not on the server itself: the demo gives it nothing."""
SIGNED_S = 6.0
FILM_S = 100.0
VTT = "WEBVTT\n\n00:00:00.000 --> 00:01:30.000\n你好，同学们\n"


@pytest.fixture
async def county(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OwnServer]:
    """Two main rooms, and signatures that end after some seconds."""
    monkeypatch.setenv("LIANKE_SECURITY_MEDIA_URL_MINUTES", str(SIGNED_S / 60))
    async with own_server((*SAMPLE_ROOMS, SECOND)) as own:
        yield own
        print(await asyncio.to_thread(own.log.read_text))


async def read(url: str, kind: type[T]) -> T:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return msgspec.json.decode(await answer.read(), type=kind)


async def log_in_elsewhere(page: Page, url: str) -> None:
    """The first log-in is made on the server, the work from another machine."""
    await page.goto(f"{url}/login?next=/library")
    await expect(page.get_by_test_id("enter")).to_be_enabled()
    for box in await page.locator("input[type=password]").all():
        await box.fill(PASSWORD)
    await page.get_by_test_id("enter").click()
    await page.wait_for_url(re.compile(r"^[^?]*/library$"))
    await page.context.set_extra_http_headers(ELSEWHERE)


async def hold_lesson(page: Page, url: str, token: str) -> None:
    await page.goto(f"{url}/studio#token={token}&sample=1&volume=0")
    await page.get_by_test_id("start").click()
    await expect(page.get_by_test_id("lesson")).to_be_visible()
    await page.get_by_test_id("courseware").click()
    await asyncio.sleep(5)  # a deliberate length
    await page.get_by_test_id("end").click()
    await page.get_by_test_id("end-confirm").click()
    await expect(page.get_by_test_id("replay-after")).to_be_visible()


async def moved_on(page: Page, beyond_s: float) -> None:
    """The player's clock passes this moment."""
    await page.wait_for_function(
        "at => Number(document.querySelector('[data-testid=player]').dataset.at) > at", arg=beyond_s
    )


async def test_a_teacher_holds_a_lesson_an_admin_finds_it_and_another_teacher_does_not(
    county: OwnServer, window: Window, shoot: Shoot
) -> None:
    demo = await read(f"{county.url}/api/v1/demo", Demo)
    codes = {room.room: room.code for room in await read(f"{county.url}/api/v1/rooms", list[Room])}
    teacher, admin, other = await window(), await window(), await window()
    await hold_lesson(teacher, county.url, demo.studio.token)
    lesson = await replay_of(county)

    await teacher.context.set_extra_http_headers(ELSEWHERE)
    await teacher.goto(f"{county.url}/replay/{lesson}")
    await plays(teacher)

    await log_in_elsewhere(admin, county.url)
    await expect(admin.get_by_test_id(f"card-{lesson}")).to_be_visible()
    await admin.get_by_test_id(f"edit-{lesson}").click()
    for field, words in (
        ("title", "我的家乡"),
        ("subject", "英语"),
        ("grade", "三年级"),
        ("teacher", "王老师"),
    ):
        await admin.get_by_test_id(f"field-{field}").fill(words)
    await admin.get_by_test_id("save-words").click()
    await expect(admin.get_by_test_id("facet-subject")).to_contain_text("英语")
    await admin.get_by_test_id("search").fill("家乡")
    await expect(admin.get_by_test_id("library")).to_have_attribute("data-total", "1")
    await admin.get_by_test_id("search").fill("wdjx")
    await expect(admin).to_have_url(re.compile("q=wdjx"))
    await expect(admin.get_by_test_id(f"card-{lesson}")).to_contain_text("我的家乡")
    await admin.get_by_test_id("search").fill("火星")
    await expect(admin.get_by_test_id("nothing")).to_be_visible()
    await admin.get_by_test_id("search").fill("王老")
    await admin.get_by_test_id(f"card-{lesson}").get_by_role("link").first.click()
    await plays(admin)
    await expect(admin.get_by_test_id("title")).to_have_text("我的家乡")

    await other.context.set_extra_http_headers(ELSEWHERE)
    await other.goto(f"{county.url}/studio")
    token = await other.evaluate(
        "async code => (await (await fetch('/api/v1/room-code', {method: 'POST',"
        " body: JSON.stringify({code}), headers: {'content-type': 'application/json'}})).json()).token",
        codes["second"],
    )
    await other.evaluate("token => localStorage.setItem('lianke.token.studio', token)", token)
    async with other.expect_response(re.compile(r"/replay$")) as asked:
        await other.goto(f"{county.url}/replay/{lesson}")
    assert (await asked.value).status == 404
    await expect(other.get_by_test_id("notice-failed")).to_be_visible()
    await other.goto(f"{county.url}/library")
    await expect(other.get_by_test_id("library")).to_have_attribute("data-total", "0")
    await in_both(admin, shoot, "replay-extras")


async def test_an_uploaded_film_is_watched_on_after_its_signatures_ended_trimmed_and_captioned(
    county: OwnServer, window: Window, shoot: Shoot, tmp_path: Path
) -> None:
    film = await asyncio.to_thread(lambda: make_film(tmp_path / "老录像.mp4", seconds=FILM_S))
    wrong = tmp_path / "notes.mp4"
    await asyncio.to_thread(wrong.write_text, "no film" * 200)
    page, stranger = await window(), await window()
    await log_in_elsewhere(page, county.url)
    await page.get_by_test_id("upload").click()
    await page.get_by_test_id("upload-file").set_input_files(wrong)
    await page.get_by_test_id("upload-start").click()
    await expect(page.get_by_test_id("upload-state")).to_have_attribute("data-state", "refused")
    await page.reload()
    await page.get_by_test_id("upload").click()
    await page.get_by_test_id("upload-file").set_input_files(film)
    await page.get_by_test_id("upload-start").click()
    await expect(page.get_by_test_id("upload-state")).to_have_attribute("data-state", "done", timeout=60_000)
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url) if "/media/" in request.url else None)
    await page.get_by_test_id("upload-state").get_by_role("link").click()
    await plays(page)
    await moved_on(page, 1.0)

    await page.get_by_test_id("play").click()
    await page.context.set_offline(True)
    await asyncio.sleep(SIGNED_S + 1)  # longer than a signature lives, as a machine that slept
    await page.context.set_offline(False)
    old = next(url for url in urls if url.endswith("camera.mp4"))
    async with aiohttp.ClientSession() as http, http.get(old) as answer:
        assert answer.status == 404, "without the cookie"
    assert await page.evaluate("url => fetch(url).then(r => r.status)", old) == 404, "after its time"
    await page.keyboard.press("8")
    await page.get_by_test_id("play").click()
    await moved_on(page, 81.0)
    fresh = urls[-1]
    await stranger.goto(county.url)
    assert await stranger.evaluate("url => fetch(url).then(r => r.status)", fresh) == 404, "another session"

    await trim_and_caption(page)
    await in_both(page, shoot, "replay-film")
    axe = await asyncio.to_thread(AXE.read_text)
    await well(page, axe, "replay with trim")
    lesson = page.url.partition("/replay/")[2].partition("?")[0]
    await page.goto(f"{county.url}/receipt/{lesson}")
    await expect(page.get_by_test_id("receipt-page").get_by_role("img").first).to_be_visible()
    await well(page, axe, "receipt")
    await in_both(page, shoot, "receipt")
    await page.goto(f"{county.url}/library")
    await expect(page.get_by_test_id(f"card-{lesson}")).to_be_visible()
    await page.get_by_test_id(f"choose-{lesson}").click()
    await expect(page.get_by_test_id("bulk")).to_be_visible()
    await well(page, axe, "library")
    await in_both(page, shoot, "library")


async def trim_and_caption(page: Page) -> None:
    """A cut is played over, undone and done again; captions stand over the picture."""
    await page.keyboard.press("k")
    await page.get_by_test_id("trim-open").click()
    await page.keyboard.press("1")
    await page.get_by_test_id("trim-cut").click()
    await page.keyboard.press("8")
    await page.get_by_test_id("trim-cut").click()
    await expect(page.get_by_test_id("left-out")).to_have_count(1)
    await page.get_by_test_id("trim-undo").click()
    await expect(page.get_by_test_id("left-out")).to_have_count(0)
    await page.get_by_test_id("trim-redo").click()
    await expect(page.get_by_test_id("left-out")).to_have_count(1)
    await page.keyboard.press("1")
    await page.get_by_test_id("play").click()
    await moved_on(page, 79.0)
    await page.keyboard.press("k")
    await page.get_by_test_id("captions-file").set_input_files(
        {"name": "a.vtt", "mimeType": "text/vtt", "buffer": VTT.encode()}
    )
    await page.get_by_test_id("captions").select_option("zh")
    await expect(page.get_by_test_id("caption")).to_have_text("你好，同学们")


async def in_both(page: Page, shoot: Shoot, name: str) -> None:
    """Pictures of the page in both languages, at a desk and on a phone."""
    for size, width, height in (("", 1366, 768), ("-phone", 360, 740)):
        await page.set_viewport_size({"width": width, "height": height})
        for language in ("en", "zh"):
            await speak(page, language)
            await page.wait_for_timeout(150)  # the pictures of a page that has settled are nicer
            overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert overflow <= 0, f"{name}{size} in {language} is {overflow} px too wide"
            await shoot(page, f"{name}{size}-{language}")
    await page.set_viewport_size({"width": 1366, "height": 768})
