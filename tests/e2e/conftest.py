"""A running installation and a Chromium, for whole walks through the real pages."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright, expect

from server.drill.own_server import SAMPLE_ROOMS, OwnServer, own_server

ARTIFACTS = Path(__file__).parent.parent / "artifacts"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
expect.set_options(timeout=30_000)  # as for every other wait of Playwright's
BOXES_HERE = '[ingest]\nnetworks = ["127.0.0.0/8"]'
STUDIO_SIZE: ViewportSize = {"width": 1366, "height": 768}

Shoot = Callable[[Page, str], Awaitable[None]]
Window = Callable[[], Awaitable[Page]]


@pytest.fixture
async def server() -> AsyncIterator[OwnServer]:
    async with own_server(SAMPLE_ROOMS, extra=BOXES_HERE) as own:
        yield own
        print(await asyncio.to_thread(own.log.read_text))  # pytest shows it where the test failed


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "these tests need Debian's chromium: apt-get install chromium"
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            yield found
        finally:
            await found.close()


@pytest.fixture
async def window(browser: Browser) -> AsyncIterator[Window]:
    """Opens a page in a window of its own, as on a machine of its own: a tab behind another is not drawn.
    The pages' errors fail the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    async def open_window() -> Page:
        context = await browser.new_context(locale="zh-CN", viewport=STUDIO_SIZE)
        context.on("weberror", lambda error: faults.append(str(error.error)))
        contexts.append(context)
        return await context.new_page()

    yield open_window
    for context in contexts:
        await context.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def shoot() -> Shoot:
    """Take a picture of the page as it is into tests/artifacts."""
    ARTIFACTS.mkdir(exist_ok=True)

    async def take(page: Page, name: str) -> None:
        await page.screenshot(path=ARTIFACTS / f"{name}.png")

    return take
