"""Rooms' screens in tests: paired by six digits, started by the launcher as on a wall, wiped as by a
restore card.

    device = await pair(server, page, "shahe")         # any Chromium window becomes the room
    start = await install(server, device, folder)      # what the launcher leaves on a machine
    async with kiosk(start) as page: ...               # a browser of its own, as at that machine's start
    wipe(start)                                        # its profile as it was before the first start
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from playwright.async_api import Error, Page, async_playwright, expect

from server.drill.own_server import OwnServer, free_port

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --disable-background-networking "
    "--disable-component-update --disable-sync --use-fake-ui-for-media-stream "
    "--use-fake-device-for-media-stream"
)
OPENS_WITHIN_S = 40.0


async def digits_of(page: Page) -> str:
    """What the screen shows."""
    code = page.get_by_test_id("pair-code")
    await expect(code).to_have_text(re.compile(r"^\s*\d{3}\s*\d{3}\s*$"))
    return re.sub(r"\D", "", await code.inner_text())


async def pair(server: OwnServer, page: Page, room: str) -> str:
    """Open the room's page in a browser that knows nothing, enter its digits as the IT person; the device."""
    await page.goto(f"{server.url}/room")
    body = {"code": await digits_of(page)}
    url = f"{server.url}/api/v1/rooms/{room}/devices"
    async with aiohttp.ClientSession() as http, http.post(url, json=body) as answer:
        assert answer.status == 201, await answer.text()
        device = str((await answer.json())["device"])
    await expect(page.get_by_test_id("room")).to_have_attribute("data-room", room)
    return device


async def launcher_of(server: OwnServer, device: str, system: str) -> str:
    """The file an IT person downloads."""
    url = f"{server.url}/api/v1/devices/{device}/launcher/{system}"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def install(server: OwnServer, device: str, root: Path) -> Path:
    """The Linux launcher run below `root` instead of the machine's own folders; the start script it made."""
    file = root / "launcher.sh"
    file.write_text(await launcher_of(server, device, "linux"))
    environment = {**os.environ, "HOME": "/user", "LIANKE_ROOT": str(root)}
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        str(file),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return root / "user/.local/share/lianke/start.sh"


def address_in(start: Path) -> str:
    """What the start script opens: the room's page with the pairing's restore secret."""
    found = re.search(r"http\S+#device=\w+&restore=\w+", start.read_text())
    assert found is not None
    return found[0]


def wipe(start: Path) -> None:
    """What a restore card does: the profile is gone, what was installed before stays."""
    shutil.rmtree(start.with_name("profile"))


@asynccontextmanager
async def kiosk(start: Path) -> AsyncIterator[Page]:
    """The start script, in a process group of its own until the block ends; its one page."""
    port = free_port(socket.SOCK_STREAM)
    flags = f"{FLAGS} --remote-debugging-port={port}"
    nowhere = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", str(start), env={**os.environ, "LIANKE_FLAGS": flags},
        stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True,
    )  # fmt: skip
    try:
        async with async_playwright() as playwright, asyncio.timeout(600):
            browser = None
            while browser is None:
                try:
                    browser = await playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
                except Error:
                    await asyncio.sleep(0.1)  # it is still starting
            yield browser.contexts[0].pages[0]
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
