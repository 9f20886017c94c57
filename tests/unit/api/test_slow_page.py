"""A page that reads nothing: its WebSocket is hung up, and what waits for it is bounded."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.api import ws
from server.clock import SystemClock
from server.protocol import messages as m
from server.protocol.outbox import LIMIT
from server.protocol.session import CloseCode
from server.settings import Turn

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)


async def test_a_page_that_stops_reading_is_hung_up_and_what_waits_for_it_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ws, "SEND_TIMEOUT_S", 0.5)
    entered: asyncio.Future[ws.Page] = asyncio.get_running_loop().create_future()
    left = asyncio.Event()

    async def door(request: web.Request) -> web.WebSocketResponse:
        opened = web.WebSocketResponse()
        await opened.prepare(request)
        page = ws.Page(opened, SystemClock(), Turn())
        entered.set_result(page)
        await page.write()
        left.set()
        return opened

    app = web.Application()
    app.router.add_get("/ws", door)
    async with TestServer(app) as server:
        with socket.socket() as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(reader, (server.host, server.port))
            await loop.sock_sendall(reader, UPGRADE)
            async with asyncio.timeout(30):
                page = await entered
                told = 0
                while page.closing is None:  # far more than any buffer between the two holds
                    page.send(m.Notice(id="x" * 100_000))
                    told += 1
                    await asyncio.sleep(0)
                await left.wait()
    assert page.closing.code is CloseCode.TOO_SLOW
    assert page.fell_silent, "it may come back under the same session"
    assert told > LIMIT
    assert len(page._outbox) <= LIMIT
