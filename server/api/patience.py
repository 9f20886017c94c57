"""Connections that never finish their first request are closed: aiohttp itself waits for them for ever.

Its `keepalive_timeout` begins with the first request; a client that sends a header an octet a second would
hold its file for days. `hear` is a middleware, `run` the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import web
from aiohttp.typedefs import Handler

FIRST_REQUEST_S = 15.0
LOOK_EVERY_S = 3.0


class Patience:
    """`_spoke`: connections that sent a request; `_since`: when the others were first seen."""

    def __init__(self, within_s: float = FIRST_REQUEST_S) -> None:
        self._within_s = within_s
        self._spoke: set[object] = set()
        self._since: dict[object, float] = {}

    @web.middleware
    async def hear(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._spoke.add(request.protocol)
        return await handler(request)

    def late(self, connections: Iterable[object], now: float) -> list[object]:
        """Those that are to be closed; what is gone is forgotten."""
        living = set(connections)
        self._spoke &= living
        self._since = {each: self._since.get(each, now) for each in living - self._spoke}
        return [each for each, since in self._since.items() if now - since >= self._within_s]

    async def run(self, server: web.Server) -> None:
        """Look every few seconds until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(min(LOOK_EVERY_S, self._within_s / 2))
            late = set(self.late(server.connections, clock()))
            for connection in server.connections:
                if connection in late:
                    connection.force_close()
