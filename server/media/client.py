"""Campus' side of a media worker's control socket: connect, come back, ask, be told.

`WorkerLink` is all campus holds of a worker. It satisfies `live.ports.WorkerPort`. Events come by
callbacks on the event loop, in order, and must not block; there is no queue between, so nothing can
pile up. Outgoing commands are bounded by OUT_LIMIT bytes: a worker that reads that slowly is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from pathlib import Path

import msgspec

from recorder.framing import BadFrame, encode_frame, read_frame
from server.media.contract import VERSION, Command, Done, Event, Hello, Welcome

OUT_LIMIT = 16 << 20
WELCOME_TIMEOUT_S = 3.0
REQUEST_TIMEOUT_S = 5.0
FIRST_BACK_OFF_S = 0.05
LONGEST_BACK_OFF_S = 0.2  # one connect on this machine; a new worker is found at once

_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


class WorkerLost(ConnectionError):
    """The worker is not connected, hung up before it answered, or did not answer in time."""


class WorkerLink:
    """One worker, for as long as campus runs.

    `on_welcome(welcome, new_boot)` at every connection: `new_boot` is True for a process not seen before
    (its peers are gone), False where the same process was found again. `on_lost()` when the
    connection ended after a welcome. `on_event` gets every other event except the answers.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        on_welcome: Callable[[Welcome, bool], None],
        on_event: Callable[[Event], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._path = str(path)
        self._on_welcome = on_welcome
        self._on_event = on_event
        self._on_lost = on_lost
        self._writer: asyncio.StreamWriter | None = None
        self._welcome: Welcome | None = None
        self._back_off_s = FIRST_BACK_OFF_S
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Done]] = {}

    @property
    def connected(self) -> bool:
        return self._writer is not None

    @property
    def boot(self) -> str:
        """The random name of the process last seen; "" before the first welcome."""
        return self._welcome.boot if self._welcome else ""

    @property
    def tap_socket(self) -> str:
        return self._welcome.tap_socket if self._welcome else ""

    async def run(self) -> None:
        """Connect and serve, again and again, until cancelled."""
        while True:
            # Not there, or hung up: the back-off is the whole answer.
            with contextlib.suppress(OSError, BadFrame, TimeoutError):
                await self._serve_once()
            await asyncio.sleep(self._back_off_s)
            self._back_off_s = min(self._back_off_s * 2, LONGEST_BACK_OFF_S)

    async def request(self, command: Command) -> Done:
        """Send a command that has a `request` field (whatever number it carries is replaced) and wait.

        The answer's `problem` may name a refusal. WorkerLost where no answer can be had.
        """
        number = next(self._numbers)
        future: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            if not self._write(msgspec.structs.replace(command, request=number)):
                raise WorkerLost("the worker is not connected")
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                return await future
        except TimeoutError:
            raise WorkerLost("the worker did not answer in time") from None
        finally:
            del self._waiting[number]

    def send(self, command: Command) -> None:
        """Send a command that has no answer; lost where the worker is lost."""
        self._write(command)

    def _write(self, command: Command) -> bool:
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
            writer.write(encode_frame(Hello()))
            async with asyncio.timeout(WELCOME_TIMEOUT_S):
                welcome = await read_frame(reader, _decoder)
            if not isinstance(welcome, Welcome) or welcome.version != VERSION:
                return
            self._back_off_s = FIRST_BACK_OFF_S
            new_boot = welcome.boot != self.boot
            self._welcome, self._writer = welcome, writer
            self._on_welcome(welcome, new_boot)
            await self._read(reader)
        finally:
            was_connected, self._writer = self._writer is not None, None
            writer.transport.abort()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(WorkerLost("the worker hung up"))
            if was_connected:
                self._on_lost()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while (event := await read_frame(reader, _decoder)) is not None:
            if isinstance(event, Done):
                future = self._waiting.get(event.request)
                if future is not None and not future.done():
                    future.set_result(event)
            else:
                self._on_event(event)
