"""The publisher's control door: campus connects, submits recordings, tells of live lessons, hears what became
of what. Also holds the bulk lane back while it should rest, and has live lessons followed."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from pathlib import Path
from typing import assert_never

import msgspec

from recorder.archive.layout import BadName
from recorder.archive.manifest import BadManifest
from recorder.archive.published import Lane as LaneName
from recorder.archive.published import PublishingState, StepName
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
from recorder.publish.jobs import Job, Settings
from recorder.publish.lane import Lane
from recorder.publish.pipeline import Pipeline
from recorder.publish.removal import free_bytes, remove, remove_stored

log = logging.getLogger(__name__)
LOOK_S = 2.0
FOLLOW_S = 10.0


class Control:
    """Serves `socket_path` until cancelled. Create inside a running loop."""

    def __init__(
        self,
        archive: Path,
        socket_path: Path,
        lanes: dict[LaneName, Lane],
        following: Lane,
        settings: Settings,
        hours: Hours | None,
    ) -> None:
        """`following`: the working process that does beforehand what it can of live lessons."""
        self._loop = asyncio.get_running_loop()
        self._archive = archive
        self._path = socket_path
        self._lanes = lanes
        self._following = following
        self._store = settings.store
        self._hours = hours
        self._pipeline = Pipeline(archive, lanes, settings, self._tell)
        self._server = ControlServer[Command, Event](
            msgspec.msgpack.Decoder(Command),
            lambda hello: isinstance(hello, Hello) and hello.version == VERSION,
            self._obey,
            lambda: Welcome(free_bytes(self._archive)),
        )
        self._live: list[str] = []
        self._others_live = asyncio.Event()

    async def run(self, database: Path) -> None:
        await asyncio.to_thread(self._pipeline.launch, database)
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._server.start(str(self._path))
                tasks.create_task(self._watch_load(), name="load")
                tasks.create_task(self._follow(), name="follow")
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
                lessons_live=len(self._live),
                busy=busyness.read(),
                hours=self._hours,
                minute=now.tm_hour * 60 + now.tm_min,
            )
            if allowed != bulk.allowed:
                log.info("the bulk lane %s", "goes on" if allowed else "rests")
                bulk.allow(allowed)
                self._pipeline.tell_all()
            await asyncio.sleep(LOOK_S)

    async def _follow(self) -> None:
        """Half a minute after the other of each live lesson's voices: many lessons may end at one bell."""
        while True:
            for lesson in list(self._live):
                job = Job(lesson, StepName.AAC, live=True)
                outcome = await asyncio.to_thread(self._following.do, job, lambda _: None)
                if outcome.problem is not None:  # it is made after class, if it can be
                    log.debug("not followed: %s", outcome.problem.code, extra={"lesson": lesson})
            self._others_live.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(FOLLOW_S):
                    await self._others_live.wait()

    async def _obey(self, command: Command) -> Event | None:
        match command:
            case Hello():
                return None
            case Load():
                if command.lessons != self._live:
                    self._others_live.set()
                self._live = command.lessons
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
