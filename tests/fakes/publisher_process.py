"""The real publisher process and a client of its control socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from recorder.archive.published import PublishingState
from recorder.publish.contract import Command, Event, Hello, Publishing, Submit, Welcome
from tests.fakes.controlled_process import ControlledProcess


class PublisherProcess(ControlledProcess[Command, Event]):
    """`options`: of its command line."""

    def __init__(self, run: Path, archive: Path, *options: str) -> None:
        fast = ("--preset", "ultrafast", "--nice", "0", "--least-free-bytes", "0")
        places = ("--archive", str(archive), "--state", str(run))
        decoder = msgspec.msgpack.Decoder(Event)
        super().__init__(run / "publisher.sock", Hello(), decoder, *places, *fast, *options)
        self.state = run
        self.archive = archive
        self.program = ("-m", "recorder.publish")

    async def start(self) -> None:
        assert isinstance(await self.spawn(), Welcome)

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


@asynccontextmanager
async def publisher_process(run: Path, archive: Path, *options: str) -> AsyncIterator[PublisherProcess]:
    publisher = PublisherProcess(run, archive, *options)
    try:
        await publisher.start()
        yield publisher
    finally:
        await publisher.aclose()
