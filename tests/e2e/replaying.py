"""The replay's page as a person uses it."""

from __future__ import annotations

from playwright.async_api import Page, expect


async def plays(page: Page) -> None:
    """The replay plays: by its button, but where that was pressed and only data is waited for."""
    player, button = page.get_by_test_id("player"), page.get_by_test_id("play")
    await expect(player).to_be_visible()
    if await button.get_attribute("aria-label") == "播放":
        await button.click()
    await expect(player).to_have_attribute("data-playing", "true")
