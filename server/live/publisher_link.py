"""Campus' side of the publisher's control socket.

Knows nothing of what is to be published: whoever connects it is asked, at each connection, what the rows lack
(`on_connected`), and hears what the publisher says (`on_publishing`, `on_removed`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from recorder.framing import BadFrame, encode_frame, read_frame
from recorder.publish.contract import (
    VERSION,
    Command,
    Event,
    Hello,
    Load,
    Publishing,
    Removed,
    Welcome,
)

BACK_OFF_S = (0.1, 2.0)
OUT_LIMIT = 16 << 20
WELCOME_TIMEOUT_S = 5.0

_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


class PublisherLink:
    """One publisher, for as long as campus runs."""

    def __init__(
        self,
        path: Path,
        on_connected: Callable[[], Awaitable[None]],
        on_publishing: Callable[[Publishing], Awaitable[None]],
        on_removed: Callable[[Removed], Awaitable[None]],
    ) -> None:
        self._path = str(path)
        self._on_connected = on_connected
        self._on_publishing = on_publishing
        self._on_removed = on_removed
        self._writer: asyncio.StreamWriter | None = None
        self._lessons_live = 0

    @property
    def connected(self) -> bool:
        return self._writer is not None

    async def run(self) -> None:
        """Connect and listen, again and again, until cancelled."""
        pause = BACK_OFF_S[0]
        while True:
            try:
                if await self._serve_once():
                    pause = BACK_OFF_S[0]
            except (OSError, BadFrame, TimeoutError):
                pass  # not there, or hung up: the pause below is the whole answer
            await asyncio.sleep(pause)
            pause = min(pause * 2, BACK_OFF_S[1])

    def say(self, command: Command) -> bool:
        """False where it is not connected: rows say it again."""
        writer = self._writer
        if writer is None or writer.is_closing():
            return False
        writer.write(encode_frame(command))
        if writer.transport.get_write_buffer_size() > OUT_LIMIT:
            writer.transport.abort()
        return True

    def tell_live(self, lessons: int) -> None:
        """How many lessons are live; said where it changed."""
        if lessons != self._lessons_live:
            self._lessons_live = lessons
            self.say(Load(lessons))

    async def _serve_once(self) -> bool:
        reader, writer = await asyncio.open_unix_connection(self._path)
        try:
            writer.write(encode_frame(Hello()))
            async with asyncio.timeout(WELCOME_TIMEOUT_S):
                welcome = await read_frame(reader, _decoder)
            if not isinstance(welcome, Welcome) or welcome.version != VERSION:
                return False
            self._writer = writer
            self.say(Load(self._lessons_live))
            await self._on_connected()
            while (event := await read_frame(reader, _decoder)) is not None:
                if isinstance(event, Publishing):
                    await self._on_publishing(event)
                elif isinstance(event, Removed):
                    await self._on_removed(event)
            return True
        finally:
            self._writer = None
            writer.transport.abort()
