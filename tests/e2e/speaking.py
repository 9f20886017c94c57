"""One page in both languages, as the switch of another tab would change it."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.e2e.conftest import Shoot

SPEAK = """language => {
  localStorage.setItem('lianke.language', language);
  dispatchEvent(new StorageEvent('storage', {key: 'lianke.language', newValue: language}));
}"""


async def speak(page: Page, language: str) -> None:
    """The page says everything in this language: "zh" or "en"."""
    await page.evaluate(SPEAK, language)
    await expect(page.locator("html")).to_have_attribute("lang", "en" if language == "en" else "zh-CN")


async def in_both_languages(page: Page, shoot: Shoot, name: str) -> None:
    """Pictures of the page in English, then in Chinese."""
    for language in ("en", "zh"):
        await speak(page, language)
        await shoot(page, f"{name}-{language}")
