"""A lesson held on a whole installation of its own: studio and rooms speak as pages do, media by aiortc."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import msgspec
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack

from server.drill.classroom import Classroom
from server.drill.own_server import OwnServer
from server.protocol import messages as m
from server.protocol.messages import LessonState, LessonView, SeatState
from server.protocol.parameters import Source
from server.protocol.resources import Demo, RoomToken
from tests.peers.aiortc_peers import Pattern


@dataclass
class Holding:
    """The installation, who is in the lesson, and what a test does with them."""

    server: OwnServer
    http: aiohttp.ClientSession
    demo: Demo
    tasks: dict[Classroom, asyncio.Task[None]] = field(default_factory=dict)

    def enter(self, who: RoomToken, *sources: Source) -> Classroom:
        """A page that opens now."""
        tracks: dict[Source, MediaStreamTrack] = {
            source: AudioStreamTrack() if source is Source.VOICE else Pattern() for source in sources
        }
        page = Classroom(self.http, f"{self.server.url}/ws", who.token, tracks)
        self.tasks[page] = asyncio.create_task(page.run(), name=who.room)
        return page

    def studio(self) -> Classroom:
        return self.enter(self.demo.studio, Source.CAMERA, Source.VOICE)

    def room(self, number: int) -> Classroom:
        return self.enter(self.demo.rooms[number], Source.CAMERA, Source.VOICE)

    async def close(self, page: Classroom) -> None:
        """The page is closed: no goodbye of its media, the socket ends."""
        task = self.tasks.pop(page)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    @property
    def operator(self) -> dict[str, str]:
        """The header of this machine's command line."""
        token = (self.server.folder / "run" / "operator.token").read_text().strip()
        return {"Authorization": f"Bearer {token}"}

    async def end_lessons(self) -> None:
        url = f"{self.server.url}/api/v1/lessons"
        async with self.http.get(url, headers=self.operator) as answer:
            lessons = await answer.json()
        for lesson in lessons:
            if lesson["state"] in ("live", "closing"):
                await self.http.post(f"{url}/{lesson['lesson']}/end", headers=self.operator)

    def kill(self, module: str) -> None:
        """kill -9 of the process `python -m {module}`."""
        os.kill(self.pid_of(module), signal.SIGKILL)

    def pid_of(self, module: str) -> int:
        """The supervisor's child that runs this module."""
        children = Path(f"/proc/{self.server.pid}/task/{self.server.pid}/children").read_text().split()
        for pid in children:
            if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                return int(pid)
        raise AssertionError(f"no process {module}")


def view(page: Classroom) -> LessonView:
    assert page.lesson is not None
    return page.lesson


def seat_is(page: Classroom, room: str, state: SeatState) -> bool:
    return page.lesson is not None and any(s.room == room and s.state is state for s in page.lesson.seats)


def on_air(page: Classroom) -> bool:
    return page.lesson is not None and page.lesson.state is LessonState.LIVE


def decodes(page: Classroom, slot: str = "stage") -> bool:
    """Pictures since the last `forget`."""
    return page.sight(slot).unreadable + len(page.sight(slot).seen) > 0


def forget(page: Classroom, slot: str = "stage") -> None:
    page.sight(slot).unreadable = 0
    page.sight(slot).seen.clear()


@asynccontextmanager
async def holding(server: OwnServer) -> AsyncIterator[Holding]:
    """Pages of one test; everybody is gone and no lesson is on the air at the end."""
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{server.url}/api/v1/demo") as answer:
            demo = msgspec.json.decode(await answer.read(), type=Demo)
        held = Holding(server, http, demo)
        try:
            yield held
        finally:
            for page in list(held.tasks):
                await held.close(page)
            await held.end_lessons()


async def start(held: Holding, rooms: int) -> tuple[Classroom, list[Classroom]]:
    """A live lesson that every room decodes."""
    studio = held.studio()
    await studio.until(lambda: studio.lesson is not None, 10)
    pages = [held.room(number) for number in range(rooms)]
    for page in pages:
        await page.until(lambda page=page: page.welcome is not None, 10)  # type: ignore[misc]
    await studio.say(m.Start())
    for page in pages:
        await page.until(lambda page=page: on_air(page) and decodes(page), 15)  # type: ignore[misc]
    return studio, pages
