"""The publisher's control door: campus connects, submits recordings, tells of live lessons, hears what became
of what. Also holds the bulk lane back while it should rest."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import assert_never

import msgspec

from recorder.archive.layout import BadName
from recorder.archive.manifest import BadManifest
from recorder.archive.published import Lane as LaneName
from recorder.archive.published import PublishingState
from recorder.control_server import ControlServer
from recorder.publish.contract import (
    VERSION,
    Command,
    Event,
    Hello,
    Load,
    Publishing,
    Remove,
    Submit,
    Welcome,
)
from recorder.publish.gate import Busyness, Hours, may_work
from recorder.publish.jobs import Settings
from recorder.publish.lane import Lane
from recorder.publish.pipeline import Pipeline
from recorder.publish.removal import free_bytes, remove, remove_stored

log = logging.getLogger(__name__)
LOOK_S = 2.0


class Control:
    """Serves `socket_path` until cancelled. Create inside a running loop."""

    def __init__(
        self,
        archive: Path,
        socket_path: Path,
        lanes: dict[LaneName, Lane],
        settings: Settings,
        hours: Hours | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._archive = archive
        self._path = socket_path
        self._lanes = lanes
        self._store = settings.store
        self._hours = hours
        self._pipeline = Pipeline(archive, lanes, settings, self._tell)
        self._server = ControlServer[Command, Event](
            msgspec.msgpack.Decoder(Command),
            lambda hello: isinstance(hello, Hello) and hello.version == VERSION,
            self._obey,
            lambda: Welcome(free_bytes(self._archive)),
        )
        self._lessons_live = 0

    async def run(self, database: Path) -> None:
        await asyncio.to_thread(self._pipeline.launch, database)
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._server.start(str(self._path))
                tasks.create_task(self._watch_load(), name="load")
        finally:
            await self._server.close()
            self._path.unlink(missing_ok=True)

    def _tell(self, event: Event) -> None:
        """Any thread: campus hears this."""
        self._loop.call_soon_threadsafe(self._server.tell, event)

    async def _watch_load(self) -> None:
        """Lessons and who watches them come first: the bulk lane stands still while they need the machine."""
        busyness, bulk = Busyness(), self._lanes[LaneName.BULK]
        while True:
            now = time.localtime()
            allowed = may_work(
                working=bulk.allowed,
                lessons_live=self._lessons_live,
                busy=busyness.read(),
                hours=self._hours,
                minute=now.tm_hour * 60 + now.tm_min,
            )
            if allowed != bulk.allowed:
                log.info("the bulk lane %s", "goes on" if allowed else "rests")
                bulk.allow(allowed)
                self._pipeline.tell_all()
            await asyncio.sleep(LOOK_S)

    async def _obey(self, command: Command) -> Event | None:
        match command:
            case Hello():
                return None
            case Load():
                self._lessons_live = command.lessons_live
                return None
            case Submit():
                return await asyncio.to_thread(self._submit, command)
            case Remove():
                return await asyncio.to_thread(self._remove, command)
            case _:
                assert_never(command)

    def _submit(self, submit: Submit) -> Event:
        try:
            return self._pipeline.submit(submit)
        except (BadName, BadManifest) as error:
            problem, detail = "manifest", str(error)
        except OSError as error:
            problem, detail = "disk", str(error)
        return Publishing(
            submit.lesson[:80], PublishingState.FAILED, submit.attempt, problem=problem, detail=detail
        )

    def _remove(self, command: Remove) -> Event:
        if command.stored_only:
            return remove_stored(self._archive, command.lesson, self._store)
        if not command.derived_only:
            self._pipeline.forget(command.lesson)
        return remove(self._archive, command.lesson, self._store, derived_only=command.derived_only)
