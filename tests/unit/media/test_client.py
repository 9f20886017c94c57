"""Campus' side of the control socket: a worker that takes its time to start is found soon after."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from recorder.control_server import ControlServer
from server.media.client import WorkerLink
from server.media.contract import VERSION, Command, Event, Hello, Welcome


async def test_a_worker_that_starts_late_is_found_soon(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    found: asyncio.Future[float] = loop.create_future()
    link = WorkerLink(
        tmp_path / "w0.sock",
        on_welcome=lambda welcome, new: found.set_result(loop.time()),
        on_event=lambda event: None,
        on_lost=lambda: None,
    )
    server = ControlServer[Command, Event](
        msgspec.msgpack.Decoder(Command),
        lambda hello: isinstance(hello, Hello) and hello.version == VERSION,
        lambda command: None,
        lambda: Welcome("w0", "boot", 1, "", [], []),
    )
    running = asyncio.create_task(link.run())
    try:
        await asyncio.sleep(0.8)  # by now a doubling back-off would sleep for long
        await server.start(str(tmp_path / "w0.sock"))
        began = loop.time()
        async with asyncio.timeout(5):
            assert await found - began < 0.5
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await server.close()
