"""After each lesson its recording is verified: one at a time, in a process that gives way to all."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from recorder.archive.reading import list_recordings
from recorder.contract import RecordingState

log = logging.getLogger(__name__)
WAITING_AT_MOST = 10_000
"""More lessons than that are left to a later start, or to the command line."""


class Verifying:
    """The queue of finished lessons. Runs on the event loop; `run` until cancelled."""

    def __init__(self, archive: Path, *, keep_journal: bool) -> None:
        self._archive = archive
        self._keep_journal = keep_journal
        self._queue: asyncio.Queue[str] = asyncio.Queue(WAITING_AT_MOST)
        self._taken: set[str] = set()

    def put(self, lesson: str) -> None:
        """A lesson that is ready; said twice it is verified once."""
        if lesson not in self._taken and not self._queue.full():
            self._taken.add(lesson)
            self._queue.put_nowait(lesson)

    async def run(self) -> None:
        for lesson in await asyncio.to_thread(_unverified, self._archive):
            self.put(lesson)
        while True:
            lesson = await self._queue.get()
            await self._verify(lesson)

    async def _verify(self, lesson: str) -> None:
        options = ["--keep-journal"] if self._keep_journal else []
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "recorder.verification",
            "--archive", str(self._archive), "--lesson", lesson, *options,
            stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()  # its verdict is written whole or not at all
                await process.wait()
        (log.info if code == 0 else log.error)(
            ("verified", "not whole", "cannot be verified")[code] if code in (0, 1, 2) else "verifying died",
            extra={"lesson": lesson},
        )


def _unverified(archive: Path) -> list[str]:
    """Finished recordings that nobody has verified yet."""
    return [
        found.lesson
        for found in list_recordings(archive)
        if not isinstance(found, tuple) and found.state is RecordingState.READY and found.verdict is None
    ]
