"""Campus' side of a process' control socket: connect, come back, say, be told.

The contract is its owner's: here it is only known that everything begins with a hello and a welcome of its
version. What is told comes by callbacks on the event loop, in order, and a callback that must wait is waited
for: nothing piles up between. What is said and not read is bounded by OUT_LIMIT: a process that reads that
slowly is hung up on, and what it should know is said again at its next welcome.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import msgspec

from recorder.framing import BadFrame, encode_frame, read_frame

OUT_LIMIT = 16 << 20
WELCOME_TIMEOUT_S = 5.0
FIRST_BACK_OFF_S = 0.05
LONGEST_BACK_OFF_S = 0.2  # one connect on this machine; a new process is found at once


class Versioned(Protocol):
    @property
    def version(self) -> int: ...


Command = TypeVar("Command")
Event = TypeVar("Event")
Welcome = TypeVar("Welcome", bound=Versioned)


class ControlLink(Generic[Command, Event, Welcome]):
    """One process, for as long as campus runs. `welcome` and `version`: what its first event must be;
    `welcomed` hears it at every connection, `heard` every later event, `lost` the end of such a one."""

    def __init__(
        self,
        path: str | Path,
        *,
        decoder: msgspec.msgpack.Decoder[Event],
        hello: Command,
        welcome: type[Welcome],
        version: int,
        welcomed: Callable[[Welcome], Awaitable[None] | None],
        heard: Callable[[Event], Awaitable[None] | None],
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._path = str(path)
        self._decoder = decoder
        self._hello = hello
        self._welcome = welcome
        self._version = version
        self._welcomed = welcomed
        self._heard = heard
        self._lost = lost
        self._writer: asyncio.StreamWriter | None = None
        self._back_off_s = FIRST_BACK_OFF_S

    @property
    def connected(self) -> bool:
        return self._writer is not None

    async def run(self) -> None:
        """Connect and listen, again and again, until cancelled."""
        while True:
            # Not there, or hung up: the back-off is the whole answer.
            with contextlib.suppress(OSError, BadFrame, TimeoutError):
                await self._serve_once()
            await asyncio.sleep(self._back_off_s)
            self._back_off_s = min(self._back_off_s * 2, LONGEST_BACK_OFF_S)

    def say(self, command: Command) -> bool:
        """False where nobody is there to read it."""
        writer = self._writer
        if writer is None or writer.is_closing():
            return False
        writer.write(encode_frame(command))
        if writer.transport.get_write_buffer_size() > OUT_LIMIT:
            writer.transport.abort()
            return False
        return True

    async def _serve_once(self) -> None:
        """One connection from hello to its end."""
        reader, writer = await asyncio.open_unix_connection(self._path)
        try:
            writer.write(encode_frame(self._hello))
            async with asyncio.timeout(WELCOME_TIMEOUT_S):
                welcome = await read_frame(reader, self._decoder)
            if not isinstance(welcome, self._welcome) or welcome.version != self._version:
                return
            self._back_off_s = FIRST_BACK_OFF_S
            self._writer = writer
            await _done(self._welcomed(welcome))
            while (event := await read_frame(reader, self._decoder)) is not None:
                await _done(self._heard(event))
        finally:
            was_connected, self._writer = self._writer is not None, None
            writer.transport.abort()
            if was_connected:
                self._lost()


async def _done(answer: Awaitable[None] | None) -> None:
    if inspect.isawaitable(answer):
        await answer
