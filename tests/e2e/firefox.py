"""Debian's Firefox driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/) over aiohttp.

Playwright drives only a Firefox of its own; this one is as people have it. Devices are its fake ones.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

START_TIMEOUT_S = 45.0
ANSWER_TIMEOUT_S = 30.0
WAIT_S = 60.0  # Firefox encodes and decodes whole classrooms here
PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.getusermedia.audio.capture.enabled": True,
    "intl.accept_languages": "zh-CN",
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "media.gmp-manager.url": "",  # its H.264 is a download: it never comes here
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


def installed() -> str | None:
    """The command, where Firefox is there."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class BidiError(Exception):
    """Firefox answered a command with an error."""


@dataclass
class Firefox:
    """One BiDi session. `log`: what its pages wrote to their consoles, and their uncaught errors."""

    socket: aiohttp.ClientWebSocketResponse
    log: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _waiting: dict[int, asyncio.Future[Any]] = field(default_factory=dict)

    async def read(self) -> None:
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._heard(json.loads(message.data))

    def _heard(self, said: dict[str, Any]) -> None:
        if said.get("method") == "log.entryAdded":
            entry = said["params"]
            self.log.append(f"{entry['level']}: {entry['text']}")
            if entry["type"] == "javascript" and entry["level"] == "error":
                self.errors.append(str(entry["text"]))
        waiting = self._waiting.pop(said.get("id") or 0, None)
        if waiting is None or waiting.done():
            return
        if said["type"] == "success":
            waiting.set_result(said["result"])
        else:
            waiting.set_exception(BidiError(f"{said.get('error')}: {said.get('message')}"))

    async def command(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._waiting[number] = answer = asyncio.get_running_loop().create_future()
        await self.socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            return await answer

    async def open(self, url: str, width: int = 1366, height: int = 768) -> FirefoxPage:
        """A window of its own: a tab behind another is not drawn."""
        context = (await self.command("browsingContext.create", type="window"))["context"]
        size = {"width": width, "height": height}
        await self.command("browsingContext.setViewport", context=context, viewport=size)
        await self.command("browsingContext.navigate", context=context, url=url, wait="complete")
        return FirefoxPage(self, context)


@dataclass(frozen=True)
class FirefoxPage:
    """A browsing context: a window's page, or a frame in it."""

    firefox: Firefox
    context: str

    async def frame(self, name: str) -> FirefoxPage:
        """The child frame `<iframe name=...>`."""
        place = await self.evaluate(
            f"[...document.querySelectorAll('iframe')].findIndex(each => each.name === {json.dumps(name)})"
        )
        tree = await self.firefox.command("browsingContext.getTree", root=self.context)
        return FirefoxPage(self.firefox, tree["contexts"][0]["children"][place]["context"])

    async def evaluate(self, expression: str) -> Any:
        """A JavaScript value that JSON can carry; promises are awaited."""
        said = await self.firefox.command(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self.context},
            awaitPromise=True,
        )
        if said["type"] == "exception":
            raise BidiError(said["exceptionDetails"]["text"])
        return json.loads(said["result"].get("value", "null"))

    async def until(self, expression: str) -> float:
        """Wait until the expression is true, at most WAIT_S; how long that took (s)."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(WAIT_S):
                while not await self.evaluate(expression):  # noqa: ASYNC110 - a page tells nobody
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"never true: {expression}") from None
        return time.monotonic() - began

    async def click(self, test_id: str) -> None:
        found = f"document.querySelector('[data-testid={test_id}]')"
        await self.until(f"{found} !== null && !{found}.disabled")
        await self.evaluate(f"void {found}.click()")

    async def attribute(self, test_id: str, name: str) -> str | None:
        return await self.evaluate(  # type: ignore[no-any-return]
            f"document.querySelector('[data-testid={test_id}]')?.getAttribute({json.dumps(name)}) ?? null"
        )

    async def becomes(self, test_id: str, name: str, value: str) -> None:
        """The element's attribute comes to have this value."""
        element = f"document.querySelector('[data-testid={test_id}]')"
        await self.until(f"{element}?.getAttribute('{name}') === {json.dumps(value)}")

    async def screenshot(self, path: Path) -> None:
        shot = await self.firefox.command("browsingContext.captureScreenshot", context=self.context)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))


@contextlib.asynccontextmanager
async def firefox() -> AsyncIterator[Firefox]:
    """A Firefox with a new profile."""
    program = installed()
    assert program is not None
    with tempfile.TemporaryDirectory(prefix="lianke-firefox-", ignore_cleanup_errors=True) as profile:
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items()]
        (Path(profile) / "user.js").write_text("\n".join(lines))
        process = await asyncio.create_subprocess_exec(
            *(program, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={
                "HOME": profile,
                "PATH": "/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "MOZ_CRASHREPORTER_DISABLE": "1",
            },
        )
        try:
            async with aiohttp.ClientSession() as http, _session(http, await _address(process)) as session:
                draining = asyncio.create_task(_drain(process), name="firefox's stderr")
                yield session
                draining.cancel()
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


@contextlib.asynccontextmanager
async def _session(http: aiohttp.ClientSession, address: str) -> AsyncIterator[Firefox]:
    async with http.ws_connect(f"{address}/session", max_msg_size=64 << 20) as socket:
        session = Firefox(socket)
        reading = asyncio.create_task(session.read(), name="bidi")
        try:
            await session.command("session.new", capabilities={})
            await session.command("session.subscribe", events=["log.entryAdded"])
            yield session
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(START_TIMEOUT_S):
        async for line in process.stderr:
            if found := re.search(rb"WebDriver BiDi listening on (ws://\S+)", line):
                return found[1].decode()
    raise AssertionError("Firefox ended before it could be driven")


async def _drain(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    while await process.stderr.read(1 << 16):
        pass
