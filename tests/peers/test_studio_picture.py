"""The studio's own page: its camera is at full size soon, in what it sends and in what a room shows."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page

from server.drill.own_server import OwnServer
from tests.peers.lessons import holding
from tests.peers.test_chromium import browser, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

FULL_WITHIN_S = 3.0
WATCHED_S = 5.0
KEEP_CONNECTIONS = """() => {
  const made = window.made = [];
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...options) {
      super(...options);
      made.push(this);
      this.connectedAt = 0;
      this.addEventListener('connectionstatechange', () => {
        if (this.connectionState === 'connected' && !this.connectedAt) this.connectedAt = performance.now();
      });
    }
  };
}"""
PICTURES = """async kind => {
  const found = [];
  for (const pc of made) {
    if (!pc.connectedAt) continue;
    for (const each of (await pc.getStats()).values()) {
      if (each.type === kind && each.kind === 'video' && each.frameWidth) {
        found.push({width: each.frameWidth, since: (performance.now() - pc.connectedAt) / 1000});
      }
    }
  }
  return found.sort((a, b) => b.width - a.width); // the highest layer first
}"""


async def _open(context: BrowserContext, url: str) -> Page:
    page = await context.new_page()
    await page.add_init_script(f"({KEEP_CONNECTIONS})()")
    await page.goto(url)
    return page


async def _widths(page: Page, kind: str) -> list[dict[str, float]]:
    found: list[dict[str, float]] = await page.evaluate(PICTURES, kind)
    return found


async def test_a_studios_camera_is_at_full_size_within_three_seconds_and_stays(
    installation: OwnServer,
) -> None:
    async with holding(installation) as held, browser() as chromium:
        windows = [await chromium.new_context() for _ in range(2)]
        try:
            room = await _open(windows[1], f"{held.server.url}/room#token={held.demo.rooms[0].token}")
            studio = await _open(windows[0], f"{held.server.url}/studio#token={held.demo.studio.token}")
            await studio.get_by_test_id("start").click(timeout=20_000)
            sizes: list[tuple[float, int, int]] = []  # seconds since the room connected; sent, seen

            async def watched() -> bool:
                sent, seen = await _widths(studio, "outbound-rtp"), await _widths(room, "inbound-rtp")
                if sent and seen:
                    sizes.append((seen[0]["since"], int(sent[0]["width"]), int(seen[0]["width"])))
                return bool(sizes) and sizes[-1][0] > WATCHED_S

            await until(watched, 20, "a picture in the room")
        finally:
            for window in windows:
                await window.close()
        late = {(sent, seen) for since, sent, seen in sizes if since > FULL_WITHIN_S}
        assert late == {(1280, 1280)}, sizes
