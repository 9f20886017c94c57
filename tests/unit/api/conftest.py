"""A campus of real parts on a free port, without workers and recorder."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar, web
from aiohttp.test_utils import TestServer

from server.api import keys, passwords
from server.api.application import build, listening_options
from server.api.tokens import TokenKind
from server.app import make_parts
from server.clock import SystemClock
from server.config import Config
from server.config import build as build_config
from server.domain.org import UnitKind
from server.domain.posts import Post, PostRole
from server.protocol.messages import Words
from server.store.county import FOUNDED
from server.store.store import Store

PASSWORD = "correct horse battery"
ROOMS = [
    {"id": "main", "zh": "录播室", "en": "Recording room", "main": True},
    {"id": "shahe", "zh": "沙河", "en": "Shahe"},
    {"id": "yefan", "zh": "野番", "en": "Yefan"},
]


@dataclass
class Campus:
    """A running application and a browser on this machine. `browser.get("/path")` and so on."""

    app: web.Application
    server: TestServer
    browser: ClientSession
    config: Config

    def token(self, kind: TokenKind, room: str | None = None, lesson: str | None = None) -> str:
        epoch = self.app[keys.BOOT] if kind is TokenKind.OPERATOR else 0
        return self.app[keys.TOKENS].issue(kind, lifetime_s=600, room=room, lesson=lesson, epoch=epoch)

    def bearer(
        self, kind: TokenKind, room: str | None = None, lesson: str | None = None
    ) -> dict[str, dict[str, str]]:
        """Keyword arguments of a request with such a token."""
        return {"headers": {"Authorization": f"Bearer {self.token(kind, room, lesson)}"}}

    async def start_lesson(self) -> str:
        reply = await self.browser.post(
            "/api/v1/lessons", json={"room": "main"}, **self.bearer(TokenKind.OPERATOR)
        )
        assert reply.status == 201, await reply.text()
        return str((await reply.json())["lesson"])


Opener = Callable[..., Awaitable[Campus]]
Watch = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


@pytest.fixture
async def open_campus(tmp_path: Path) -> AsyncIterator[Opener]:
    """Opens campuses; sections are keyword arguments, e.g. `demo=...`; `watch` sees each response."""
    async with contextlib.AsyncExitStack() as stack:

        async def opener(watch: Watch | None = None, **sections: Any) -> Campus:
            document = {
                "http": {"listen": "127.0.0.1"},
                "media": {"listen": "127.0.0.1"},
                "data": {"directory": str(tmp_path), "run_directory": str(tmp_path / "run")},
                "rooms": ROOMS,
            }
            for name, section in sections.items():
                document[name] = {**document.get(name, {}), **section}
            config = build_config(document, {})
            store = await Store.open(config.store_place, SystemClock())
            stack.push_async_callback(store.close)
            parts = await make_parts(config, store)
            app = build(parts)
            if watch is not None:
                app.on_response_prepare.append(watch)
            running = asyncio.create_task(parts.live.run())
            stack.push_async_callback(_cancel, running)
            server = TestServer(app)
            await server.start_server(**listening_options(app))
            stack.push_async_callback(server.close)
            jar = CookieJar(unsafe=True)
            browser = ClientSession(base_url=server.make_url("/"), cookie_jar=jar)
            stack.push_async_callback(browser.close)
            return Campus(app, server, browser, config)

        yield opener


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture
async def campus(open_campus: Opener) -> Campus:
    """Without the demo."""
    return await open_campus()


@pytest.fixture
async def demo(open_campus: Opener) -> Campus:
    return await open_campus(demo={"enabled": True})


def words(name: str) -> Words:
    return Words(zh=name, en=name)


class Desk:
    """A browser of somebody of the county."""

    def __init__(self, campus: Campus) -> None:
        self.campus = campus
        self.store = campus.app[keys.STORE]

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        url = f"/api/v1/{path}"
        async with self.campus.browser.request(method, url, json=body, headers=headers) as reply:
            return reply.status, await reply.json() if reply.content_length else None

    async def be(self, login: str, password: str = PASSWORD) -> None:
        status, _ = await self.ask("POST", "login", {"login": login, "password": password})
        assert status == 200


@pytest.fixture
async def desk(open_campus: Opener) -> Desk:
    """A boss of the county, Li of the first school, Wang who teaches there; River is another school."""
    desk = Desk(await open_campus())
    store = desk.store
    root = await store.county.county()
    assert root is not None
    await store.county.add(UnitKind.SCHOOL, words("River"), root.id, since=FOUNDED, unit="river")
    await store.county.add(UnitKind.CLASS, words("3(2)"), "shahe", since=FOUNDED, unit="class")
    hashed = await passwords.hashed(desk.campus.app, PASSWORD)
    for login, role, unit in (
        ("boss", PostRole.COUNTY_ADMIN, root.id),
        ("li", PostRole.SCHOOL_ADMIN, "the-school"),
        ("wang", PostRole.TEACHER, "the-school"),
    ):
        await store.people.add(login, words(login), hashed, person=login)
        await store.people.appoint(Post(login, role, unit, FOUNDED))
    return desk
