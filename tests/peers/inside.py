"""A media worker inside the test's own process, for what no command of campus can ask: its tables."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import msgspec

from server.media.contract import Command, Done
from server.media.worker import MediaWorker
from server.protocol.parameters import Candidate
from tests.peers.workers import RunningWorker


class DirectLink:
    """Commands without a socket."""

    def __init__(self, worker: MediaWorker) -> None:
        self._worker = worker
        self._requests = 0

    async def request(self, command: Command) -> Done:
        self._requests += 1
        done = self._worker.handle(cast(Any, msgspec.structs.replace(command, request=self._requests)))
        assert done is not None
        return done

    def send(self, command: Command) -> None:
        self._worker.handle(command)


@contextlib.asynccontextmanager
async def inside_worker() -> AsyncIterator[tuple[RunningWorker, MediaWorker]]:
    """The worker as other tests see it, and itself."""
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind(("127.0.0.1", 0))
    door.setblocking(False)
    address, port = door.getsockname()
    worker = MediaWorker("w0", [door], [Candidate(address, port)], "", 4 << 20, time.monotonic, os.getpid())
    seen = RunningWorker(Path(), cast(Any, None), cast(Any, DirectLink(worker)), "")
    worker.tell = seen.tell
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop), name="worker")
        try:
            yield seen, worker
        finally:
            stop.set()
    door.close()
