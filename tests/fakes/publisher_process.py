"""The real publisher process and a client of its control socket."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from recorder.archive.published import PublishingState
from recorder.framing import encode_frame, read_frame
from recorder.publish.contract import Command, Event, Hello, Publishing, Submit, Welcome


class PublisherProcess:
    """`start`, `kill`, `start` again; `aclose` at the end. `options`: of its command line."""

    def __init__(self, run: Path, archive: Path, *options: str) -> None:
        self._options = ("--preset", "ultrafast", "--nice", "0", "--least-free-bytes", "0", *options)
        self.socket = run / "publisher.sock"
        self.state = run
        self.archive = archive
        self.program: tuple[str, ...] = ("-m", "recorder.publish")
        self.process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._decoder = msgspec.msgpack.Decoder(Event)

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, *self.program, "--control", str(self.socket), "--archive", str(self.archive),
            "--state", str(self.state), *self._options,
            stdin=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONWARNINGS": "default"},
        )  # fmt: skip
        async with asyncio.timeout(60):
            while True:
                try:
                    self._reader, self._writer = await asyncio.open_unix_connection(str(self.socket))
                    break
                except (FileNotFoundError, ConnectionRefusedError):
                    assert self.process.returncode is None
                    await asyncio.sleep(0.05)
            self.say(Hello())
            assert isinstance(await self.hear(), Welcome)

    def say(self, command: Command) -> None:
        assert self._writer is not None
        self._writer.write(encode_frame(command))

    async def hear(self) -> Event:
        assert self._reader is not None
        event = await read_frame(self._reader, self._decoder)
        assert event is not None, "the publisher hung up"
        return event

    async def until(self, lesson: str, *states: PublishingState, timeout_s: float = 120) -> Publishing:
        async with asyncio.timeout(timeout_s):
            while True:
                event = await self.hear()
                if isinstance(event, Publishing) and event.lesson == lesson and event.state in states:
                    return event

    async def publish(self, submit: Submit) -> Publishing:
        """Until everything was tried."""
        self.say(submit)
        return await self.until(submit.lesson, PublishingState.DONE, PublishingState.FAILED)

    async def kill(self) -> None:
        """As the kernel does it; its working processes go with it."""
        assert self.process is not None
        self._hang_up()
        self.process.kill()
        await self.process.wait()

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


@asynccontextmanager
async def publisher_process(run: Path, archive: Path, *options: str) -> AsyncIterator[PublisherProcess]:
    publisher = PublisherProcess(run, archive, *options)
    try:
        await publisher.start()
        yield publisher
    finally:
        await publisher.aclose()
