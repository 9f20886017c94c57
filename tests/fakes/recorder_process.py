"""The real recorder process and a client of its control socket."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from recorder.contract import Begin, Command, Event, Finish, Hello, Recording, RecordingState, Welcome
from recorder.framing import encode_frame, read_frame

WITH_CHECKPOINTS = """
from recorder import recording
from recorder.__main__ import main
recording.CHECKPOINT_S = 0.1
main()
"""


class RecorderProcess:
    """`start`, `kill` and `start` again as often as the test likes; `aclose` at the end. `checkpoints`: it
    keeps one several times a second instead of twice a minute."""

    def __init__(self, run: Path, archive: Path, *options: str) -> None:
        self._options = options
        self.checkpoints = False
        self.socket = run / "recorder.sock"
        self.archive = archive
        self.process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._decoder = msgspec.msgpack.Decoder(Event)
        self.welcome: Welcome | None = None

    async def start(self) -> Welcome:
        program = ("-c", WITH_CHECKPOINTS) if self.checkpoints else ("-m", "recorder")
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, *program, "--control", str(self.socket), "--archive", str(self.archive),
            *self._options,
            stdin=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return await self.connect()

    async def connect(self) -> Welcome:
        async with asyncio.timeout(20):
            while True:
                try:
                    self._reader, self._writer = await asyncio.open_unix_connection(str(self.socket))
                    break
                except (FileNotFoundError, ConnectionRefusedError):
                    assert self.process is not None
                    assert self.process.returncode is None
                    await asyncio.sleep(0.02)
            self.say(Hello())
            welcome = await self.hear()
        assert isinstance(welcome, Welcome)
        return welcome

    def say(self, command: Command) -> None:
        assert self._writer is not None
        self._writer.write(encode_frame(command))

    async def hear(self) -> Event:
        assert self._reader is not None
        event = await read_frame(self._reader, self._decoder)
        assert event is not None, "the recorder hung up"
        return event

    def begin(self, lesson: str, tap_socket: Path, room: str | None = None) -> None:
        started = "2026-11-21T08:00:00+08:00"
        self.say(Begin(lesson, "分数 Fractions", started, str(tap_socket), room or lesson))

    async def finish(self, lesson: str) -> Recording:
        """Finish and wait until it is ready."""
        self.say(Finish(lesson))
        return await self.until(lesson, RecordingState.READY)

    async def until(self, lesson: str, state: RecordingState, timeout_s: float = 20) -> Recording:
        async with asyncio.timeout(timeout_s):
            while True:
                event = await self.hear()
                if isinstance(event, Recording) and event.lesson == lesson and event.state is state:
                    return event

    async def until_seconds(self, lesson: str, seconds: float) -> Recording:
        """Until so much is playable."""
        async with asyncio.timeout(20):
            while True:
                event = await self.hear()
                if isinstance(event, Recording) and event.lesson == lesson and event.seconds >= seconds:
                    return event

    async def kill(self) -> None:
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
            async with asyncio.timeout(20):
                await self.process.wait()


@asynccontextmanager
async def recorder_process(run: Path, archive: Path, *options: str) -> AsyncIterator[RecorderProcess]:
    recorder = RecorderProcess(run, archive, *options)
    try:
        await recorder.start()
        yield recorder
    finally:
        await recorder.aclose()
