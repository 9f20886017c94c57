"""The recorder's control door: campus connects, says what to record, hears what became of it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import assert_never

import msgspec

from recorder.archive.layout import BadName
from recorder.contract import VERSION, Begin, Command, Event, Finish, Hello, Pause, RecordingState, Welcome
from recorder.contract import Recording as Report
from recorder.control_server import ControlServer
from recorder.engine import Engine
from recorder.ring import BadRing, Ring, fetch_ring

log = logging.getLogger(__name__)
FETCH_AGAIN_S = 0.2
REMEMBERED_TRIES = 150
"""For a ring that nobody has asked for since this process began."""


class Control:
    """Serves `socket_path`. Create inside a running loop; `run` ends by cancellation."""

    def __init__(
        self,
        archive: Path,
        socket_path: Path,
        engine: Engine | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._path = socket_path
        self.engine = engine or Engine(archive, self.tell, want=self.tell, grew=self.tell)
        self._server = ControlServer[Command, Event](
            msgspec.msgpack.Decoder(Command),
            lambda hello: isinstance(hello, Hello) and hello.version == VERSION,
            self._obey,
            self._welcome,
        )
        self._fetches: dict[str, asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    def tell(self, event: Event) -> None:
        """Any thread: campus hears this."""
        self._loop.call_soon_threadsafe(self._server.tell, event)

    async def run(self) -> None:
        self.engine.start()
        try:
            async with asyncio.TaskGroup() as self._tasks:
                for begin in self.engine.remembered():  # the ring does not wait until campus is there
                    self._begin_fetch(begin, REMEMBERED_TRIES)
                await self._server.start(str(self._path))
                log.info("recorder is ready")
                try:
                    await asyncio.Event().wait()
                finally:
                    await self._server.close()
                    for task in self._fetches.values():
                        task.cancel()
        finally:
            await asyncio.to_thread(self.engine.stop)
            self._path.unlink(missing_ok=True)

    def _welcome(self) -> Welcome:
        return Welcome(recordings=self.engine.reports(), free_bytes=self.engine.free_bytes())

    async def _obey(self, command: Command) -> Event | None:
        match command:
            case Hello():
                return None
            case Begin():
                return await self._begin(command)
            case Pause(lesson=lesson, paused=paused):
                self.engine.pause(lesson, paused=paused)
                return None
            case Finish():
                try:
                    return self.engine.finish(command.lesson, command.about)
                except BadName as error:
                    return _refusal(command.lesson, "bad_name", error)
            case _:
                assert_never(command)

    async def _begin(self, begin: Begin) -> Event | None:
        try:
            report = await asyncio.to_thread(self.engine.begin, begin)
        except BadName as error:
            report = _refusal(begin.lesson, "bad_name", error)
        except OSError as error:
            report = _refusal(begin.lesson, "disk", error)
        if report is not None:
            return report
        self._begin_fetch(begin)
        return None

    def _begin_fetch(self, begin: Begin, tries: float = float("inf")) -> None:
        before = self._fetches.pop(begin.lesson, None)
        if before is not None:
            before.cancel()
        assert self._tasks is not None
        task = self._tasks.create_task(self._fetch(begin, tries), name=f"fetch {begin.lesson}")
        self._fetches[begin.lesson] = task

    async def _fetch(self, begin: Begin, tries: float) -> None:
        """Ask the worker until it has the ring, the lesson is over, or campus names another worker."""
        asked = 0
        while self.engine.wants_ring(begin.lesson) and asked < tries:
            ring: Ring | None = None
            try:
                ring = await asyncio.to_thread(fetch_ring, begin.tap_socket, begin.room)
            except (OSError, BadRing) as error:
                if asked % 50 == 0:
                    about = {"lesson": begin.lesson, "reason": str(error)}
                    log.warning("the tap cannot be fetched", extra=about)
            if ring is not None:
                self.engine.offer(begin.lesson, ring)
                return
            asked += 1
            await asyncio.sleep(FETCH_AGAIN_S)


def _refusal(lesson: str, problem: str, error: Exception) -> Report:
    return Report(lesson[:80], RecordingState.FAILED, problem=problem, detail=str(error))
