"""Who hangs up in the middle of a request is no fault of ours; a lost connection of our own is one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from server.api.keys import METRICS
from server.api.problems import connection_log, problems
from server.ops.metrics import Metrics

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(page: Page) -> AsyncIterator[int]:
    """A server with one page, as campus serves its own; its port."""
    app = web.Application(middlewares=[problems])
    app[METRICS] = Metrics(dict)
    app.router.add_get("/", page)
    runner = web.AppRunner(app, logger=connection_log(app[METRICS]))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_page_that_left_during_its_upgrade_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def upgraded(request: web.Request) -> web.StreamResponse:
        asked.set()
        while request.transport is not None:  # noqa: ASYNC110 - its end is told to nobody
            await asyncio.sleep(0.001)
        socket = web.WebSocketResponse()
        try:
            await socket.prepare(request)
        finally:
            ended.set()
        return socket

    async with serving(upgraded) as port, asyncio.timeout(10):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await asked.wait()
        writer.close()
        await ended.wait()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_connection_of_our_own_that_is_lost_is_answered_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        raise ConnectionResetError

    async with serving(broken) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 500 " in await reader.readline()
        writer.close()
    assert [record.message for record in caplog.records] == ["request failed"]
