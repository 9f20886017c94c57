"""A TCP server of a test's own: nothing of it is left when it ends, whatever its callers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listener(talk: Talk) -> AsyncIterator[int]:
    """Its port on loopback. `talk` is held with each caller, who may go at any time; it is broken off at the
    end."""
    talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def held(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
            writer.close()
            await writer.wait_closed()
        except ConnectionError:
            pass

    def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # known at once: a coroutine would first have to begin, which the end may come before
        talks[asyncio.get_running_loop().create_task(held(reader, writer))] = writer

    server = await asyncio.start_server(came, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task, writer in talks.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*talks, return_exceptions=True)
