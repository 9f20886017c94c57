"""A client that never finishes its first request is hung up on; those that spoke are left alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from server.api.patience import Patience


@asynccontextmanager
async def patient(within_s: float) -> AsyncIterator[int]:
    """A server with one page; its port."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="here")

    patience = Patience(within_s)
    app = web.Application(middlewares=[patience.hear])
    app.router.add_get("/", page)
    runner = web.AppRunner(app, keepalive_timeout=60)
    await runner.setup()
    assert runner.server is not None
    task = asyncio.create_task(patience.run(runner.server))
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        task.cancel()
        await runner.cleanup()


async def test_silent_and_dripping_connections_end_and_a_speaking_one_stays() -> None:
    async with patient(0.4) as port, asyncio.timeout(10):
        silent, dripping, speaking = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        speaking[1].write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await speaking[0].readuntil(b"here")).startswith(b"HTTP/1.1 200")
        dripping[1].write(b"GET / HTTP/1.1\r\nHost: loc")

        async def drip() -> None:
            while True:
                await asyncio.sleep(0.05)
                dripping[1].write(b"a")
                await dripping[1].drain()

        dropping = asyncio.create_task(drip())
        assert await silent[0].read() == b""
        assert await dripping[0].read() == b""
        dropping.cancel()
        await asyncio.gather(dropping, return_exceptions=True)
        speaking[1].write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await speaking[0].readuntil(b"here")).startswith(b"HTTP/1.1 200")
        for _, writer in (silent, dripping, speaking):
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def test_who_is_gone_is_forgotten() -> None:
    patience = Patience(10.0)
    assert patience.late(["a", "b"], 0.0) == []
    assert patience.late(["b"], 9.0) == []
    assert patience.late(["a", "b"], 11.0) == ["b"]
