"""A process' control socket: one campus at a time, and the newest wins.

Commands are decoded and handed on in order; events are written at once. A campus that does not read
(over OUT_LIMIT bytes wait) is hung up: it comes back and gets snapshots, so nothing is lost by it. The
contract is its owner's: here it is only known that everything begins with a hello.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from recorder.framing import BadFrame, encode_frame, read_frame

OUT_LIMIT = 16 << 20
HELLO_TIMEOUT_S = 3.0

Command = TypeVar("Command")
Event = TypeVar("Event")

_log = logging.getLogger("lianke.control")


class ControlServer(Generic[Command, Event]):
    """`is_hello` tells our hello of our version; `handle` carries out one command and gives its answer, at
    once or later (no other command is read meanwhile); `welcome` tells all there is."""

    def __init__(
        self,
        decoder: msgspec.msgpack.Decoder[Command],
        is_hello: Callable[[Command | None], bool],
        handle: Callable[[Command], Event | Awaitable[Event | None] | None],
        welcome: Callable[[], Event],
    ) -> None:
        self._decoder = decoder
        self._is_hello = is_hello
        self._handle = handle
        self._welcome = welcome
        self._campus: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None
        self.bad_frames = 0

    async def start(self, path: str) -> None:
        _clear(path)
        self._server = await asyncio.start_unix_server(self._serve, path)
        _close_to_others(path)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._campus is not None:
            self._campus.close()

    def tell(self, event: Event) -> None:
        """Write an event to campus; without a campus it is lost, and the next welcome makes up for it."""
        campus = self._campus
        if campus is None or campus.is_closing():
            return
        campus.write(encode_frame(event))
        if campus.transport.get_write_buffer_size() > OUT_LIMIT:
            _log.warning("campus does not read: hung up")
            campus.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HELLO_TIMEOUT_S):
                hello = await read_frame(reader, self._decoder)
            if not self._is_hello(hello):
                _log.warning("a control connection without our hello")
                return
            if self._campus is not None:
                self._campus.transport.abort()
            self._campus = writer
            self.tell(self._welcome())
            await self._read(reader, writer)
        except (BadFrame, TimeoutError) as error:
            self.bad_frames += 1
            _log.warning("control connection ended: %s", error or "no hello")
        except ConnectionError:
            pass
        finally:
            if self._campus is writer:
                self._campus = None
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (command := await read_frame(reader, self._decoder)) is not None:
            if self._campus is not writer:
                return
            done = self._handle(command)
            if inspect.isawaitable(done):
                done = await done
            if done is not None:
                self.tell(done)


def _clear(path: str) -> None:
    """Remove what a process that died has left."""
    Path(path).unlink(missing_ok=True)


def _close_to_others(path: str) -> None:
    Path(path).chmod(0o600)
