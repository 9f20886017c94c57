"""A running installation and a Chromium, for whole walks through the real pages."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

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
STUDIO_SIZE = {"width": 1366, "height": 768}

Shoot = Callable[[Page, str], object]


@pytest.fixture
async def server() -> AsyncIterator[OwnServer]:
    async with own_server(SAMPLE_ROOMS) as own:
        yield own


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
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A Chinese teacher's browser; the pages' errors fail the test."""
    opened = await browser.new_context(locale="zh-CN", viewport=STUDIO_SIZE)
    faults: list[str] = []
    opened.on("weberror", lambda error: faults.append(str(error.error)))
    yield opened
    await opened.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def shoot() -> Shoot:
    """Take a picture of the page as it is into tests/artifacts."""
    ARTIFACTS.mkdir(exist_ok=True)

    async def take(page: Page, name: str) -> None:
        await page.screenshot(path=ARTIFACTS / f"{name}.png")

    return take
