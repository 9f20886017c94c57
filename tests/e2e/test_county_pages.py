"""The first run by its wizard, then schools and people and one's own settings, both languages, with axe."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from server.api.application import build, listening_options
from server.app import make_parts
from server.clock import SystemClock
from server.config import build as build_config
from server.store.store import Store
from tests.e2e.conftest import Window
from tests.e2e.test_accessibility import AXE, PASSWORD, well


@contextlib.asynccontextmanager
async def empty_campus(folder: Path) -> AsyncIterator[str]:
    """Campus on an empty store, without rooms and demo; its address."""
    data = {"directory": str(folder), "run_directory": str(folder / "run")}
    config = build_config({"http": {"listen": "127.0.0.1"}, "data": data}, {})
    store = await Store.open(config.store_place, SystemClock())
    try:
        parts = await make_parts(config, store)
        running = asyncio.create_task(parts.live.run())
        server = TestServer(build(parts))
        await server.start_server(**listening_options(server.app))
        try:
            yield f"http://localhost:{server.port}"
        finally:
            await server.close()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    finally:
        await store.close()


async def test_from_an_empty_store_to_a_teacher_who_changed_the_first_password(
    tmp_path: Path, window: Window
) -> None:
    axe = await asyncio.to_thread(AXE.read_text)
    async with empty_campus(tmp_path) as url:
        page = await window()
        await page.goto(f"{url}/login")
        await well(page, axe, "first run")
        await set_up(page, axe)
        await page.goto(f"{url}/people")
        tree = page.get_by_test_id("tree")
        await expect(tree).to_contain_text("星光小学")
        await tree.get_by_text("星光小学").first.click()
        await add_room(page)
        await expect(tree).to_contain_text("音乐教室")
        await well(page, axe, "schools and people")
        password = await add_teacher(page)
        await in_the_registers(page, url, axe)
        await erase_somebody(page, url)
        await page.goto(f"{url}/settings")
        await expect(page.get_by_test_id("sessions")).to_contain_text("Chrome on Linux")
        await make_token(page)
        await well(page, axe, "settings")
        teacher = await window()
        await log_in_first(teacher, url, password)
        await expect(teacher.get_by_test_id("nav-library")).to_be_visible()
        await expect(teacher.get_by_test_id("nav-people")).to_have_count(0)


async def set_up(page: Page, axe: str) -> None:
    """Admin; county, school and room; the certificate."""
    for field in ("password", "password-again"):
        await page.get_by_test_id(field).fill(PASSWORD)
    await page.get_by_test_id("enter").click()
    for field, words in (("county-zh", "星光县"), ("school-zh", "星光小学"), ("room-zh", "录播教室")):
        await page.get_by_test_id(field).fill(words)
    await page.get_by_test_id("enter").click()
    await page.get_by_test_id("certificate-names").fill("lianke.example 10.0.0.5")
    await page.get_by_test_id("make-certificate").click()
    await expect(page.get_by_test_id("certificate-lines")).to_contain_text("help_port")
    await well(page, axe, "first run, certificate")
    await page.get_by_test_id("go-in").click()
    await page.wait_for_url("**/lessons")


async def add_room(page: Page) -> None:
    await page.get_by_test_id("add-kind").select_option("room")
    await page.get_by_test_id("add-zh").fill("音乐教室")
    await page.get_by_test_id("add-unit").click()


async def add_teacher(page: Page) -> str:
    """The first password, as it is told once."""
    await page.get_by_test_id("new-login").fill("wang")
    await page.get_by_test_id("new-zh").fill("王老师")
    await page.get_by_test_id("new-role").select_option("teacher")
    await page.get_by_test_id("add-person").click()
    told = page.get_by_test_id("told")
    await expect(told).to_contain_text("wang")
    found = re.search(r"[a-z2-9]{12}", await told.inner_text())
    assert found is not None
    return found[0]


async def in_the_registers(page: Page, url: str, axe: str) -> None:
    """Three of their shapes, and the list of rehearsals."""
    for path, seen in (("registers/posts", "rows"), ("registers/bells", "form"), ("registers/audit", "rows")):
        await page.goto(f"{url}/{path}")
        await expect(page.get_by_test_id(seen)).to_be_visible()
        await well(page, axe, path)
    await page.get_by_test_id("nav-rehearsals").click()
    await expect(page.get_by_test_id("none")).to_be_visible()
    await well(page, axe, "rehearsals")


async def erase_somebody(page: Page, url: str) -> None:
    """One person's data handed out, then erased for good."""
    await page.goto(f"{url}/people")
    await page.get_by_test_id("tree").get_by_text("星光小学").first.click()
    await page.get_by_test_id("new-login").fill("gone")
    await page.get_by_test_id("new-zh").fill("离老师")
    await page.get_by_test_id("add-person").click()
    async with page.expect_download() as handed_out:
        await page.get_by_test_id("export-gone").click()
    assert (await handed_out.value).suggested_filename.endswith(".json")
    page.once("dialog", lambda asked: asked.accept())
    await page.get_by_test_id("erase-gone").click()
    await expect(page.get_by_test_id("erased")).to_contain_text("离老师")
    await expect(page.get_by_test_id("erase-gone")).to_have_count(0)


async def make_token(page: Page) -> None:
    await page.get_by_test_id("token-name").fill("timetable")
    await page.get_by_test_id("scopes").select_option(["read_units"])
    await page.get_by_test_id("make-token").click()
    await expect(page.get_by_test_id("told")).to_contain_text("lk_")


async def log_in_first(page: Page, url: str, password: str) -> None:
    await page.goto(f"{url}/login")
    await page.get_by_test_id("login-name").fill("wang")
    await page.get_by_test_id("password").fill(password)
    await page.get_by_test_id("enter").click()
    await page.get_by_test_id("new-password").fill(PASSWORD)
    await page.get_by_test_id("password-again").fill(PASSWORD)
    await page.get_by_test_id("enter").click()
    await page.wait_for_url("**/day")
