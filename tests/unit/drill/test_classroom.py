"""A synthetic page speaks as a real one does: first its hello, and nothing more before it is welcomed."""

from __future__ import annotations

import asyncio

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.drill.classroom import REPORT_EVERY_S, Classroom
from server.protocol import messages as ws
from server.protocol.words import Words

WELCOME = msgspec.json.encode(
    ws.Welcome("s1", ws.Role.ROOM, "yunling", Words("云岭", "Yunling"), 0, keep_up=True, keep_down=True)
).decode()


async def test_a_page_that_came_back_says_nothing_before_its_welcome() -> None:
    came = 0
    first: asyncio.Future[ws.ToServer] = asyncio.get_running_loop().create_future()

    async def door(request: web.Request) -> web.WebSocketResponse:
        nonlocal came
        came += 1
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert isinstance(msgspec.json.decode(await socket.receive_str(), type=ws.ToServer), ws.Hello)
        if came == 1:
            await socket.send_str(WELCOME)
            return socket
        await asyncio.sleep(REPORT_EVERY_S * 1.3)  # the server takes its time
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.01)
        await socket.send_str(WELCOME)
        first.set_result(msgspec.json.decode(await socket.receive_str(), type=ws.ToServer))
        return socket

    app = web.Application()
    app.add_routes([web.get("/ws", door)])
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        living = asyncio.create_task(Classroom(http, str(server.make_url("/ws")), "token", {}).run())
        try:
            async with asyncio.timeout(30):
                assert isinstance(await first, ws.Report | ws.Ping)
        finally:
            living.cancel()
            await asyncio.wait([living])
