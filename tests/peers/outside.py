"""WebRTC clients that nobody here wrote, each a process that prints what happens to it, a line each."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers.workers import holds

FOLDER = Path(__file__).parents[1] / "interop"


@dataclass
class Client:
    """A running client and the lines it printed; it hangs up when its standard input ends."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode().strip())

    async def says(self, start: str, timeout_s: float = 30.0) -> str:
        await holds(lambda: any(line.startswith(start) for line in self.lines), timeout_s)
        return next(line for line in self.lines if line.startswith(start))

    async def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def hang_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert await self.says("deleted") == "deleted 200"
        assert await self.process.wait() == 0


@contextlib.asynccontextmanager
async def outside(*command: str) -> AsyncIterator[Client]:
    """A client by its command line, run in the folder of the interop tests; ended with the block."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=FOLDER,
        env=os.environ | {"UV_USE_IO_URING": "0"},  # on a full machine Node spins on it
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    client = Client(process)
    reading = asyncio.create_task(client.read(), name=command[1])
    try:
        yield client
    finally:
        if process.returncode is None:
            process.kill()
        await asyncio.gather(process.wait(), reading)
