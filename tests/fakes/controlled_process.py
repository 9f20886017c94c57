"""One of our processes with a control socket, and the client that campus would be."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from recorder.framing import encode_frame, read_frame

Command = TypeVar("Command")
Event = TypeVar("Event")


class ControlledProcess(Generic[Command, Event]):
    """`start`, `kill` and `start` again as often as the test likes; `aclose` at the end. `program` and
    `arguments`: of Python's command line, after the socket's."""

    def __init__(
        self, socket: Path, hello: Command, decoder: msgspec.msgpack.Decoder[Event], *arguments: str
    ) -> None:
        self.socket = socket
        self.program: tuple[str, ...] = ()
        self.process: asyncio.subprocess.Process | None = None
        self._hello = hello
        self._decoder = decoder
        self._arguments = arguments
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def spawn(self) -> Event:
        """Start it and be its campus; its first word."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, *self.program, "--control", str(self.socket), *self._arguments,
            stdin=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONWARNINGS": "default"},
        )  # fmt: skip
        return await self.greet()

    async def greet(self) -> Event:
        """Connect (again): its first word."""
        async with asyncio.timeout(60):
            while True:
                try:
                    self._reader, self._writer = await asyncio.open_unix_connection(str(self.socket))
                    break
                except (FileNotFoundError, ConnectionRefusedError):
                    assert self.process is not None
                    assert self.process.returncode is None
                    await asyncio.sleep(0.02)
            self.say(self._hello)
            return await self.hear()

    def say(self, command: Command) -> None:
        assert self._writer is not None
        self._writer.write(encode_frame(command))

    async def hear(self) -> Event:
        assert self._reader is not None
        event = await read_frame(self._reader, self._decoder)
        assert event is not None, "it hung up"
        return event

    async def kill(self) -> None:
        """As the kernel does it; its own processes go with it."""
        assert self.process is not None
        self._hang_up()
        self.process.kill()
        await self.process.wait()

    async def terminate(self) -> int:
        assert self.process is not None
        self._hang_up()
        self.process.terminate()
        return await self.process.wait()

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def aclose(self) -> None:
        self._hang_up()
        if self.process is not None and self.process.returncode is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            async with asyncio.timeout(30):
                await self.process.wait()
