"""A program that nobody here wrote, for the length of a block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

NOTHING, PIPE = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE


@asynccontextmanager
async def running(
    *command: str, stdin: int = NOTHING, stderr: int | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """It runs until it ends by itself or the block does; nothing of it is left then."""
    process = await asyncio.create_subprocess_exec(*command, stdin=stdin, stderr=stderr)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
