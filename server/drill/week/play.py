"""Plays the days of a county: its lessons, studios, rooms and what goes wrong, on the loop's virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from zoneinfo import ZoneInfo

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection

from server.clock import Clock
from server.config import Config
from server.drill.week.neighbours import ActedRecorder, ActedWorker
from server.drill.week.pages import ActedPage
from server.drill.week.plan import Fault, Injected, Planned
from server.live.service import LiveService
from server.protocol.messages import Role, Words
from server.store.spans import Spans
from server.store.store import Store
from server.store.timetable_records import Booked

BEFORE_S = 600.0
"""Doors open so long before the day's first bell."""
BEFORE_JOIN_S = 200.0
"""Rooms join a booked lesson three minutes before its bell: who is off goes off before that."""
HEALTH = {
    Fault.FROZEN: ("picture", False),
    Fault.SILENT: ("sound", False),
    Fault.THIN: ("thin", True),
    Fault.HLS: ("hls", True),
}
"""What of `pages.Health` a fault changes for its time, and into what."""
AFTER_S = 120.0
"""The longest that a lesson's countdown, its release and its rows take."""


def booked(lessons: Sequence[Planned], zone: ZoneInfo) -> list[Booked]:
    """The lessons as rows of the timetable."""
    return [
        Booked(
            lesson=each.key,
            day=datetime.fromtimestamp(each.starts_at / 1000, zone).date(),
            first=1,
            last=1,
            starts_at=each.starts_at,
            ends_at=each.ends_at,
            main_room=each.main_room,
            rooms=each.rooms,
            title=each.key,
        )
        for each in lessons
    ]


async def offer_of_a_page() -> str:
    """What a page offers to send: a voice and a camera."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    for kind in ("audio", "video"):
        connection.addTransceiver(kind, direction="sendonly")
    offer = await connection.createOffer()
    await connection.close()
    return str(offer.sdp)


async def _nobody(main_room: str) -> dict[str, Words]:
    """No room is called into a lesson that nobody booked: there are none in this week."""
    return {}


class Day:
    """One day of lessons; campus starts in its morning and ends in its evening."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        lessons: Sequence[Planned],
        faults: Sequence[Injected],
    ) -> None:
        self._config, self._clock = config, clock
        self._lessons = lessons
        self._faults = faults
        self._live = LiveService(config, store, clock, _nobody, Spans(store.database))
        self._worker = ActedWorker("w0", "boot")

    async def play(self, offer: str) -> None:
        """Until the last lesson is over and its rows are written."""
        config, live = self._config, self._live
        pages: dict[str, ActedPage] = {}
        for lesson in self._lessons:
            main = lesson.main_room
            studio = pages.setdefault(main, ActedPage(live, self._worker, Role.TEACHER, main, offer))
            for room in lesson.rooms:
                pages.setdefault(room, ActedPage(live, self._worker, Role.ROOM, room, offer, studio))
        async with AsyncExitStack() as stack:
            group = await stack.enter_async_context(asyncio.TaskGroup())
            tasks = [group.create_task(ActedRecorder().run(config.run_path / "recorder.sock"))]
            tasks.append(group.create_task(self._worker.run(config.run_path / "w0.sock")))
            tasks.append(group.create_task(live.run()))
            stack.callback(lambda: [task.cancel() for task in tasks])
            await live.ready.wait()
            tasks += [group.create_task(page.run()) for page in pages.values()]
            bells = {lesson.key: lesson.starts_at for lesson in self._lessons}
            for fault in self._faults:
                tasks.append(group.create_task(self._hurt(fault, bells[fault.lesson], pages[fault.room])))
            await self._until(max(lesson.ends_at for lesson in self._lessons) + AFTER_S * 1000)

    async def _until(self, wall_ms: float) -> None:
        await asyncio.sleep(max(0.0, (wall_ms - self._clock.wall_ms()) / 1000))

    async def _hurt(self, fault: Injected, bell: int, page: ActedPage) -> None:
        if fault.fault in (Fault.OFF, Fault.LATE):
            await self._until(bell - BEFORE_JOIN_S * 1000)
            page.switch(on=False)
            await self._until(bell + fault.for_s * 1000 + (AFTER_S * 1000 if fault.fault is Fault.OFF else 0))
            page.switch(on=True)
            return
        await self._until(bell + fault.at_s * 1000)
        if fault.fault in (Fault.CUT, Fault.MAIN_AWAY):
            await page.cut(fault.for_s)
            return
        name, hurt = HEALTH[fault.fault]
        setattr(page.health, name, hurt)
        await asyncio.sleep(fault.for_s)
        setattr(page.health, name, not hurt)
