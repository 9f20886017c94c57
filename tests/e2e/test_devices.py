"""A screen becomes a room by six digits, keeps being it, and is it again after its profile was wiped."""

from __future__ import annotations

import json
import time
from pathlib import Path

from playwright.async_api import Page, expect

from server.drill.own_server import OwnServer
from tests.e2e.conftest import Shoot, Window
from tests.e2e.kiosk import digits_of, install, kiosk, pair, wipe
from tests.e2e.sample import demo_of, sees
from tests.e2e.speaking import in_both_languages

KEPT = """() => new Promise(done => {
  const open = indexedDB.open('lianke', 1);
  open.onsuccess = () => {
    const got = open.result.transaction('device').objectStore('device').get('own');
    got.onsuccess = () => done([got.result.device, got.result.keys.privateKey.extractable]);
  };
})"""


async def teach(page: Page, server: OwnServer) -> None:
    """A live lesson."""
    demo = await demo_of(server)
    await page.goto(f"{server.url}/studio#token={demo.studio.token}&sample=1&volume=0")
    await expect(page.get_by_test_id("start")).to_be_enabled()
    await page.get_by_test_id("start").click()
    await expect(page.get_by_test_id("lesson")).to_be_visible()


async def test_a_paired_screen_is_its_room_after_a_reload_and_after_a_wipe(
    server: OwnServer, window: Window, shoot: Shoot, tmp_path: Path
) -> None:
    page, studio = await window(), await window()
    await page.goto(f"{server.url}/room")
    await digits_of(page)
    await in_both_languages(page, shoot, "pair")
    device = await pair(server, page, "shahe")
    await page.reload()
    room = page.get_by_test_id("room")
    await expect(room).to_have_attribute("data-room", "shahe")
    assert await page.evaluate(KEPT) == [device, False], "the key cannot be taken out"

    start = await install(server, device, tmp_path)
    policy = json.loads((tmp_path / "etc/chromium/policies/managed/lianke.json").read_text())
    assert policy["AudioCaptureAllowedUrls"] == [server.url]
    assert str(start) in (tmp_path / "user/.config/autostart/lianke.desktop").read_text()
    await teach(studio, server)
    for life in ("first start", "wiped"):
        began = time.monotonic()
        async with kiosk(start) as screen:
            await sees(screen.get_by_test_id("room"))
            print(f"{life}: in the lesson after {time.monotonic() - began:.1f} s")
            await expect(screen.get_by_test_id("room")).to_have_attribute("data-room", "shahe")
        wipe(start)
    await expect(page.get_by_test_id("pair-face")).to_be_visible()
