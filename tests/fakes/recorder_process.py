"""The real recorder process and a client of its control socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from recorder.contract import Begin, Command, Event, Finish, Hello, Recording, RecordingState, Welcome
from tests.fakes.controlled_process import ControlledProcess

WITH_CHECKPOINTS = """
from recorder import recording
from recorder.__main__ import main
recording.CHECKPOINT_S = 0.1
main()
"""


class RecorderProcess(ControlledProcess[Command, Event]):
    """`checkpoints`: it keeps one several times a second instead of twice a minute."""

    def __init__(self, run: Path, archive: Path, *options: str) -> None:
        decoder = msgspec.msgpack.Decoder(Event)
        super().__init__(run / "recorder.sock", Hello(), decoder, "--archive", str(archive), *options)
        self.checkpoints = False
        self.archive = archive

    async def start(self) -> Welcome:
        self.program = ("-c", WITH_CHECKPOINTS) if self.checkpoints else ("-m", "recorder")
        return welcome(await self.spawn())

    async def connect(self) -> Welcome:
        return welcome(await self.greet())

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


def welcome(event: Event) -> Welcome:
    assert isinstance(event, Welcome)
    return event


@asynccontextmanager
async def recorder_process(run: Path, archive: Path, *options: str) -> AsyncIterator[RecorderProcess]:
    recorder = RecorderProcess(run, archive, *options)
    try:
        await recorder.start()
        yield recorder
    finally:
        await recorder.aclose()
